"""Tensors and settings of mixtures of experts as GGUF files have them; see families.py."""

import numpy as np
from gguf import MODEL_ARCH as A

CASES = {
    "mixtral": A.LLAMA, "qwen2-moe": A.QWEN2MOE, "qwen3-moe": A.QWEN3MOE, "olmoe": A.OLMOE,
    "olmoe-normalized": A.OLMOE, "granite-moe": A.GRANITE_MOE, "gpt-oss-mxfp4": A.GPT_OSS}
# Not gpt-oss, whose gates are clamped otherwise than llama.cpp always clamps them.

# Where each expert is a tensor: Mixtral's names and Qwen's.
PARTS = {"w1": "gate", "w3": "up", "w2": "down", "gate_proj": "gate", "up_proj": "up",
         "down_proj": "down"}
NAMES = {
    "block_sparse_moe.gate.weight": "ffn_gate_inp.weight",
    "block_sparse_moe.router.layer.weight": "ffn_gate_inp.weight",
    "mlp.gate.weight": "ffn_gate_inp.weight", "mlp.router.weight": "ffn_gate_inp.weight",
    "mlp.router.bias": "ffn_gate_inp.bias", "mlp.shared_expert_gate.weight": "ffn_gate_inp_shexp.weight",
    "mlp.shared_expert.gate_proj.weight": "ffn_gate_shexp.weight",
    "mlp.shared_expert.up_proj.weight": "ffn_up_shexp.weight",
    "mlp.shared_expert.down_proj.weight": "ffn_down_shexp.weight",
    "self_attn.sinks": "attn_sinks.weight",
    # Of layers without experts, which llama.cpp has no names for beside others.
    "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight"}


def take(tensors, config, arch):
    """Removes what dense models don't have from tensors, and returns it by the names in GGUF files."""
    found = {}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        stacked = {}
        for key in [key for key in tensors if key.startswith(prefix)]:
            name = key[len(prefix):]
            if arch == A.GPT_OSS and name == "post_attention_layernorm.weight":
                found[f"blk.{layer}.post_attention_norm.weight"] = tensors.pop(key)
            elif name in NAMES:
                found[f"blk.{layer}.{NAMES[name]}"] = tensors.pop(key)
            elif ".experts." in name and name.endswith(".weight"):
                expert, part = name.split(".experts.")[1].split(".")[:2]
                stacked.setdefault(PARTS[part], {})[int(expert)] = tensors.pop(key)
            elif name.endswith("input_linear.weight"):
                gate, up = np.split(tensors.pop(key), 2, axis=1)
                stacked["gate"], stacked["up"] = dict(enumerate(gate)), dict(enumerate(up))
            elif name.endswith("output_linear.weight"):
                stacked["down"] = dict(enumerate(tensors.pop(key)))
            elif ".experts." in name:
                part = name.split(".experts.")[1]
                values = tensors.pop(key)
                bias = part.endswith("_bias")
                if part.endswith("_scales"):
                    continue
                if part.endswith("_blocks"):
                    values = blocks(values, tensors, key)
                elif not bias:
                    values = values.transpose(0, 2, 1)
                end = "bias" if bias else "weight"
                if part.startswith("down"):
                    found[f"blk.{layer}.ffn_down_exps.{end}"] = values
                else:
                    found[f"blk.{layer}.ffn_gate_exps.{end}"] = values[:, 0::2]
                    found[f"blk.{layer}.ffn_up_exps.{end}"] = values[:, 1::2]
        for part, experts in stacked.items():
            found[f"blk.{layer}.ffn_{part}_exps.weight"] = np.stack(
                [experts[index] for index in range(len(experts))])
    return found


def blocks(codes, tensors, key):
    """MXFP4 blocks as llama.cpp has them: codes 0 to 15 in low halves, 16 to 31 in high ones."""
    scales = tensors[key.replace("_blocks", "_scales")]
    values = np.stack([codes & 15, codes >> 4], axis=-1).reshape(*codes.shape[:-1], 32)
    packed = values[..., :16] | values[..., 16:] << 4
    whole = np.concatenate([scales[..., None], packed], axis=-1)
    return whole.reshape(*whole.shape[:-2], -1)


def add_settings(writer, arch, config):
    writer.add_expert_count(config.get("num_local_experts") or config["num_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    if "moe_intermediate_size" in config:
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if "shared_expert_intermediate_size" in config:
        writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    if arch == A.OLMOE and config["norm_topk_prob"]:
        writer.add_expert_weights_norm(True)
    if arch == A.LLAMA:
        writer.add_sliding_window(config["sliding_window"])
    if arch == A.GRANITE_MOE:
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])
    if arch == A.GPT_OSS:
        writer.add_sliding_window(config["sliding_window"])
        writer.add_expert_feed_forward_length(config["intermediate_size"])
