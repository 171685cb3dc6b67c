"""Parts that block drafters may have beside those of `drafter.py`: a PyTorch forward in float64 on random weights.

Convolutions and candidate selector (DFlash 2), windows, causal windows, scaled and capped logits, gated and recurrent
Markov heads (DSpark). Follows docs/algorithms.md 3.1 and 3.3 and shares no code with the Swift drafter, nor its
forward with `drafter.py`. Folders are those of `drafter/NAME`; tokens that a selector excludes have null as logits.
"""

import json
import os

import torch
from torch.nn import functional

from . import drafter
from .common import check, fresh_folder, numbers, random_weights, save_tensors, write_json

SHAPE = drafter.SHAPE
EPSILON = SHAPE["rms_norm_eps"]

# `reach`: a window or None for each layer. `causal`: what is_causal says, None for nothing.
CASES = {
    "dflash2": dict(
        seed=71, layers=2, target_layers=8, taps=[1, 4], block=6, mask=4, tied=True,
        convolution=(2, 6), selector=(8, 5)),
    "dflash2-window": dict(
        seed=72, layers=3, target_layers=8, taps=[0, 3, 6], block=6, mask=63, tied=False,
        convolution=(3, 4), selector=(5, 16), reach=[7, None, 7], causal=False, multiplier=0.5,
        cap=3.0, embedding_scale=1.5),
    "dflash-window": dict(
        seed=73, layers=2, target_layers=8, taps=[1, 4], block=6, mask=4, tied=True,
        reach=[None, 5]),
    "gated": dict(
        seed=74, layers=2, target_layers=8, taps=[1, 4], block=5, mask=4, tied=False, rank=8,
        kind="gated", confidence=True, layout="deepspec", samples_anchor=True),
    "rnn": dict(
        seed=75, layers=1, target_layers=8, taps=[1, 4], block=5, mask=4, tied=False, rank=8,
        kind="rnn", confidence=True, layout="deepspec", samples_anchor=True),
}

# Misreadings, each of which must show, and the settings that a case needs for them.
MISTAKES = {
    "early anchor": (), "shifted rows": (), "causal block": (), "no hidden norm": (),
    "one side": ("convolution",), "sides swapped": ("convolution",), "no dynamic part": ("convolution",),
    "kernel of the output": ("convolution",), "taps and groups swapped": ("convolution",),
    "rows from the context": ("convolution",), "no edges": ("selector",), "no gate": ("selector",),
    "codebooks swapped": ("selector",), "no window": ("reach",), "wider window": ("reach",),
    "cap first": ("cap",), "no embedding scale": ("embedding_scale",),
    "no mixing": ("kind",), "inputs swapped": ("kind",), "no bias": ("kind",),
}


def make():
    """Writes drafter/NAME for every case."""
    for name, case in CASES.items():
        for attempt in range(80):
            weights, inputs = build(case, attempt)
            passes = [run(case, weights, inputs, *lengths) for lengths in drafter.PASSES]
            gap = min(entry["minimum_gap"] for entry in passes)
            varied = sum(len(set(entry["choices"])) for entry in passes)
            if gap > drafter.MINIMUM_GAP and varied >= drafter.MINIMUM_VARIETY:
                break
        else:
            check(False, f"drafter/{name}: no seed gives clear gaps and varied drafts")
        shift = prove_sensitive(name, case, weights, inputs)
        folder = fresh_folder("drafter", name)
        save_tensors(os.path.join(folder, "model.safetensors"), weights)
        save_tensors(os.path.join(folder, "inputs.safetensors"), inputs)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(configuration(case), file, indent=2, sort_keys=True)
            file.write("\n")
        write_json(os.path.join(folder, "expected.json"), dict(passes=passes))
        print(f"drafter/{name}: attempt {attempt}, smallest gap {gap:.3f}, smallest shift {shift:.2f}")


def configuration(case):
    """config.json in the project's own layout."""
    fields = drafter.configuration({key: value for key, value in case.items() if key != "causal"})
    if "kind" in case:
        fields["markov_head_type"] = case["kind"]
    if "reach" in case:
        fields.update(
            use_sliding_window=True, sliding_window=next(w for w in case["reach"] if w),
            layer_types=["sliding_attention" if w else "full_attention" for w in case["reach"]])
    if "convolution" in case:
        fields["architectures"] = ["DFlash2DraftModel"]
        fields["dflash_config"].update(
            block_size=fields.pop("block_size"),
            conv_kernel_size=case["convolution"][0], conv_group_size=case["convolution"][1],
            selector_rank=case["selector"][0], selector_top_k=case["selector"][1])
    if case.get("causal") is not None:
        fields["is_causal"] = case["causal"]
    settings = fields.get("dflash_config", fields)
    for key, name in [("multiplier", "output_multiplier"), ("cap", "final_logit_softcapping"),
                      ("embedding_scale", "input_embedding_scale")]:
        if key in case:
            settings[name] = case[key]
    return fields


def build(case, attempt):
    """Drafter weights and the inputs that belong to the target, as `drafter.build` makes them, and the parts'."""
    plain = {key: value for key, value in case.items() if key not in ("convolution", "selector")}
    weights, inputs, _ = drafter.build(plain, attempt)
    hidden, vocabulary = SHAPE["hidden_size"], SHAPE["vocab_size"]
    shapes = {}
    if "kind" in case:
        rank = case["rank"]
        name, shape = dict(
            gated=("gate_proj", (rank, hidden + rank)),
            rnn=("joint_proj", (3 * rank, 2 * rank + hidden)))[case["kind"]]
        shapes[f"markov_head.{name}.weight"] = shape
        shapes[f"markov_head.{name}.bias"] = shape[:1]
    if "convolution" in case:
        taps, group = case["convolution"]
        for layer in range(case["layers"]):
            for part in ["attention_conv", "mlp_conv"]:
                prefix = f"layers.{layer}.{part}."
                shapes[prefix + "base_kernel"] = (2, taps, hidden)
                shapes[prefix + "kernel_projection.weight"] = (2 * taps * hidden // group, hidden)
        rank = case["selector"][0]
        for book in ["predecessor_codebook", "successor_codebook"]:
            shapes["candidate_selector." + book] = (vocabulary, rank)
        shapes["candidate_selector.hidden_projection.weight"] = (rank, hidden)
    gains = {
        "gate_proj": 3.0, "joint_proj": 3.0, "base_kernel": 4.0, "kernel_projection": 0.5,
        "codebook": 4.0}
    weights.update(random_weights(shapes, 1000 * attempt + case["seed"] + 500, gains=gains))
    return weights, inputs


def run(case, weights, inputs, context, count, mistake=None):
    """One pass: what expected.json holds for `context` committed rows and `count` drafts."""
    w = {name: torch.tensor(value, dtype=torch.float64) for name, value in weights.items()}
    given = {name: torch.tensor(value, dtype=torch.float64) for name, value in inputs.items()}
    embedding = w.get("embed_tokens.weight", given["embedding"])
    head = w.get("lm_head.weight", given.get("head", given["embedding"]))
    samples = "samples_anchor" in case
    first = int(samples == (mistake == "shifted rows"))
    anchor = (case["seed"] * 7 + context) % SHAPE["vocab_size"]

    conditions = functional.linear(given["features"][:context], w["fc.weight"])
    if mistake != "no hidden norm":
        conditions = norm(conditions, w["hidden_norm.weight"])
    rows = embedding[[anchor] + [case["mask"]] * (count - samples)]
    if mistake != "no embedding scale":
        rows = rows * case.get("embedding_scale", 1.0)
    for layer in range(case["layers"]):
        prefix = f"layers.{layer}."
        own = {name[len(prefix):]: value for name, value in w.items() if name.startswith(prefix)}
        rows = decoder_layer(own, rows, conditions, case, layer, mistake)
    hidden = norm(rows, w["norm.weight"])
    states = hidden[first:first + count]
    if len(states) < count:  # A mistake: the last row drafts nothing.
        states = torch.cat([states, hidden[-1:]])

    logits = functional.linear(states, head)
    if mistake == "cap first":
        logits = capped(logits, case) * case.get("multiplier", 1.0)
    else:
        logits = capped(logits * case.get("multiplier", 1.0), case)
    previous, memory, result = anchor, torch.zeros(case.get("rank", 0), dtype=torch.float64), []
    choices, gaps, confidences = [], [], []
    for row, state in zip(logits, states):
        before = previous
        if "kind" in case:
            bias, memory = markov(w, case["kind"], previous, state, memory, mistake)
            row = row + bias
        if "selector" in case:
            row, gap = select(w, case["selector"][1], previous, state, row, mistake)
            gaps.append(gap)
        best = torch.topk(row, 2)
        gaps.append(float(best.values[0] - best.values[1]))
        previous = int(best.indices[0])
        choices.append(previous)
        result.append([float(value) if torch.isfinite(value) else None for value in row])
        if "confidence" in case:
            seen = torch.cat([state, w["markov_head.markov_w1.weight"][before]])
            odds = w["confidence_head.proj.weight"][0] @ seen + w["confidence_head.proj.bias"][0]
            confidences.append(float(torch.sigmoid(odds)))
    extra = dict(confidences=numbers(confidences)) if confidences else {}
    return dict(
        context=context, count=count, anchor=anchor, minimum_gap=min(gaps), choices=choices,
        drafts=choices, hidden=numbers(hidden.numpy()),
        logits=[[None if value is None else numbers(value) for value in row] for row in result],
        **extra)


def capped(logits, case):
    return case["cap"] * torch.tanh(logits / case["cap"]) if "cap" in case else logits


def markov(w, kind, previous, state, memory, mistake):
    """The bias of a gated or recurrent head, and its memory for the next row."""
    token = w["markov_head.markov_w1.weight"][previous]
    project = w["markov_head.markov_w2.weight"]
    if mistake == "no mixing":
        return project @ token, memory
    parts = [state, token] if kind == "gated" else [memory, token, state]
    if mistake == "inputs swapped":
        parts.reverse()
    name = "markov_head.gate_proj." if kind == "gated" else "markov_head.joint_proj."
    mixed = w[name + "weight"] @ torch.cat(parts)
    if mistake != "no bias":
        mixed = mixed + w[name + "bias"]
    if kind == "gated":
        return project @ (torch.sigmoid(mixed) * token), memory
    gate, candidate, output = mixed.chunk(3)
    gate = torch.sigmoid(gate)
    memory = gate * memory + (1 - gate) * torch.tanh(candidate)
    return project @ torch.tanh(output), memory


def select(w, candidates, previous, state, row, mistake):
    """The row with scores for its candidates and nothing else, and how clear it is which they are."""
    prefix = "candidate_selector."
    before, after = w[prefix + "predecessor_codebook"], w[prefix + "successor_codebook"]
    if mistake == "codebooks swapped":
        before, after = after, before
    gate = w[prefix + "hidden_projection.weight"] @ state
    if mistake == "no gate":
        gate = torch.ones_like(gate)
    best = torch.topk(row, candidates + 1)
    gap = float(best.values[-2] - best.values[-1])
    kept = best.indices[:candidates]
    edges = after[kept] @ (before[previous] * gate)
    scores = torch.full_like(row, -torch.inf)
    scores[kept] = row[kept] + (0 if mistake == "no edges" else edges)
    return scores, gap


def decoder_layer(w, rows, conditions, case, layer, mistake):
    """A Qwen3 layer over the block's rows, keys and values of the context in front, convolutions around both parts."""
    context, block = len(conditions), len(rows)
    normed, kernel = convolve_in(w, "attention_conv", norm(rows, w["input_layernorm.weight"]), case, mistake)
    sources = torch.cat([conditions, normed])
    positions = torch.arange(context + block)
    if mistake == "early anchor":
        positions[context:] -= 1
    heads, groups, width = SHAPE["num_attention_heads"], SHAPE["num_key_value_heads"], SHAPE["head_dim"]
    theta = SHAPE["rope_theta"]
    queries = functional.linear(normed, w["self_attn.q_proj.weight"]).view(block, heads, width)
    keys = functional.linear(sources, w["self_attn.k_proj.weight"]).view(-1, groups, width)
    values = functional.linear(sources, w["self_attn.v_proj.weight"]).view(-1, groups, width)
    queries = rotate(norm(queries, w["self_attn.q_norm.weight"]), positions[context:], theta)
    keys = rotate(norm(keys, w["self_attn.k_norm.weight"]), positions, theta)
    keys = keys.repeat_interleave(heads // groups, dim=1)
    values = values.repeat_interleave(heads // groups, dim=1)
    mixed = functional.scaled_dot_product_attention(
        queries.transpose(0, 1), keys.transpose(0, 1), values.transpose(0, 1),
        attn_mask=visible(context, block, case, layer, mistake))
    mixed = functional.linear(mixed.transpose(0, 1).reshape(block, -1), w["self_attn.o_proj.weight"])
    rows = rows + convolve_out(w, "attention_conv", mixed, kernel, case, mistake)
    normed, kernel = convolve_in(
        w, "mlp_conv", norm(rows, w["post_attention_layernorm.weight"]), case, mistake)
    gate = functional.silu(functional.linear(normed, w["mlp.gate_proj.weight"]))
    mixed = functional.linear(
        gate * functional.linear(normed, w["mlp.up_proj.weight"]), w["mlp.down_proj.weight"])
    return rows + convolve_out(w, "mlp_conv", mixed, kernel, case, mistake)


def visible(context, block, case, layer, mistake):
    query = context + torch.arange(block)[:, None]
    key = torch.arange(context + block)[None, :]
    window = case.get("reach", [None] * case["layers"])[layer]
    is_causal = bool(case.get("causal")) if case.get("causal") is not None else window is not None
    if mistake == "causal block":
        is_causal = not is_causal
    mask = torch.ones(block, context + block, dtype=torch.bool)
    if is_causal:
        mask &= key <= query
    if window is not None and mistake != "no window":
        window += mistake == "wider window"
        mask &= (query - key < window) & (key - query < window)
    return mask


def convolve_in(w, part, normed, case, mistake):
    """The normed input, mixed, and the rows' own kernels for the output."""
    if "convolution" not in case:
        return normed, None
    taps, group = case["convolution"]
    groups = SHAPE["hidden_size"] // group
    own = functional.linear(normed, w[part + ".kernel_projection.weight"])
    if mistake == "no dynamic part":
        own = torch.zeros_like(own)
    if mistake == "taps and groups swapped":
        own = own.view(-1, 2, groups, taps).transpose(2, 3)
    else:
        own = own.view(-1, 2, taps, groups)
    sides = (1, 0) if mistake == "sides swapped" else (0, 1)
    base = w[part + ".base_kernel"]
    mixed = convolve(normed, own[:, sides[0]], base[sides[0]], group, mistake)
    return mixed, (own[:, sides[1]], base[sides[1]])


def convolve_out(w, part, mixed, kernel, case, mistake):
    if kernel is None or mistake == "one side":
        return mixed
    own, base = kernel
    if mistake == "kernel of the output":
        taps, group = case["convolution"]
        own = functional.linear(mixed, w[part + ".kernel_projection.weight"])
        own = own.view(-1, 2, taps, SHAPE["hidden_size"] // group)[:, 1]
    return convolve(mixed, own, base, case["convolution"][1], mistake)


def convolve(rows, own, base, group, mistake):
    """out[j] = Σ over taps t of (base[t] + own[j][t] of each group) · rows[j − t], zeros before the first."""
    result = torch.zeros_like(rows)
    for row in range(len(rows)):
        for tap in range(len(base)):
            if row < tap and mistake != "rows from the context":
                continue
            result[row] += (base[tap] + own[row, tap].repeat_interleave(group)) * rows[max(row - tap, 0)]
    return result


def norm(rows, weight):
    return functional.rms_norm(rows, weight.shape, weight, EPSILON)


def rotate(heads, positions, theta):
    """Half-split rotation of [rows, heads, width] at the given positions."""
    half = heads.shape[-1] // 2
    angles = torch.outer(
        positions.double(), theta ** (-torch.arange(half, dtype=torch.float64) / half))[:, None]
    first, second = heads.split(half, dim=-1)
    return torch.cat([
        first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def prove_sensitive(name, case, weights, inputs):
    """Each likely misreading must show in the logits of the first pass."""
    def table(mistake=None):
        rows = run(case, weights, inputs, *drafter.PASSES[0], mistake)["logits"]
        return torch.tensor([[-1e3 if value is None else value for value in row] for row in rows])

    right, shifts = table(), []
    largest = right[right > -1e3].abs().max()
    for mistake, needed in MISTAKES.items():
        if any(key not in case for key in needed):
            continue
        shifts.append(float((table(mistake) - right).abs().max() / largest))
        check(shifts[-1] > drafter.MINIMUM_SHIFT,
              f"drafter/{name}: '{mistake}' moves the logits by {shifts[-1]:.1e} only")
    return min(shifts)
