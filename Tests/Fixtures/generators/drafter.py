"""Conditioned block-diffusion drafters: a NumPy forward in float64 on random weights.

Follows docs/algorithms.md 3.1 line by line and shares no code with the Swift drafter: context features
`H = RMSNorm(fc · features)`; each layer projects keys and values from `H` directly (no input norm),
with k-norm and rope at the token's position; the block `[anchor, MASK × count]` stands at positions
`context ... context + count`, sees the whole context and all of itself, and its row `j` predicts the
token at its own position. Cases with `samples_anchor` have a mask less, and every row predicts the
token behind its own (DSpark); in those with `causal` a row sees no later ones (JetSpec).
"""

import json
import os

import numpy as np

from .common import check, fresh_folder, numbers, random_weights, save_tensors, write_json

MINIMUM_GAP = 1e-2
MINIMUM_VARIETY = 8
MINIMUM_SHIFT = 1e-2
MINIMUM_SPREAD = 0.15
MISTAKES = ["early anchor", "causal block", "normed context", "no hidden norm", "shifted rows"]
CONFIDENCE_MISTAKES = [
    "no final norm", "next token", "no bias", "no probability", "shifted rows"]
CONTEXT_ROWS = 14
# (context rows, drafted tokens) of the passes recorded: a usual round, a round after four more
# committed tokens, and no context at all. The whole block is always computed.
PASSES = [(10, 5), (14, 5), (0, 5)]

SHAPE = dict(
    vocab_size=64, hidden_size=24, intermediate_size=40, num_attention_heads=4,
    num_key_value_heads=2, head_dim=10, rms_norm_eps=1e-2, rope_theta=10000.0)

CASES = {
    "one-layer": dict(
        seed=51, layers=1, target_layers=6, taps=[3], block=6, mask=4, tied=True),
    "two-layer": dict(
        seed=52, layers=2, target_layers=8, taps=[0, 3, 6], block=6, mask=63, tied=False,
        rope_parameters=True, theta=500.0),
    "markov": dict(
        seed=53, layers=1, target_layers=6, taps=[3], block=6, mask=4, tied=True, rank=8),
    "markov-draft-vocabulary": dict(
        seed=54, layers=1, target_layers=6, taps=[1, 4], block=6, mask=4, tied=True, rank=8,
        draft_vocabulary=40),
    "confidence": dict(
        seed=55, layers=1, target_layers=6, taps=[2], block=6, mask=4, tied=True, confidence=True),
    "confidence-markov": dict(
        seed=56, layers=1, target_layers=6, taps=[1, 4], block=6, mask=4, tied=True, rank=8,
        draft_vocabulary=40, confidence=True),
    "jetspec": dict(
        seed=57, layers=2, target_layers=8, taps=[0, 3, 6], block=6, mask=63, tied=True,
        causal=True),
    "deepspec": dict(
        seed=58, layers=2, target_layers=8, taps=[1, 4], block=5, mask=4, tied=False, rank=8,
        confidence=True, layout="deepspec", samples_anchor=True),
    "speculators": dict(
        seed=59, layers=1, target_layers=8, taps=[2, 5], block=6, mask=4, tied=False,
        draft_vocabulary=40, layout="speculators"),
    "speculators-dspark": dict(
        seed=60, layers=1, target_layers=8, taps=[2, 5], block=5, mask=4, tied=False, rank=8,
        draft_vocabulary=40, layout="speculators", samples_anchor=True),
}


def make():
    """Writes drafter/NAME for every case."""
    for name, case in CASES.items():
        for attempt in range(50):
            weights, inputs, d2t = build(case, attempt)
            passes = [run(case, weights, inputs, d2t, *lengths) for lengths in PASSES]
            gap = min(entry["minimum_gap"] for entry in passes)
            varied = sum(len(set(entry["choices"])) for entry in passes)
            spread = confidence_spread(passes[0])
            if gap > MINIMUM_GAP and varied >= MINIMUM_VARIETY and spread > MINIMUM_SPREAD:
                break
        else:
            check(False, f"drafter/{name}: no seed gives clear argmax gaps and varied drafts")
        shift = prove_sensitive(name, case, weights, inputs, d2t)
        folder = fresh_folder("drafter", name)
        tensors = dict(weights)
        if d2t is not None:
            tensors["d2t"] = d2t
            if case.get("layout") == "speculators":
                kept = np.zeros(SHAPE["vocab_size"], dtype=bool)
                kept[np.arange(len(d2t)) + d2t] = True
                tensors["t2d"] = kept
        save_tensors(os.path.join(folder, "model.safetensors"), tensors)
        save_tensors(os.path.join(folder, "inputs.safetensors"), inputs)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(configuration(case), file, indent=2, sort_keys=True)
            file.write("\n")
        write_json(os.path.join(folder, "expected.json"), dict(passes=passes))
        print(f"drafter/{name}: attempt {attempt}, smallest gap {gap:.3f}, "
              f"smallest shift {shift:.2f}")


def confidence_spread(entry):
    """How far apart a pass's confidences are; 1 without a head, which can't be too little."""
    return np.ptp(entry["confidences"]) if "confidences" in entry else 1


def configuration(case):
    """config.json in the published layout (Qwen3 fields, `dflash_config`), or in another project's."""
    shape = dict(SHAPE, rope_theta=case.get("theta", SHAPE["rope_theta"]))
    if case.get("rope_parameters"):
        shape["rope_parameters"] = dict(rope_theta=shape.pop("rope_theta"), rope_type="default")
    else:
        shape["rope_scaling"] = None
    fields = dict(
        architectures=["DFlashDraftModel"], model_type="qwen3", attention_bias=False,
        attention_dropout=0.0, block_size=case["block"],
        dflash_config=dict(mask_token_id=case["mask"], target_layer_ids=case["taps"]),
        dtype="float32", hidden_act="silu", initializer_range=0.02,
        layer_types=["full_attention"] * case["layers"], max_position_embeddings=256,
        max_window_layers=case["layers"], num_hidden_layers=case["layers"],
        num_target_layers=case["target_layers"], sliding_window=None,
        tie_word_embeddings=case["tied"], use_cache=True, use_sliding_window=False, **shape)
    if "causal" in case:
        fields["dflash_config"]["causal_head"] = True
    if "layout" in case:
        return dict(deepspec=deepspec, speculators=speculators)[case["layout"]](case, fields)
    if "rank" in case:
        fields["markov_rank"] = case["rank"]
    if "draft_vocabulary" in case:
        fields["draft_vocab_size"] = case["draft_vocabulary"]
    if "confidence" in case:
        fields.update(
            enable_confidence_head=True, confidence_head_with_markov="rank" in case)
    return fields


def deepspec(case, fields):
    """The same with everything beside a copy of the target's configuration."""
    fields.update(fields.pop("dflash_config"))
    return dict(
        fields, architectures=["Qwen3DSparkModel"], num_anchors=512, markov_rank=case["rank"],
        markov_head_type="vanilla", enable_confidence_head=True, confidence_head_with_markov=True)


def speculators(case, fields):
    """The same with the layers' settings in a section; layers are counted by what comes into them."""
    model_type = "dspark" if "rank" in case else "dflash"
    settings = fields.pop("dflash_config")
    for key in ["architectures", "block_size", "num_target_layers", "tie_word_embeddings"]:
        del fields[key]
    result = dict(
        architectures=["DSparkDraftModel" if "rank" in case else "DFlashDraftModel"],
        speculators_model_type=model_type, block_size=case["block"],
        aux_hidden_state_layer_ids=[layer + 1 for layer in settings["target_layer_ids"]],
        mask_token_id=settings["mask_token_id"], draft_vocab_size=case["draft_vocabulary"],
        sliding_window_non_causal=False, sample_from_anchor="samples_anchor" in case,
        speculators_config=dict(
            algorithm=model_type, default_proposal_method="greedy",
            verifier=dict(name_or_path="target", architectures=["Qwen3ForCausalLM"])),
        transformer_layer_config=fields, transformers_version="5.0.0")
    if "rank" in case:
        result.update(
            markov_rank=case["rank"], markov_head_type="vanilla", enable_confidence_head=False,
            confidence_head_with_markov=False)
    return result


def layer_shapes(prefix):
    """The shapes of a layer's weights."""
    hidden, head = SHAPE["hidden_size"], SHAPE["head_dim"]
    queries, keys = SHAPE["num_attention_heads"] * head, SHAPE["num_key_value_heads"] * head
    return {
        prefix + "input_layernorm.weight": (hidden,),
        prefix + "post_attention_layernorm.weight": (hidden,),
        prefix + "self_attn.q_proj.weight": (queries, hidden),
        prefix + "self_attn.k_proj.weight": (keys, hidden),
        prefix + "self_attn.v_proj.weight": (keys, hidden),
        prefix + "self_attn.o_proj.weight": (hidden, queries),
        prefix + "self_attn.q_norm.weight": (head,),
        prefix + "self_attn.k_norm.weight": (head,),
        prefix + "mlp.gate_proj.weight": (SHAPE["intermediate_size"], hidden),
        prefix + "mlp.up_proj.weight": (SHAPE["intermediate_size"], hidden),
        prefix + "mlp.down_proj.weight": (hidden, SHAPE["intermediate_size"]),
    }


def build(case, attempt):
    """Drafter weights, the inputs that belong to the target, and the draft vocabulary's map."""
    hidden = SHAPE["hidden_size"]
    shapes = {
        "fc.weight": (hidden, len(case["taps"]) * hidden),
        "hidden_norm.weight": (hidden,), "norm.weight": (hidden,),
    }
    for layer in range(case["layers"]):
        shapes.update(layer_shapes(f"layers.{layer}."))
    rows = case.get("draft_vocabulary", SHAPE["vocab_size"])
    if "rank" in case:
        shapes["markov_head.markov_w1.weight"] = (SHAPE["vocab_size"], case["rank"])
        shapes["markov_head.markov_w2.weight"] = (rows, case["rank"])
    if "confidence" in case:
        shapes["confidence_head.proj.weight"] = (1, hidden + case.get("rank", 0))
        shapes["confidence_head.proj.bias"] = (1,)
        if "layout" not in case:
            shapes["confidence_head.own.weight"] = (1,)
    if "layout" in case:
        shapes["embed_tokens.weight"] = (SHAPE["vocab_size"], hidden)
        shapes["lm_head.weight"] = (rows, hidden)
    seed = 1000 * attempt + case["seed"]
    gains = {
        "o_proj": 3.0, "down_proj": 3.0, "markov_head.markov_w2": 12.0, "confidence_head.proj": 2.0,
        "lm_head": 2.5}
    weights = random_weights(shapes, seed, gains=gains)
    random = np.random.Generator(np.random.PCG64([seed, 1]))
    vocabulary = SHAPE["vocab_size"]
    embedding = random.standard_normal((vocabulary, hidden)).astype(np.float32) / 2
    inputs = {
        "features": random.standard_normal(
            (CONTEXT_ROWS, len(case["taps"]) * hidden)).astype(np.float32) * 2,
        "embedding": embedding,
    }
    if not case["tied"]:
        inputs["head"] = random.standard_normal((vocabulary, hidden)).astype(np.float32) / 2
    d2t = None
    if "draft_vocabulary" in case:
        kept = np.sort(random.choice(vocabulary, rows, replace=False))
        d2t = (kept - np.arange(rows)).astype(np.int64)
    return weights, inputs, d2t


def run(case, weights, inputs, d2t, context, count, mistake=None):
    """One pass: what expected.json holds for `context` committed rows and `count` drafts.

    `mistake` makes it wrong on purpose, for `prove_sensitive`.
    """
    weights = {name: value.astype(np.float64) for name, value in weights.items()}
    embedding = weights.get("embed_tokens.weight", inputs["embedding"].astype(np.float64))
    head = inputs.get("head", inputs["embedding"]).astype(np.float64)
    targets = np.arange(len(head)) if d2t is None else np.arange(len(d2t)) + d2t
    head = weights.get("lm_head.weight", head[targets])
    samples_anchor = "samples_anchor" in case and mistake != "shifted rows"
    first = 0 if samples_anchor or "samples_anchor" not in case and mistake == "shifted rows" else 1
    anchor = (case["seed"] * 7 + context) % SHAPE["vocab_size"]

    features = inputs["features"][:context].astype(np.float64)
    conditions = features @ weights["fc.weight"].T
    if mistake != "no hidden norm":
        conditions = rms_norm(conditions, weights["hidden_norm.weight"])
    rows = embedding[[anchor] + [case["mask"]] * (count - samples_anchor)]
    for layer in range(case["layers"]):
        rows = decoder_layer(
            layer_weights(weights, layer), rows, conditions, mistake,
            "causal" in case, case.get("theta", SHAPE["rope_theta"]))
    hidden = rms_norm(rows, weights["norm.weight"])

    logits = hidden[first:first + count] @ head.T
    previous, choices, gaps, confidences = anchor, [], [], []
    for index, row in enumerate(logits):
        before = previous
        if "rank" in case:
            row += weights["markov_head.markov_w2.weight"] @ weights["markov_head.markov_w1.weight"][previous]
        order = np.argsort(-row)
        gaps.append(float(row[order[0]] - row[order[1]]))
        choices.append(int(order[0]))
        previous = int(targets[order[0]])
        if "confidence" in case:
            state = (rows if mistake == "no final norm" else hidden)[index + first]
            seen = [state]
            if "rank" in case:
                seen.append(weights["markov_head.markov_w1.weight"][
                    previous if mistake == "next token" else before])
            odds = weights["confidence_head.proj.weight"][0] @ np.concatenate(seen)
            if mistake != "no bias":
                odds += weights["confidence_head.proj.bias"][0]
            if mistake != "no probability" and "confidence_head.own.weight" in weights:
                shares = np.exp(row - row.max())
                share = shares.max() / shares.sum()
                odds += weights["confidence_head.own.weight"][0] * np.log(share / (1 - share))
            confidences.append(float(1 / (1 + np.exp(-odds))))
    head = dict(confidences=numbers(confidences)) if "confidence" in case else {}
    return dict(
        context=context, count=count, anchor=int(anchor), minimum_gap=min(gaps), choices=choices,
        drafts=[int(targets[choice]) for choice in choices],
        hidden=numbers(hidden), logits=numbers(logits), **head)


def layer_weights(weights, layer):
    prefix = f"layers.{layer}."
    return {
        name[len(prefix):].removesuffix(".weight"): value
        for name, value in weights.items() if name.startswith(prefix)
    }


def decoder_layer(w, rows, conditions, mistake, is_causal, theta):
    """A Qwen3 layer over the block rows, with keys and values of the context in front."""
    context, block = len(conditions), len(rows)
    heads, groups = SHAPE["num_attention_heads"], SHAPE["num_key_value_heads"]
    normed = rms_norm(rows, w["input_layernorm"])
    if mistake == "normed context":
        conditions = rms_norm(conditions, w["input_layernorm"])
    sources = np.concatenate([conditions, normed])
    positions = np.arange(context + block)
    if mistake == "early anchor":
        positions[context:] -= 1
    visible = np.ones((block, context + block), dtype=bool)
    if (mistake == "causal block") != is_causal:
        visible = np.tril(visible, context)
    queries = (normed @ w["self_attn.q_proj"].T).reshape(block, heads, -1)
    keys = (sources @ w["self_attn.k_proj"].T).reshape(context + block, groups, -1)
    values = (sources @ w["self_attn.v_proj"].T).reshape(context + block, groups, -1)
    queries = rope(rms_norm(queries, w["self_attn.q_norm"]), positions[context:], theta)
    keys = rope(rms_norm(keys, w["self_attn.k_norm"]), positions, theta)
    mixed = np.zeros((block, heads, SHAPE["head_dim"]))
    for head in range(heads):
        group = head // (heads // groups)
        scores = queries[:, head] @ keys[:, group].T / np.sqrt(SHAPE["head_dim"])
        scores = np.where(visible, scores, -np.inf)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed[:, head] = scores / scores.sum(axis=-1, keepdims=True) @ values[:, group]
    rows = rows + mixed.reshape(block, -1) @ w["self_attn.o_proj"].T
    normed = rms_norm(rows, w["post_attention_layernorm"])
    gate = normed @ w["mlp.gate_proj"].T
    gate = gate / (1 + np.exp(-gate))
    return rows + (gate * (normed @ w["mlp.up_proj"].T)) @ w["mlp.down_proj"].T


def rms_norm(rows, weight):
    scale = np.sqrt(np.mean(rows * rows, axis=-1, keepdims=True) + SHAPE["rms_norm_eps"])
    return rows / scale * weight


def rope(heads, positions, theta):
    """Half-split rotation of [rows, heads, head_dim] at the given positions."""
    half = SHAPE["head_dim"] // 2
    frequencies = theta ** (-np.arange(half) / half)
    angles = positions[:, None, None] * frequencies
    first, second = heads[..., :half], heads[..., half:]
    return np.concatenate([
        first * np.cos(angles) - second * np.sin(angles),
        second * np.cos(angles) + first * np.sin(angles)], axis=-1)


def prove_sensitive(name, case, weights, inputs, d2t):
    """Each likely misreading must show in the logits of the first pass, and the Markov head in its
    choices; a fixture that survives them would prove nothing."""
    right = run(case, weights, inputs, d2t, *PASSES[0])
    reference, shifts = np.array(right["logits"]), []
    for mistake in MISTAKES:
        wrong = np.array(run(case, weights, inputs, d2t, *PASSES[0], mistake)["logits"])
        shifts.append(np.abs(wrong - reference).max() / np.abs(reference).max())
        check(shifts[-1] > MINIMUM_SHIFT,
              f"drafter/{name}: '{mistake}' moves the logits by {shifts[-1]:.1e} only")
    if "rank" in case:
        bare = {key: value for key, value in case.items() if key not in ("rank", "confidence")}
        without = run(bare, weights, inputs, d2t, *PASSES[0])
        check(without["choices"] != right["choices"], f"drafter/{name}: the Markov head is idle")
    if "confidence" in case:
        reference = np.array(right["confidences"])
        for mistake in CONFIDENCE_MISTAKES:
            if mistake == "next token" and "rank" not in case:
                continue
            if mistake == "no probability" and "layout" in case:
                continue
            wrong = np.array(run(case, weights, inputs, d2t, *PASSES[0], mistake)["confidences"])
            shift = np.abs(wrong - reference).max()
            check(shift > MINIMUM_SHIFT,
                  f"drafter/{name}: '{mistake}' moves the confidences by {shift:.1e} only")
    return min(shifts)
