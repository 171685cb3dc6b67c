"""Tiny random causal models of every family, with transformers' logits, taps and greedy ids.

Each folder is what `save_pretrained` writes, plus `expected.json`. The forward pass is
transformers' own in float32 with eager attention. Greedy ids come from whole forward passes
without a cache; every argmax gap exceeds `MINIMUM_GAP`, thousands of times the rounding
differences of float32, so any correct implementation finds the same ids.
"""

import json
import os
import shutil
import tempfile
import warnings

import numpy as np
import torch
import transformers

from . import experts
from .common import ROOT, check, fresh_folder, numbers, random_weights, write_json

PROMPT_LENGTH = 24
GREEDY_LENGTH = 48
MINIMUM_GAP = 1e-2
MINIMUM_DISTINCT = 16
MINIMUM_SHIFT = 1e-2
TAP_ROWS = [0, 9, 23]
LOGIT_ROWS = [0, 1, 2, 3, 6, 7, 8, 9, 15, 16, 22, 23]

COMMON = dict(max_position_embeddings=256, rms_norm_eps=1e-2, bos_token_id=1, eos_token_id=2)

# name → (family, configuration, rope, options). A norm epsilon of 0.01 is far larger than the
# published ones so that a wrong or misplaced epsilon shows.
CASES = {
    "llama": ("llama", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2), dict(theta=1000.0), dict(seed=11)),
    "llama-sharded": ("llama", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2), dict(theta=1000.0),
        dict(seed=11, max_shard_size="30KB")),
    "llama-llama3": ("llama", dict(
        vocab_size=80, hidden_size=48, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=3, num_key_value_heads=1, tie_word_embeddings=True,
        eos_token_id=[2, 5]), dict(theta=10000.0, rope_type="llama3", factor=8.0,
        low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32),
        dict(seed=12)),
    "llama-linear": ("llama", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2), dict(theta=500000.0,
        rope_type="linear", factor=4.0), dict(seed=13)),
    "llama-bias": ("llama", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, attention_bias=True, mlp_bias=True),
        dict(theta=10000.0), dict(seed=14)),
    "llama-odd": ("llama", dict(
        vocab_size=67, hidden_size=36, intermediate_size=44, num_hidden_layers=2,
        num_attention_heads=3, num_key_value_heads=1), dict(theta=10000.0), dict(seed=15)),
    "llama-f16": ("llama", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2), dict(theta=10000.0),
        dict(seed=16, dtype="float16")),
    "mistral": ("mistral", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=1, sliding_window=8, head_dim=12),
        dict(theta=10000.0), dict(seed=21)),
    "qwen2": ("qwen2", dict(
        vocab_size=80, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True),
        dict(theta=1000000.0), dict(seed=31)),
    "qwen2-window": ("qwen2", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=3,
        num_attention_heads=2, num_key_value_heads=1, use_sliding_window=True,
        sliding_window=8, max_window_layers=1), dict(theta=10000.0), dict(seed=32)),
    "qwen3": ("qwen3", dict(
        vocab_size=80, hidden_size=40, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=3, num_key_value_heads=1, head_dim=16, tie_word_embeddings=True),
        dict(theta=1000000.0), dict(seed=41)),
    "qwen3-bias": ("qwen3", dict(
        vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=24, attention_bias=True),
        dict(theta=10000.0), dict(seed=42)),
    "qwen3-bf16": ("qwen3", dict(
        vocab_size=96, hidden_size=48, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=32, tie_word_embeddings=True),
        dict(theta=10000.0), dict(seed=43, dtype="bfloat16")),
    **experts.CASES,
}

CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
    **experts.CLASSES,
}

GAINS = {"lm_head": 4.0, "o_proj": 3.0, **experts.GAINS, "down_proj": 4.0}

IS_LEGACY = int(transformers.__version__.split(".")[0]) < 5


def make(names=CASES):
    """Writes models/NAME for every case, or for those given."""
    for name in names:
        check(not IS_LEGACY, "models need transformers 5, found " + transformers.__version__)
        for attempt in range(100):
            model = build(name, attempt)
            expected, margin = experts.smallest_margin(model, lambda: compute(name, model))
            if (expected["minimum_gap"] > MINIMUM_GAP and margin > experts.MINIMUM_MARGIN
                    and len(set(expected["greedy_ids"])) >= MINIMUM_DISTINCT):
                break
        else:
            check(False, f"{name}: no seed gives clear argmax gaps and varied text")
        options = CASES[name][3]
        shift = prove_sensitive(name, model, expected)
        folder = fresh_folder("models", name)
        model.to(getattr(torch, options.get("dtype", "float32"))).save_pretrained(
            folder, max_shard_size=options.get("max_shard_size", "1GB"))
        if options.get("experts") == "mxfp4":
            experts.store_mxfp4(folder, model)
        write_json(os.path.join(folder, "expected.json"), expected)
        print(f"models/{name}: attempt {attempt}, smallest gap {expected['minimum_gap']:.3f}, "
              f"{len(set(expected['greedy_ids']))} distinct greedy ids, smallest shift {shift:.2f}")


def make_legacy(names=CASES):
    """Run with transformers 4: adds config.v4.json to each folder and proves the logits equal.

    Most published checkpoints carry the older layout (`rope_theta`, `rope_scaling`,
    `torch_dtype` or `dtype`), which transformers 5 no longer writes.
    """
    check(IS_LEGACY, "legacy needs transformers 4, found " + transformers.__version__)
    for name in names:
        options = CASES[name][3]
        folder = os.path.join(ROOT, "models", name)
        with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
            expected = json.load(file)
        model_class, configuration = configure(name)
        configuration._attn_implementation = "eager"
        if options.get("experts") == "mxfp4":
            # The experts of gpt-oss as floats have been compared already.
            with tempfile.TemporaryDirectory() as scratch:
                model_class(configuration).to(torch.bfloat16).save_pretrained(scratch)
                shutil.copy(
                    os.path.join(scratch, "config.json"), os.path.join(folder, "config.v4.json"))
            experts.note_mxfp4(os.path.join(folder, "config.v4.json"))
            continue
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
            model = model_class.from_pretrained(folder, config=configuration, dtype=torch.float32)
            for module in model.modules():
                if hasattr(module, "limit"):  # transformers 4 ignores the setting of gpt-oss
                    module.limit = configuration.swiglu_limit
            logits, _ = forward(model, expected["input_ids"])
            reference = np.array(expected["logits"], dtype=np.float32)
            difference = np.abs(logits[LOGIT_ROWS] - reference).max() / np.abs(reference).max()
            check(difference < 1e-5, f"{name}: transformers 4 and 5 differ by {difference}")
            model.to(getattr(torch, options.get("dtype", "float32"))).save_pretrained(scratch)
            shutil.copy(os.path.join(scratch, "config.json"), os.path.join(folder, "config.v4.json"))
        print(f"models/{name}: config.v4.json, logits differ by {difference:.1e} of the largest")


def configure(name, override=None):
    """The model class and configuration of a case, for the transformers that is installed."""
    family, fields, rope, _ = CASES[name]
    config_class, model_class = CLASSES[family]
    override = dict(override or {})
    rope = {**rope, **override.pop("rope", {})}
    fields = {**fields, **override}
    theta = rope.pop("theta")
    if IS_LEGACY:
        rope_fields = dict(rope_theta=theta, rope_scaling=rope or None)
    else:
        rope_fields = dict(rope_parameters={"rope_type": "default", "rope_theta": theta, **rope})
    return model_class, config_class(**{**COMMON, **fields, **rope_fields})


def build(name, attempt):
    """A float32 model with seeded weights, rounded to the type it will be stored in."""
    _, _, _, options = CASES[name]
    model_class, configuration = configure(name)
    configuration._attn_implementation = "eager"
    model = model_class(configuration).eval().requires_grad_(False)
    parameters = dict(model.named_parameters())
    weights = random_weights(
        {key: tuple(value.shape) for key, value in parameters.items()},
        seed=1000 * attempt + options["seed"], gains=GAINS)
    for key, parameter in parameters.items():
        stored = torch.from_numpy(weights[key]).to(getattr(torch, options.get("dtype", "float32")))
        parameter.copy_(stored.float())
    if options.get("experts") == "mxfp4":
        experts.round_experts(model)
    return model


def forward(model, ids):
    """Logits [rows, vocabulary] and the outputs of all decoder layers [layers, rows, hidden]."""
    taps = []
    hooks = [
        layer.register_forward_hook(
            lambda module, inputs, output: taps.append(
                (output[0] if isinstance(output, tuple) else output).reshape(len(ids), -1)))
        for layer in model.model.layers
    ]
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return logits.numpy(), torch.stack(taps).numpy()


def compute(name, model):
    """The content of expected.json."""
    seed = CASES[name][3]["seed"]
    random = np.random.Generator(np.random.PCG64(seed))
    ids = random.integers(3, model.config.vocab_size, PROMPT_LENGTH).tolist()
    logits, taps = forward(model, ids)
    sequence, gaps = list(ids), []
    for _ in range(GREEDY_LENGTH):
        last = forward(model, sequence)[0][-1]
        order = np.argsort(-last)
        gaps.append(float(last[order[0]] - last[order[1]]))
        sequence.append(int(order[0]))
    return dict(
        input_ids=ids,
        greedy_ids=sequence[len(ids):],
        minimum_gap=min(gaps),
        tap_rows=TAP_ROWS,
        taps=[numbers(layer[TAP_ROWS].reshape(-1)) for layer in taps],
        logit_rows=LOGIT_ROWS,
        logits=numbers(logits[LOGIT_ROWS]))


def prove_sensitive(name, model, expected):
    """Each feature of the case must show: the model without it has to give other logits.

    A fixture whose logits survive, say, a window one too wide would prove nothing about windows.
    """
    reference = np.array(expected["logits"], dtype=np.float32)
    _, fields, rope, _ = CASES[name]
    changes = dict(epsilon=dict(rms_norm_eps=1e-6), theta=dict(rope=dict(theta=rope["theta"] * 2)))
    if "rope_type" in rope:
        changes["no rope scaling"] = dict(rope=dict(rope_type="default"))
    if "sliding_window" in fields:
        changes["window + 1"] = dict(sliding_window=fields["sliding_window"] + 1)
        changes["window - 1"] = dict(sliding_window=fields["sliding_window"] - 1)
    if "max_window_layers" in fields:
        changes["first window layer"] = dict(max_window_layers=fields["max_window_layers"] + 1)
    changes.update(experts.changes(fields))
    state = model.state_dict()
    variants = []
    for change, override in changes.items():
        model_class, configuration = configure(name, override)
        configuration._attn_implementation = "eager"
        other = model_class(configuration).eval()
        other.load_state_dict(state)
        variants.append((change, other))
    for kind, neutral in [("bias", 0.0), ("q_norm", 1.0), ("k_norm", 1.0), ("sinks", -100.0),
                          ("shared_expert", 0.0)]:
        if any(kind in key for key in state):
            other = model_class(configure(name)[1]).eval()
            other.load_state_dict({
                key: torch.full_like(value, neutral) if kind in key else value
                for key, value in state.items()})
            variants.append((f"neutral {kind}", other))
    smallest = float("inf")
    for change, other in variants:
        logits, _ = forward(other, expected["input_ids"])
        shift = np.abs(logits[LOGIT_ROWS] - reference).max() / np.abs(reference).max()
        check(shift > MINIMUM_SHIFT, f"{name}: '{change}' moves the logits by {shift:.1e} only")
        smallest = min(smallest, shift)
    return smallest
