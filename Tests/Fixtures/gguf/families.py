#!/usr/bin/env python3
"""Makes GGUF twins of fixtures of Tests/Fixtures/models, as llama.cpp's converter writes them.

    python3 -m venv /tmp/venv-gguf
    /tmp/venv-gguf/bin/pip install gguf==0.19.0 numpy safetensors torch
    /tmp/venv-gguf/bin/python Tests/Fixtures/gguf/families.py

The names of tensors are those of the package gguf, llama.cpp's own for Python; rows are transposed, taken
apart or put in pairs as the converter does it. Where the converter leaves out a setting because all
published models have the same one (the base of rotary angles, windows of StarCoder 2), it is written, as
the fixtures have others.
"""

import json
import math
import os

import gguf
import numpy as np
import torch
from gguf import MODEL_ARCH as A
from safetensors.torch import load_file

import experts

ROOT = os.path.dirname(os.path.abspath(__file__))
CASES = {
    "gpt2": A.GPT2, "gptneox": A.GPTNEOX, "starcoder2": A.STARCODER2,
    "phi": A.PHI2, "phi3": A.PHI3, "cohere": A.COMMAND_R, "cohere2": A.COHERE2, "olmo": A.OLMO, "olmo-clip": A.OLMO,
    "stablelm": A.STABLELM, "nemotron": A.NEMOTRON, "llama-yarn": A.LLAMA, "phi3-longrope": A.PHI3,
    "gemma": A.GEMMA, "gemma2-head": A.GEMMA2, "gemma3": A.GEMMA3, "smollm3": A.SMOLLM3,
    "olmo2": A.OLMO2, "olmo3": A.OLMO2, "granite": A.GRANITE, "granite-bias": A.GRANITE,
    "glm": A.CHATGLM, "glm4": A.GLM4, "ernie": A.ERNIE4_5, "seed-oss": A.SEED_OSS,
    "seed-oss-output": A.SEED_OSS, "exaone4": A.EXAONE4, "exaone4-whole": A.EXAONE4,
    **experts.CASES}
# As the converter of Llama puts the rows of heads in pairs.
PAIRED = (A.OLMO, A.LLAMA, A.SMOLLM3, A.GRANITE, A.GRANITE_MOE)


def pairs(values, heads):
    """Rows of heads as pairs that are rotated together."""
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def converted(name, values, arch, config, heads, kv_heads):
    if arch == A.GPT2 and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
        return values.T
    if arch == A.GPTNEOX and "query_key_value" in name:
        parts = values.reshape(heads, 3, -1, *values.shape[1:])
        return np.concatenate([parts[:, i].reshape(-1, *values.shape[1:]) for i in range(3)])
    if arch in PAIRED and "q_proj" in name:
        return pairs(values, heads)
    if arch in PAIRED and "k_proj" in name:
        return pairs(values, kv_heads)
    if arch in (A.NEMOTRON, A.GEMMA, A.GEMMA2, A.GEMMA3) and name.endswith("norm.weight"):
        return values + 1
    return values


def add_settings(writer, arch, config):
    def first(*keys):
        return next((config[key] for key in keys if config.get(key) is not None), None)

    hidden = first("hidden_size", "n_embd")
    heads = first("num_attention_heads", "n_head")
    rope = config.get("rope_parameters") or {}
    writer.add_context_length(first("max_position_embeddings", "n_positions"))
    writer.add_embedding_length(hidden)
    writer.add_block_count(first("num_hidden_layers", "n_layer"))
    writer.add_feed_forward_length(first("intermediate_size", "n_inner") or 4 * hidden)
    writer.add_head_count(heads)
    if "num_key_value_heads" in config:
        writer.add_head_count_kv(config["num_key_value_heads"])
    if "rms_norm_eps" in config:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    else:
        writer.add_layer_norm_eps(
            first("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps") or 1e-5)
    rope = rope.get("full_attention", rope)
    if rope:
        writer.add_rope_freq_base(rope["rope_theta"])
    add_scaling(writer, rope, config)
    share = rope.get("partial_rotary_factor")
    if share is not None or arch in (A.PHI3, A.COHERE2):
        writer.add_rope_dimension_count(int((share or 1) * (hidden // heads)))
    if arch in (A.COMMAND_R, A.COHERE2):
        writer.add_logit_scale(config["logit_scale"])
        writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    if arch in (A.GPTNEOX, A.STABLELM):
        writer.add_parallel_residual(config["use_parallel_residual"])
    if arch in (A.GEMMA2, A.GEMMA3, A.OLMO2, A.EXAONE4) and config.get("sliding_window"):
        writer.add_sliding_window(config["sliding_window"])
    if arch == A.EXAONE4 and config.get("sliding_window"):
        writer.add_sliding_window_pattern(
            [kind == "sliding_attention" for kind in config["layer_types"]])
    if arch == A.GEMMA2:
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if arch == A.GRANITE:
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])
    if arch in (A.PHI3, A.COHERE2, A.STARCODER2):
        writer.add_sliding_window(config.get("sliding_window") or 0)
    if arch == A.PHI3:
        writer.add_rope_scaling_orig_ctx_len(config["original_max_position_embeddings"])
    if config.get("clip_qkv") is not None:
        writer.add_clamp_kqv(config["clip_qkv"])
    if arch == A.COHERE2:
        writer.add_vocab_size(config["vocab_size"])
    if "num_experts_per_tok" in config:
        experts.add_settings(writer, arch, config)
    if config.get("head_dim"):
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    return heads, config.get("num_key_value_heads") or heads


def add_tensor(writer, name, values):
    """Matrices keep their type; vectors and routers are f32, as the converter writes them."""
    values = np.ascontiguousarray(values)
    if values.dtype == np.uint16 and (values.ndim == 1 or "gate_inp" in name or "bias" in name):
        values = (values.astype(np.uint32) << 16).view(np.float32)
    types = {np.dtype(np.uint16): gguf.GGMLQuantizationType.BF16,
             np.dtype(np.uint8): gguf.GGMLQuantizationType.MXFP4}
    if values.dtype in types:
        writer.add_tensor(name, values.view(np.uint8), raw_dtype=types[values.dtype])
    else:
        writer.add_tensor(name, values.astype(np.float32))


def add_scaling(writer, rope, config):
    """Settings of stretched frequencies."""
    kind = rope.get("rope_type", "default")
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if kind == "longrope":
        original = config["original_max_position_embeddings"]
        scale = config["max_position_embeddings"] / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(original)))
        for length in ("short", "long"):
            writer.add_tensor(
                f"rope_factors_{length}.weight", np.array(rope[f"{length}_factor"], dtype=np.float32))


def make(name, arch):
    folder = os.path.join(ROOT, os.pardir, "models", name)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    os.makedirs(os.path.join(ROOT, "models"), exist_ok=True)
    writer = gguf.GGUFWriter(
        os.path.join(ROOT, "models", name + ".gguf"), gguf.MODEL_ARCH_NAMES[arch])
    heads, kv_heads = add_settings(writer, arch, config)
    if arch == A.GEMMA3 and "sliding_attention" in config["rope_parameters"]:
        writer.add_float32(
            "gemma3.rope.freq_base_swa", config["rope_parameters"]["sliding_attention"]["rope_theta"])
    layers = config.get("num_hidden_layers") or config["n_layer"]
    names = gguf.get_tensor_name_map(arch, layers)
    # A type for bf16 is what NumPy lacks; it is taken as its bits.
    tensors = {
        key: values.view(torch.uint16).numpy() if values.dtype == torch.bfloat16 else values.numpy()
        for key, values in sorted(load_file(os.path.join(folder, "model.safetensors")).items())}
    taken = experts.take(tensors, config, arch) if name in experts.CASES else {}
    for key, values in tensors.items():
        if key == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue
        new = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if new is None and key == "lm_head.weight":
            # Published models of the family are tied, this fixture is not.
            new = "output.weight"
        if new is None:
            raise SystemExit(f"families: gguf has no name for {key} of {name}")
        taken[new] = converted(key, values, arch, config, heads, kv_heads)
    for new, values in taken.items():
        add_tensor(writer, new, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


for case, architecture in CASES.items():
    make(case, architecture)
