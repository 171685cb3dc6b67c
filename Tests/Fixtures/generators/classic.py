"""Tiny random models of the families with LayerNorm, plain feed-forward parts, parallel layers, learned
positions and fused tensors, as generators/models.py makes them of Llama's kin.

Each folder is what `save_pretrained` writes, plus `expected.json` and the configuration in the layout of
transformers 4. A case is refused if one of its features doesn't show in the logits.
"""

import copy
import json
import os
import shutil
import tempfile
import warnings

import numpy as np
import torch
import transformers

from . import models
from .common import ROOT, check, fresh_folder, numbers, write_json

# name → the class of the model without "ForCausalLM" or "LMHeadModel", its settings, those of its rope
# (share is what transformers 4 calls its part), the seed, and changes that must show.
SIZES = dict(vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
             num_attention_heads=4, max_position_embeddings=256, bos_token_id=1, eos_token_id=2)
CASES = {
    "gpt2": dict(
        model="GPT2", seed=51,
        fields=dict(
            vocab_size=72, n_embd=32, n_inner=48, n_layer=2, n_head=4, n_positions=75,
            layer_norm_epsilon=1e-2, bos_token_id=1, eos_token_id=2),
        changes=dict(epsilon=dict(layer_norm_epsilon=1e-6))),
    "gpt2-relu": dict(
        model="GPT2", seed=52, dtype="bfloat16",
        fields=dict(
            vocab_size=70, n_embd=24, n_layer=2, n_head=2, n_positions=96, activation_function="relu",
            layer_norm_epsilon=1e-2, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False),
        changes=dict(activation=dict(activation_function="gelu_new"))),
    "gptneox": dict(
        model="GPTNeoX", seed=53, rope=dict(theta=1000.0, share=0.5),
        fields=dict(SIZES, layer_norm_eps=1e-2, hidden_act="gelu"),
        changes=dict(
            epsilon=dict(layer_norm_eps=1e-6), sequential=dict(use_parallel_residual=False),
            theta=dict(rope=dict(theta=2000.0)), share=dict(rope=dict(share=1.0)))),
    "gptneox-sequential": dict(
        model="GPTNeoX", seed=54, rope=dict(theta=10000.0, share=0.25),
        fields=dict(
            SIZES, layer_norm_eps=1e-2, hidden_act="gelu_fast", use_parallel_residual=False,
            attention_bias=False, tie_word_embeddings=True),
        changes=dict(parallel=dict(use_parallel_residual=True))),
    "starcoder2": dict(
        model="Starcoder2", seed=55, rope=dict(theta=1000.0),
        fields=dict(SIZES, norm_epsilon=1e-2, num_key_value_heads=2, sliding_window=8),
        changes=dict(
            epsilon=dict(norm_epsilon=1e-6), wider=dict(sliding_window=9),
            narrower=dict(sliding_window=7), theta=dict(rope=dict(theta=2000.0)))),
    "starcoder2-nobias": dict(
        model="Starcoder2", seed=56, rope=dict(theta=10000.0),
        fields=dict(
            SIZES, norm_epsilon=1e-2, num_key_value_heads=1, use_bias=False,
            tie_word_embeddings=False),
        changes=dict(epsilon=dict(norm_epsilon=1e-6))),
    "phi": dict(
        model="Phi", seed=57, rope=dict(theta=1000.0, share=0.5),
        fields=dict(SIZES, layer_norm_eps=1e-2),
        changes=dict(
            epsilon=dict(layer_norm_eps=1e-6), share=dict(rope=dict(share=1.0)),
            theta=dict(rope=dict(theta=2000.0)))),
    "phi-norms": dict(
        model="Phi", seed=58, rope=dict(theta=10000.0, share=0.25),
        fields=dict(SIZES, layer_norm_eps=1e-2, num_key_value_heads=2, qk_layernorm=True),
        changes=dict(epsilon=dict(layer_norm_eps=1e-6))),
    "phi3": dict(
        model="Phi3", seed=59, rope=dict(theta=1000.0, share=0.5),
        fields=dict(
            SIZES, rms_norm_eps=1e-2, num_key_value_heads=2, sliding_window=8, pad_token_id=0),
        changes=dict(
            epsilon=dict(rms_norm_eps=1e-6), share=dict(rope=dict(share=1.0)),
            wider=dict(sliding_window=9), narrower=dict(sliding_window=7))),
    "phi3-tied": dict(
        model="Phi3", seed=60, rope=dict(theta=10000.0),
        fields=dict(
            SIZES, rms_norm_eps=1e-2, num_key_value_heads=1, tie_word_embeddings=True,
            pad_token_id=0),
        changes=dict(epsilon=dict(rms_norm_eps=1e-6))),
    "cohere": dict(
        model="Cohere", seed=61, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, layer_norm_eps=1e-2, num_key_value_heads=2, logit_scale=0.25, use_qk_norm=True),
        changes=dict(
            epsilon=dict(layer_norm_eps=1e-6), scale=dict(logit_scale=1.0),
            theta=dict(rope=dict(theta=2000.0)))),
    "cohere-bias": dict(
        model="Cohere", seed=62, rope=dict(theta=10000.0),
        fields=dict(
            SIZES, layer_norm_eps=1e-2, logit_scale=0.5, attention_bias=True,
            tie_word_embeddings=False),
        changes=dict(scale=dict(logit_scale=1.0))),
    "cohere2": dict(
        model="Cohere2", seed=63, rope=dict(theta=1000.0),
        fields=dict(
            SIZES, num_hidden_layers=4, layer_norm_eps=1e-2, num_key_value_heads=2, logit_scale=0.25,
            sliding_window=8),
        changes=dict(
            epsilon=dict(layer_norm_eps=1e-6), wider=dict(sliding_window=9),
            narrower=dict(sliding_window=7), theta=dict(rope=dict(theta=2000.0)),
            types=dict(layer_types=["full_attention"] + ["sliding_attention"] * 3))),
    "olmo": dict(
        model="Olmo", seed=64, rope=dict(theta=1000.0),
        fields=dict(SIZES, num_key_value_heads=2),
        changes=dict(theta=dict(rope=dict(theta=2000.0)))),
    "olmo-clip": dict(
        model="Olmo", seed=68, rope=dict(theta=10000.0),
        fields=dict(SIZES, clip_qkv=1.5, tie_word_embeddings=True),
        changes=dict(clip=dict(clip_qkv=None))),
    "stablelm": dict(
        model="StableLm", seed=65, rope=dict(theta=1000.0, share=0.25),
        fields=dict(
            SIZES, num_key_value_heads=2, layer_norm_eps=1e-2, use_qkv_bias=True),
        changes=dict(
            epsilon=dict(layer_norm_eps=1e-6), parallel=dict(use_parallel_residual=True))),
    "stablelm-parallel": dict(
        model="StableLm", seed=66, rope=dict(theta=10000.0, share=0.5),
        fields=dict(
            SIZES, num_key_value_heads=4, layer_norm_eps=1e-2, use_parallel_residual=True,
            tie_word_embeddings=True),
        changes=dict(sequential=dict(use_parallel_residual=False))),
    "nemotron": dict(
        model="Nemotron", seed=67, rope=dict(theta=1000.0, share=0.5),
        fields=dict(SIZES, num_key_value_heads=2, norm_eps=1e-2, pad_token_id=0, head_dim=8),
        changes=dict(epsilon=dict(norm_eps=1e-6), activation=dict(hidden_act="relu"))),
}

GAINS = {"lm_head": 5.0, "embed_out": 5.0, "q_proj": 2.0, "k_proj": 2.0, "query_key": 2.0, "c_attn": 2.0,
         "o_proj": 3.0, "c_proj": 3.0, "dense": 3.0, "c_fc": 2.0, "fc1": 2.0, "h_to_4h": 2.0, "up": 2.0,
         "down": 3.0, "fc2": 3.0, "4h_to_h": 3.0}


def make(names=tuple(CASES)):
    """Writes models/NAME for every case."""
    check(not models.IS_LEGACY, "models need transformers 5, found " + transformers.__version__)
    for name in names:
        case = CASES[name]
        for attempt in range(300):
            model = build(name, attempt)
            expected = compute(name, model)
            if (expected["minimum_gap"] > models.MINIMUM_GAP
                    and len(set(expected["greedy_ids"])) >= models.MINIMUM_DISTINCT):
                break
        else:
            check(False, f"{name}: no seed gives clear argmax gaps and varied text")
        shift = prove_sensitive(name, model, expected)
        folder = fresh_folder("models", name)
        model.to(getattr(torch, case.get("dtype", "float32"))).save_pretrained(folder)
        write_json(os.path.join(folder, "expected.json"), expected)
        print(f"models/{name}: attempt {attempt}, smallest gap {expected['minimum_gap']:.3f}, "
              f"{len(set(expected['greedy_ids']))} distinct greedy ids, smallest shift {shift:.2f}")


def make_legacy(names=tuple(CASES)):
    """Run with transformers 4: adds config.v4.json to each folder and proves the logits equal."""
    check(models.IS_LEGACY, "legacy needs transformers 4, found " + transformers.__version__)
    for name in names:
        case = CASES[name]
        folder = os.path.join(ROOT, "models", name)
        with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
            expected = json.load(file)
        model_class, configuration = configure(name)
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
            model = model_class.from_pretrained(folder, config=configuration, dtype=torch.float32)
            logits, _ = forward(model.eval(), expected["input_ids"])
            reference = np.array(expected["logits"], dtype=np.float32)
            difference = np.abs(logits[models.LOGIT_ROWS] - reference).max() / np.abs(reference).max()
            check(difference < 1e-5, f"{name}: transformers 4 and 5 differ by {difference}")
            model.to(getattr(torch, case.get("dtype", "float32"))).save_pretrained(scratch)
            shutil.copy(os.path.join(scratch, "config.json"), os.path.join(folder, "config.v4.json"))
        print(f"models/{name}: config.v4.json, logits differ by {difference:.1e} of the largest")


def configure(name, override=None):
    """The model class and configuration of a case, for the transformers that is installed."""
    case = CASES[name]
    override = dict(override or {})
    rope = {**case.get("rope", {}), **override.pop("rope", {})}
    fields = {**case["fields"], **override}
    if rope and models.IS_LEGACY:
        neox = case["model"] == "GPTNeoX"
        fields["rotary_emb_base" if neox else "rope_theta"] = rope["theta"]
        if "share" in rope:
            fields["rotary_pct" if neox else "partial_rotary_factor"] = rope["share"]
        scaling = {key: value for key, value in rope.items() if key not in ("theta", "share")}
        if scaling:
            fields["rope_scaling"] = scaling
        fields.update(case.get("legacy", {}))
    elif "nested" in case:
        fields["rope_parameters"] = copy.deepcopy(case["nested"])
    elif rope:
        fields["rope_parameters"] = {"rope_type": "default", "rope_theta": rope.pop("theta")}
        if "share" in rope:
            fields["rope_parameters"]["partial_rotary_factor"] = rope.pop("share")
        fields["rope_parameters"].update(rope)
    kind = case["model"]
    name = kind + ("LMHeadModel" if kind == "GPT2" else "ForCausalLM")
    model_class = getattr(transformers, case.get("model_class", name))
    if "text" in case:
        fields["text_config"] = {**case["text"], **fields.pop("text", {})}
    configuration = getattr(transformers, case.get("config", kind + "Config"))(**fields)
    configuration._attn_implementation = "eager"
    return model_class, configuration


def build(name, attempt):
    """A float32 model with seeded weights, rounded to the type it will be stored in."""
    case = CASES[name]
    model_class, configuration = configure(name)
    model = model_class(configuration).eval().requires_grad_(False)
    random = np.random.Generator(np.random.PCG64(1000 * attempt + case["seed"]))
    for key, parameter in sorted(model.named_parameters()):
        values = weights(key, tuple(parameter.shape), random, case["model"])
        stored = torch.from_numpy(values.astype(np.float32))
        parameter.copy_(stored.to(getattr(torch, case.get("dtype", "float32"))).float())
    return model


def weights(name, shape, random, model):
    """Random values: small biases, wide embeddings, norms around 1, matrices gain/√inputs."""
    if name.endswith("bias"):
        return 0.1 * random.standard_normal(shape)
    if "norm" in name or "ln_" in name:
        return random.uniform(0.4, 1.6, shape) - (1 if model.startswith(("Nemotron", "Gemma")) else 0)
    if "embed_tokens" in name or "embed_in" in name or "wte" in name or "wpe" in name:
        return 0.4 * random.standard_normal(shape)
    gain = next((gain for part, gain in reversed(GAINS.items()) if part in name), 1.0)
    inputs = shape[0] if model == "GPT2" and "lm_head" not in name else shape[1]
    return gain * random.standard_normal(shape) / np.sqrt(inputs)


def layers(model):
    """The decoder layers."""
    base = getattr(getattr(model, "model", None), "language_model", None) or model.base_model
    base = base if hasattr(base, "h") or hasattr(base, "layers") else base.model
    return base.h if hasattr(base, "h") else base.layers


def forward(model, ids):
    """Logits [rows, vocabulary] and the outputs of all decoder layers [layers, rows, hidden]."""
    taps = []
    hooks = [
        layer.register_forward_hook(
            lambda module, inputs, output: taps.append(
                (output[0] if isinstance(output, tuple) else output).reshape(len(ids), -1)))
        for layer in layers(model)
    ]
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return logits.numpy(), torch.stack(taps).numpy()


def compute(name, model):
    """The content of expected.json."""
    random = np.random.Generator(np.random.PCG64(CASES[name]["seed"]))
    ids = random.integers(3, model.config.get_text_config().vocab_size, models.PROMPT_LENGTH).tolist()
    logits, taps = forward(model, ids)
    sequence, gaps = list(ids), []
    for _ in range(models.GREEDY_LENGTH):
        last = forward(model, sequence)[0][-1]
        order = np.argsort(-last)
        gaps.append(float(last[order[0]] - last[order[1]]))
        sequence.append(int(order[0]))
    return dict(
        input_ids=ids, greedy_ids=sequence[len(ids):], minimum_gap=min(gaps),
        tap_rows=models.TAP_ROWS,
        taps=[numbers(layer[models.TAP_ROWS].reshape(-1)) for layer in taps],
        logit_rows=models.LOGIT_ROWS, logits=numbers(logits[models.LOGIT_ROWS]))


def prove_sensitive(name, model, expected):
    """Each feature of the case must show: the model without it has to give other logits."""
    reference = np.array(expected["logits"], dtype=np.float32)
    case = CASES[name]
    state = model.state_dict()
    variants = [(change, configure(name, override), state)
                for change, override in case["changes"].items()]
    kinds = [".bias", "wpe", "q_norm", "k_norm", "q_layernorm", "k_layernorm"]
    for kind in kinds:
        keys = [key for key in state if kind in key and "vision" not in key]
        if not keys:
            continue
        neutral = 1.0 if "norm" in kind else 0.0
        changed = {key: torch.full_like(value, neutral) if key in keys else value
                   for key, value in state.items()}
        variants.append((f"neutral {kind}", configure(name), changed))
    smallest = float("inf")
    for change, (model_class, configuration), values in variants:
        other = model_class(configuration).eval()
        missing, unexpected = other.load_state_dict(values, strict=False)
        # A part that the change adds or takes away.
        del missing, unexpected
        logits, _ = forward(other, expected["input_ids"])
        shift = np.abs(logits[models.LOGIT_ROWS] - reference).max() / np.abs(reference).max()
        check(shift > models.MINIMUM_SHIFT, f"{name}: '{change}' moves the logits by {shift:.1e} only")
        smallest = min(smallest, shift)
    return smallest
