"""penalties.json: logits out of other implementations' biases and penalties.

Biases and the repetition penalty are transformers', in the order of its `generate`; presence and frequency
penalties, which transformers lacks, are llama.cpp's, told the tokens of the output only.
"""

import ctypes
import os

import llama_cpp
import numpy as np
import torch
from transformers.generation import logits_process as processors

from .common import ROOT, numbers, write_json

VOCABULARY = 12
NEUTRAL = dict(repetition_penalty=1.0, presence_penalty=0.0, frequency_penalty=0.0, logit_bias={})
SETTINGS = [
    dict(presence_penalty=0.75), dict(presence_penalty=-1.5), dict(frequency_penalty=0.5),
    dict(frequency_penalty=-2.0), dict(presence_penalty=0.25, frequency_penalty=1.25),
    dict(logit_bias={2: 3.5, 9: -100.0}), dict(logit_bias={3: -1.25}, repetition_penalty=1.5),
    dict(logit_bias={0: 2.0, 3: 4.0}, repetition_penalty=0.75, presence_penalty=1.0,
         frequency_penalty=0.5),
]


def make():
    """Writes penalties.json."""
    cases = []
    for index, setting in enumerate(SETTINGS):
        setting = {**NEUTRAL, **setting}
        random = np.random.Generator(np.random.PCG64([83, index]))
        logits = (2 * random.standard_normal(VOCABULARY)).astype(np.float32)
        prompt = random.integers(0, VOCABULARY, 5).tolist()
        # Some tokens stand in both, and some several times.
        output = random.integers(0, VOCABULARY, 4).tolist() + [3, 3, prompt[0]]
        cases.append({
            **setting, "logit_bias": {str(token): bias for token, bias in setting["logit_bias"].items()},
            "prompt": prompt, "output": output, "logits": numbers(logits),
            "result": numbers(process(logits, prompt, output, **setting))})
    write_json(os.path.join(ROOT, "penalties.json"), dict(cases=cases))
    print(f"penalties.json: {len(cases)} cases")


def process(logits, prompt, output, repetition_penalty, presence_penalty, frequency_penalty, logit_bias):
    """The logits that tokens would be chosen from at temperature 1."""
    chain = processors.LogitsProcessorList()
    if logit_bias:
        chain.append(processors.SequenceBiasLogitsProcessor(
            {(token,): bias for token, bias in logit_bias.items()}))
    if repetition_penalty != 1.0:
        chain.append(processors.RepetitionPenaltyLogitsProcessor(penalty=repetition_penalty))
    text = torch.tensor([prompt + output])
    return counted(
        chain(text, torch.from_numpy(logits)[None])[0].numpy(), output, presence_penalty,
        frequency_penalty)


def counted(logits, output, presence, frequency):
    """llama.cpp's presence and frequency penalties of tokens that the output holds."""
    data = (llama_cpp.llama_token_data * VOCABULARY)(
        *[llama_cpp.llama_token_data(token, value, 0) for token, value in enumerate(logits.tolist())])
    row = llama_cpp.llama_token_data_array(data, VOCABULARY, -1, False)
    sampler = llama_cpp.llama_sampler_init_penalties(
        VOCABULARY, len(output), 1.0, frequency, presence)
    for token in output:
        llama_cpp.llama_sampler_accept(sampler, token)
    llama_cpp.llama_sampler_apply(sampler, ctypes.byref(row))
    llama_cpp.llama_sampler_free(sampler)
    return [data[token].logit for token in range(VOCABULARY)]
