"""What transformers computes of a text beyond the original context of LongRoPE, which has other divisors.

Writes `long.json` beside `expected.json`, for the model that is there. Every greedy id comes from a whole
pass without a cache, whose text is long from its first token on.
"""

import os

import numpy as np
import torch
import transformers

from .common import ROOT, check, numbers, write_json
from .models import MINIMUM_GAP

NAMES = ["phi3-longrope"]
PROMPT_LENGTH = 140
GREEDY_LENGTH = 16
LOGIT_ROWS = [0, 1, 9, 100, 127, 128, 139]


def make():
    """Writes models/NAME/long.json."""
    for name in NAMES:
        folder = os.path.join(ROOT, "models", name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        for seed in range(100):
            expected = compute(model, seed)
            if expected["minimum_gap"] > MINIMUM_GAP:
                break
        else:
            check(False, f"{name}: no prompt gives clear argmax gaps")
        short = forward(model, expected["input_ids"][:100])
        shift = np.abs(short[LOGIT_ROWS[:3]] - np.array(expected["logits"][:3])).max()
        check(shift > 1e-2, f"{name}: short and long texts have the same logits")
        write_json(os.path.join(folder, "long.json"), expected)
        print(f"models/{name}: long.json, smallest gap {expected['minimum_gap']:.3f}, shift {shift:.2f}")


def forward(model, ids):
    """Logits [rows, vocabulary]."""
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].numpy()


def compute(model, seed):
    """The content of long.json."""
    random = np.random.Generator(np.random.PCG64(seed))
    ids = random.integers(3, model.config.vocab_size, PROMPT_LENGTH).tolist()
    logits = forward(model, ids)
    sequence, gaps = list(ids), []
    for _ in range(GREEDY_LENGTH):
        last = forward(model, sequence)[-1]
        order = np.argsort(-last)
        gaps.append(float(last[order[0]] - last[order[1]]))
        sequence.append(int(order[0]))
    return dict(
        input_ids=ids, greedy_ids=sequence[len(ids):], minimum_gap=min(gaps), tap_rows=[], taps=[],
        logit_rows=LOGIT_ROWS, logits=numbers(logits[LOGIT_ROWS]))
