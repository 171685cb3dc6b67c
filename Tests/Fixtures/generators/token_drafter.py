"""Block-diffusion drafters that see tokens alone: a NumPy forward in float64 on random weights.

Follows docs/algorithms.md 3.2 and shares no code with the Swift drafter. Where that one keeps keys and values
of the context from pass to pass, this runs context and block through the layers at once, from the tokens:
rows of the context see what is before them and themselves, the rows `[anchor, MASK × count]` behind them
see the whole context and one another, and row `j` of these predicts the token at its own position.
"""

import json
import os

import numpy as np

from .common import check, fresh_folder, numbers, random_weights, save_tensors, write_json
from .drafter import SHAPE, layer_shapes, layer_weights, rms_norm, rope

MINIMUM_GAP = 1e-2
MINIMUM_VARIETY = 8
MINIMUM_SHIFT = 1e-2
MISTAKES = [
    "early anchor", "causal block", "two-way context", "context sees block", "shifted rows",
    "anchor unseen"]
# (context rows, drafted tokens): a usual round, one after four more tokens, and no context at all.
PASSES = [(10, 5), (14, 5), (0, 5)]

CASES = {
    "borrowed": dict(seed=61, layers=2, block=6, mask=4, own=False),
    "borrowed-markov": dict(
        seed=62, layers=3, block=6, mask=63, own=False, theta=500.0, rank=8, draft_vocabulary=40,
        untied=True),
    "own": dict(seed=63, layers=1, block=6, mask=4, own=True),
    "own-draft-vocabulary": dict(
        seed=64, layers=2, block=6, mask=63, own=True, rank=8, draft_vocabulary=40),
}


def make():
    """Writes token-drafter/NAME for every case."""
    for name, case in CASES.items():
        for attempt in range(50):
            weights, inputs, d2t, tokens = build(case, attempt)
            passes = [run(case, weights, inputs, d2t, tokens, *lengths) for lengths in PASSES]
            gap = min(entry["minimum_gap"] for entry in passes)
            varied = sum(len(set(entry["choices"])) for entry in passes)
            if gap > MINIMUM_GAP and varied >= MINIMUM_VARIETY:
                break
        else:
            check(False, f"token-drafter/{name}: no seed gives clear argmax gaps, varied drafts")
        shift = prove_sensitive(name, case, weights, inputs, d2t, tokens)
        folder = fresh_folder("token-drafter", name)
        tensors = dict(weights)
        if d2t is not None:
            tensors["d2t"] = d2t
        save_tensors(os.path.join(folder, "model.safetensors"), tensors)
        if inputs:
            save_tensors(os.path.join(folder, "inputs.safetensors"), inputs)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(configuration(case), file, indent=2, sort_keys=True)
            file.write("\n")
        write_json(
            os.path.join(folder, "expected.json"), dict(tokens=tokens.tolist(), passes=passes))
        print(f"token-drafter/{name}: attempt {attempt}, smallest gap {gap:.3f}, "
              f"smallest shift {shift:.2f}")


def configuration(case):
    """config.json: Qwen3 fields and `deer_config`."""
    fields = dict(
        SHAPE, architectures=["DEERDraftModel"], model_type="qwen3", attention_bias=False,
        block_size=case["block"], min_block_size=case["block"],
        deer_config=dict(mask_token_id=case["mask"], own_embedding=case["own"]),
        dtype="float32", hidden_act="silu", layer_types=["full_attention"] * case["layers"],
        max_position_embeddings=256, num_hidden_layers=case["layers"], rope_scaling=None,
        rope_theta=case.get("theta", SHAPE["rope_theta"]), tie_word_embeddings=True)
    if "rank" in case:
        fields["markov_rank"] = case["rank"]
    if "draft_vocabulary" in case:
        fields["draft_vocab_size"] = case["draft_vocabulary"]
    return fields


def build(case, attempt):
    """Drafter weights, what the target lends, the draft vocabulary's map, and the text."""
    hidden = SHAPE["hidden_size"]
    vocabulary = SHAPE["vocab_size"]
    shapes = {"norm.weight": (hidden,)}
    for layer in range(case["layers"]):
        shapes.update(layer_shapes(f"layers.{layer}."))
    rows = case.get("draft_vocabulary", vocabulary)
    if "rank" in case:
        shapes["markov_head.markov_w1.weight"] = (vocabulary, case["rank"])
        shapes["markov_head.markov_w2.weight"] = (rows, case["rank"])
    seed = 1000 * attempt + case["seed"]
    weights = random_weights(
        shapes, seed, gains={"o_proj": 3.0, "down_proj": 3.0, "markov_head.markov_w2": 12.0})
    random = np.random.Generator(np.random.PCG64([seed, 1]))
    embedding = random.standard_normal((vocabulary, hidden)).astype(np.float32) / 2
    inputs = {}
    if case["own"]:
        weights["embed_tokens.weight"] = embedding
    else:
        inputs["embedding"] = embedding
    if case.get("untied"):
        inputs["head"] = random.standard_normal((vocabulary, hidden)).astype(np.float32) / 2
    d2t = None
    if "draft_vocabulary" in case:
        kept = np.sort(random.choice(vocabulary, rows, replace=False))
        d2t = (kept - np.arange(rows)).astype(np.int64)
    tokens = random.integers(0, vocabulary, max(context for context, _ in PASSES))
    return weights, inputs, d2t, tokens


def run(case, weights, inputs, d2t, tokens, context, count, mistake=None):
    """One pass: what expected.json holds for `context` committed tokens and `count` drafts.

    `mistake` makes it wrong on purpose, for `prove_sensitive`.
    """
    tables = {name: value.astype(np.float64) for name, value in {**weights, **inputs}.items()}
    embedding = tables["embed_tokens.weight" if case["own"] else "embedding"]
    head = tables.get("head", embedding)
    targets = np.arange(len(head)) if d2t is None else np.arange(len(d2t)) + d2t
    anchor = (case["seed"] * 7 + context) % SHAPE["vocab_size"]

    block = 1 + count
    positions = np.arange(context + block)
    if mistake == "early anchor":
        positions[context:] -= 1
    visible = np.ones((context + block, context + block), dtype=bool)
    if mistake != "two-way context":
        visible[:context, :context] = np.tril(visible[:context, :context])
    if mistake != "context sees block":
        visible[:context, context:] = False
    if mistake == "causal block":
        visible[context:, context:] = np.tril(visible[context:, context:])
    if mistake == "anchor unseen":
        visible[context + 1:, context] = False
    rows = embedding[list(tokens[:context]) + [anchor] + [case["mask"]] * count]
    for layer in range(case["layers"]):
        rows = decoder_layer(
            layer_weights(tables, layer), rows, positions, visible,
            case.get("theta", SHAPE["rope_theta"]))
    hidden = rms_norm(rows[context:], tables["norm.weight"])

    logits = (hidden[:-1] if mistake == "shifted rows" else hidden[1:]) @ head[targets].T
    previous, choices, gaps = anchor, [], []
    for row in logits:
        if "rank" in case:
            row += (tables["markov_head.markov_w2.weight"]
                    @ tables["markov_head.markov_w1.weight"][previous])
        order = np.argsort(-row)
        gaps.append(float(row[order[0]] - row[order[1]]))
        choices.append(int(order[0]))
        previous = int(targets[order[0]])
    return dict(
        context=context, count=count, anchor=int(anchor), minimum_gap=min(gaps), choices=choices,
        drafts=[int(targets[choice]) for choice in choices], logits=numbers(logits))


def decoder_layer(w, rows, positions, visible, theta):
    """A Qwen3 layer over rows that see what `visible` says."""
    count = len(rows)
    heads, groups = SHAPE["num_attention_heads"], SHAPE["num_key_value_heads"]
    normed = rms_norm(rows, w["input_layernorm"])
    queries = (normed @ w["self_attn.q_proj"].T).reshape(count, heads, -1)
    keys = (normed @ w["self_attn.k_proj"].T).reshape(count, groups, -1)
    values = (normed @ w["self_attn.v_proj"].T).reshape(count, groups, -1)
    queries = rope(rms_norm(queries, w["self_attn.q_norm"]), positions, theta)
    keys = rope(rms_norm(keys, w["self_attn.k_norm"]), positions, theta)
    mixed = np.zeros((count, heads, SHAPE["head_dim"]))
    for head in range(heads):
        group = head // (heads // groups)
        scores = queries[:, head] @ keys[:, group].T / np.sqrt(SHAPE["head_dim"])
        scores = np.where(visible, scores, -np.inf)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed[:, head] = scores / scores.sum(axis=-1, keepdims=True) @ values[:, group]
    rows = rows + mixed.reshape(count, -1) @ w["self_attn.o_proj"].T
    normed = rms_norm(rows, w["post_attention_layernorm"])
    gate = normed @ w["mlp.gate_proj"].T
    gate = gate / (1 + np.exp(-gate))
    return rows + (gate * (normed @ w["mlp.up_proj"].T)) @ w["mlp.down_proj"].T


def prove_sensitive(name, case, weights, inputs, d2t, tokens):
    """Each likely misreading must show in the logits of the first pass, and the Markov head in its
    choices; a fixture that survives them would prove nothing."""
    right = run(case, weights, inputs, d2t, tokens, *PASSES[0])
    reference, shifts = np.array(right["logits"]), []
    for mistake in MISTAKES:
        if case["layers"] == 1 and mistake in ("two-way context", "context sees block"):
            continue  # what context rows see reaches the block through a second layer only
        wrong = np.array(run(case, weights, inputs, d2t, tokens, *PASSES[0], mistake)["logits"])
        shifts.append(np.abs(wrong - reference).max() / np.abs(reference).max())
        check(shifts[-1] > MINIMUM_SHIFT,
              f"token-drafter/{name}: '{mistake}' moves the logits by {shifts[-1]:.1e} only")
    if "rank" in case:
        bare = {key: value for key, value in case.items() if key != "rank"}
        without = run(bare, weights, inputs, d2t, tokens, *PASSES[0])
        check(without["choices"] != right["choices"],
              f"token-drafter/{name}: the Markov head is idle")
    return min(shifts)
