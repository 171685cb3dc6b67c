"""Cases of models.py with mixtures of experts, and what belongs to them alone.

A router's choice is a step: a case is refused if anywhere the last expert chosen and the first one
that is not are closer than `MINIMUM_MARGIN`, so that rounding cannot change a choice.
"""

import json
import os

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

MINIMUM_MARGIN = 1e-3

SMALL = dict(
    vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2)

# name → (family, configuration, rope, options), as in models.py
CASES = {
    "mixtral": ("mixtral", dict(
        SMALL, intermediate_size=20, num_local_experts=5, num_experts_per_tok=2,
        sliding_window=8, head_dim=12), dict(theta=1000000.0), dict(seed=51)),
    "qwen2-moe": ("qwen2_moe", dict(
        SMALL, num_hidden_layers=3, intermediate_size=36, moe_intermediate_size=20,
        shared_expert_intermediate_size=28, num_experts=6, num_experts_per_tok=3,
        norm_topk_prob=False, mlp_only_layers=[1]), dict(theta=10000.0), dict(seed=52)),
    "qwen3-moe": ("qwen3_moe", dict(
        SMALL, num_hidden_layers=4, intermediate_size=36, moe_intermediate_size=16,
        num_experts=8, num_experts_per_tok=3, norm_topk_prob=True, decoder_sparse_step=2,
        head_dim=16, attention_bias=True), dict(theta=1000000.0), dict(seed=53)),
    "olmoe": ("olmoe", dict(
        SMALL, intermediate_size=20, num_experts=6, num_experts_per_tok=2,
        norm_topk_prob=False), dict(theta=10000.0), dict(seed=54)),
    "olmoe-normalized": ("olmoe", dict(
        SMALL, intermediate_size=24, num_experts=7, num_experts_per_tok=4, norm_topk_prob=True,
        clip_qkv=1.1, tie_word_embeddings=True), dict(theta=10000.0), dict(seed=55)),
    "granite-moe": ("granitemoe", dict(
        SMALL, intermediate_size=20, num_local_experts=6, num_experts_per_tok=2,
        attention_multiplier=0.2, embedding_multiplier=3.0, residual_multiplier=0.6,
        logits_scaling=0.5), dict(theta=10000.0), dict(seed=56)),
    "gpt-oss": ("gpt_oss", dict(
        SMALL, num_hidden_layers=3, intermediate_size=24, num_local_experts=6,
        num_experts_per_tok=3, head_dim=16, sliding_window=8, swiglu_limit=1.5),
        dict(theta=1500.0, rope_type="yarn", factor=8.0, beta_fast=32.0, beta_slow=1.0,
             truncate=False, original_max_position_embeddings=32), dict(seed=57)),
    "gpt-oss-mxfp4": ("gpt_oss", dict(
        SMALL, hidden_size=64, intermediate_size=32, num_local_experts=4,
        num_experts_per_tok=2, head_dim=16, sliding_window=8),
        dict(theta=150000.0, rope_type="yarn", factor=4.0, beta_fast=32.0, beta_slow=1.0,
             truncate=False, original_max_position_embeddings=64),
        dict(seed=58, experts="mxfp4", dtype="bfloat16")),
}

CLASSES = {
    "mixtral": (transformers.MixtralConfig, transformers.MixtralForCausalLM),
    "qwen2_moe": (transformers.Qwen2MoeConfig, transformers.Qwen2MoeForCausalLM),
    "qwen3_moe": (transformers.Qwen3MoeConfig, transformers.Qwen3MoeForCausalLM),
    "olmoe": (transformers.OlmoeConfig, transformers.OlmoeForCausalLM),
    "granitemoe": (transformers.GraniteMoeConfig, transformers.GraniteMoeForCausalLM),
    "gpt_oss": (transformers.GptOssConfig, transformers.GptOssForCausalLM),
}

GAINS = {"sinks": 2.0, "router": 3.0, "gate.weight": 3.0, "experts": 2.0}


def changes(fields):
    """Settings whose change must move the logits, for `prove_sensitive`."""
    found = {}
    if "norm_topk_prob" in fields:
        found["norm_topk_prob"] = dict(norm_topk_prob=not fields["norm_topk_prob"])
    if "num_experts_per_tok" in fields:
        found["one expert less"] = dict(num_experts_per_tok=fields["num_experts_per_tok"] - 1)
    if "swiglu_limit" in fields:
        found["a wider gate"] = dict(swiglu_limit=fields["swiglu_limit"] * 2)
    if "clip_qkv" in fields:
        found["no clipping"] = dict(clip_qkv=None)
    for key in ["attention_multiplier", "embedding_multiplier", "residual_multiplier",
                "logits_scaling"]:
        if key in fields:
            found[key] = {key: fields[key] * 1.1}
    return found


def smallest_margin(model, run):
    """The least distance between a chosen router logit and one that is not, while `run` runs."""
    margins = []

    def look(module, inputs, output):
        logits = output[0].detach().float()
        if logits.shape[-1] > module.top_k:
            best = logits.sort(dim=-1, descending=True).values
            margins.append(float((best[..., module.top_k - 1] - best[..., module.top_k]).min()))

    hooks = [
        module.register_forward_hook(look) for module in model.modules()
        if type(module).__name__.endswith("TopKRouter")]
    result = run()
    for hook in hooks:
        hook.remove()
    return result, min(margins, default=float("inf"))


FP4 = np.array([0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32)


def mxfp4(values):
    """Blocks [..., columns / 32, 16] of two codes a byte, the first in its low half, and the scales
    [..., columns / 32] of values [..., columns], as OpenAI publishes experts."""
    groups = values.reshape(*values.shape[:-1], -1, 32)
    largest = np.abs(groups).max(axis=-1)
    exponents = np.floor(np.log2(np.maximum(largest, 1e-30))).astype(np.int32) - 2
    scaled = groups / np.exp2(exponents)[..., None].astype(np.float32)
    codes = np.abs(scaled[..., None] - FP4).argmin(axis=-1).astype(np.uint8)
    blocks = codes[..., 0::2] | codes[..., 1::2] << 4
    return blocks, (exponents + 127).astype(np.uint8)


def mxfp4_values(blocks, scales):
    """The f32 values of such blocks."""
    codes = np.stack([blocks & 15, blocks >> 4], axis=-1)
    values = FP4[codes] * np.exp2(scales.astype(np.int32) - 127)[..., None, None].astype(np.float32)
    return values.reshape(*scales.shape[:-1], -1)


def round_experts(model):
    """Rounds the experts of a gpt-oss model to what MXFP4 holds; returns the tensors of a file."""
    stored = {}
    for name, parameter in model.named_parameters():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            continue
        # A file holds [experts][out][in]; the model [experts][in][out].
        blocks, scales = mxfp4(parameter.float().numpy().transpose(0, 2, 1))
        parameter.copy_(torch.from_numpy(mxfp4_values(blocks, scales).transpose(0, 2, 1).copy()))
        stored[name] = (blocks, scales)
    return stored


def store_mxfp4(folder, model):
    """Replaces the experts of a folder that was just saved by blocks and scales."""
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    for name, (blocks, scales) in round_experts(model).items():
        del tensors[name]
        tensors[name + "_blocks"] = torch.from_numpy(np.ascontiguousarray(blocks))
        tensors[name + "_scales"] = torch.from_numpy(np.ascontiguousarray(scales))
    save_file(tensors, path, metadata={"format": "pt"})
    note_mxfp4(os.path.join(folder, "config.json"))


def note_mxfp4(path):
    """Adds to a config.json what published ones say about such experts."""
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    config["quantization_config"] = dict(
        modules_to_not_convert=[
            "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
        quant_method="mxfp4")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(sorted(config.items())), file, indent=2)
        file.write("\n")
