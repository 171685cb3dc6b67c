"""training/: loss, gradients and AdamW steps of a tiny Qwen3 model from PyTorch autograd.

Parameters and gradients are float64 (transformers keeps its norms and its attention softmax in
float32) and stored as float32; a run wholly in float32 must agree.
"""

import os

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

from .common import check, fresh_folder, random_weights, write_json

BATCH, LENGTH, STEPS = 2, 12, 3
OPTIMIZER = dict(lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
WEIGHT_DECAY = 0.1

CONFIGURATION = dict(
    vocab_size=40, hidden_size=24, intermediate_size=32, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=8, tie_word_embeddings=True,
    max_position_embeddings=64, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2)


def make():
    """Writes training/: the model folder, gradients, the parameters after three steps, numbers."""
    configuration = transformers.Qwen3Config(
        rope_parameters=dict(rope_type="default", rope_theta=10000.0), **CONFIGURATION)
    configuration._attn_implementation = "eager"
    model = transformers.Qwen3ForCausalLM(configuration)
    weights = random_weights(
        {name: tuple(value.shape) for name, value in model.named_parameters()}, seed=61)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weights[name]))
    folder = fresh_folder("training")
    model.save_pretrained(folder)

    random = np.random.Generator(np.random.PCG64(62))
    tokens = random.integers(0, CONFIGURATION["vocab_size"], (BATCH, LENGTH + 1)).tolist()
    single = steps(model.float(), tokens)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weights[name]))
    double = steps(model.double(), tokens)
    deviation = {
        part: max(np.abs(single[part][name] - double[part][name]).max() for name in weights)
        for part in ("gradients", "stepped")
    }
    check(deviation["stepped"] < 1e-4, f"training: AdamW is ill-conditioned here: {deviation}")

    for part, name in [("gradients", "gradients"), ("stepped", "after-3-steps")]:
        tensors = {key: value.astype(np.float32) for key, value in double[part].items()}
        save_file(tensors, os.path.join(folder, name + ".safetensors"), metadata={"format": "pt"})
    write_json(os.path.join(folder, "expected.json"), dict(
        tokens=tokens, losses=double["losses"], gradient_norm=double["gradient_norm"],
        float32_deviation={key: float(value) for key, value in deviation.items()},
        learning_rate=OPTIMIZER["lr"], beta1=OPTIMIZER["betas"][0], beta2=OPTIMIZER["betas"][1],
        epsilon=OPTIMIZER["eps"], weight_decay=WEIGHT_DECAY, steps=STEPS))
    print(f"training: losses {double['losses']}, float32 deviates by {deviation}")


def steps(model, tokens):
    """Loss before each of the steps and after the last, first gradients, final parameters."""
    tokens = torch.tensor(tokens)
    named = dict(model.named_parameters())
    optimizer = torch.optim.AdamW([
        dict(params=[p for p in named.values() if p.ndim == 2], weight_decay=WEIGHT_DECAY),
        dict(params=[p for p in named.values() if p.ndim != 2], weight_decay=0.0),
    ], **OPTIMIZER)
    losses, gradients = [], None
    for step in range(STEPS + 1):
        optimizer.zero_grad()
        logits = model(tokens[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))
        losses.append(loss.item())
        if step < STEPS:
            loss.backward()
            if gradients is None:
                gradients = {name: p.grad.numpy().copy() for name, p in named.items()}
            optimizer.step()
    norm = float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients.values())))
    return dict(
        losses=losses, gradients=gradients, gradient_norm=norm,
        stepped={name: p.detach().numpy().copy() for name, p in named.items()})
