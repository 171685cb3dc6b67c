"""sampling.json: probability vectors out of transformers' own logits processors.

The classes run in the order in which transformers' `generate` puts them: repetition penalty,
temperature, top-k, top-p, min-p. Logits for which a tiny change of a threshold changes the kept
tokens are passed over, so float32 and float64 implementations keep the same ones.
"""

import os

import numpy as np
import torch
from transformers.generation import logits_process as processors

from .common import ROOT, check, numbers, write_json

VOCABULARY = 12
NEUTRAL = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0)

# The settings that differ from NEUTRAL; each runs on its own random logits and context.
SETTINGS = [
    {}, dict(temperature=0.7), dict(temperature=1.8), dict(temperature=0.1),
    dict(top_k=1), dict(top_k=4), dict(top_k=20), dict(top_p=0.9), dict(top_p=0.5),
    dict(top_p=0.05), dict(min_p=0.05), dict(min_p=0.3), dict(min_p=1.0),
    dict(repetition_penalty=1.3), dict(repetition_penalty=0.7),
    dict(temperature=0.8, top_k=5), dict(temperature=1.5, top_p=0.8),
    dict(temperature=1.5, min_p=0.1), dict(top_k=6, top_p=0.7), dict(top_k=6, min_p=0.2),
    dict(top_p=0.95, min_p=0.15), dict(temperature=0.6, repetition_penalty=1.2),
    dict(temperature=1.4, top_k=7, top_p=0.85, min_p=0.05),
    dict(temperature=0.9, top_k=8, top_p=0.9, min_p=0.02, repetition_penalty=1.15),
]
# Filters that keep one token or all of them whatever the logits: kept as edge cases.
ALONE = [{**NEUTRAL, **setting} for setting in (dict(top_k=20), dict(top_p=0.05))]


def make():
    """Writes sampling.json."""
    cases = []
    for index, setting in enumerate(SETTINGS):
        setting = {**NEUTRAL, **setting}
        for attempt in range(50):
            random = np.random.Generator(np.random.PCG64([71, index, attempt]))
            logits = (1.3 * random.standard_normal(VOCABULARY)).astype(np.float32)
            # Repeated tokens on purpose: the penalty applies once per token, not per occurrence.
            context = random.integers(0, VOCABULARY, 6).tolist() + [3, 3]
            result = probabilities(logits, context, **setting)
            near = [
                probabilities(logits, context, **{
                    **setting, "top_p": min(1.0, setting["top_p"] + shift),
                    "min_p": min(1.0, max(0.0, setting["min_p"] + shift))})
                for shift in (-1e-3, 1e-3)
            ]
            exact = setting["min_p"] in (0.0, 1.0) and setting["top_p"] == 1.0
            kept = int((result > 0).sum())
            filters = setting["top_k"] > 1 or setting["top_p"] < 1.0 or 0.0 < setting["min_p"] < 1.0
            useful = 1 < kept < VOCABULARY or not filters or setting in ALONE
            if useful and (exact or all(((other > 0) == (result > 0)).all() for other in near)):
                break
        else:
            check(False, f"sampling {setting}: every case lies on a threshold")
        cases.append({
            **setting, "context": context, "logits": numbers(logits),
            "probabilities": result.tolist()})
    write_json(os.path.join(ROOT, "sampling.json"), dict(cases=cases))
    kept = [sum(p > 0 for p in case["probabilities"]) for case in cases]
    print(f"sampling.json: {len(cases)} cases, tokens kept {kept}")


def probabilities(logits, context, temperature, top_k, top_p, min_p, repetition_penalty):
    """The distribution transformers would sample from, in float64."""
    chain = processors.LogitsProcessorList()
    if repetition_penalty != 1.0:
        chain.append(processors.RepetitionPenaltyLogitsProcessor(penalty=repetition_penalty))
    if temperature != 1.0:
        chain.append(processors.TemperatureLogitsWarper(temperature))
    if top_k != 0:
        chain.append(processors.TopKLogitsWarper(top_k=top_k))
    if top_p < 1.0:
        chain.append(processors.TopPLogitsWarper(top_p=top_p))
    if min_p > 0.0:
        chain.append(processors.MinPLogitsWarper(min_p=min_p))
    scores = chain(torch.tensor([context]), torch.from_numpy(logits).double()[None])
    return torch.softmax(scores, dim=-1)[0].numpy()
