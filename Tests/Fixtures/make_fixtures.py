#!/usr/bin/env python3
"""Makes the reference fixtures of the tests from PyTorch, transformers and NumPy.

The outputs are committed; running this is needed only to change them. In a virtual environment
outside the repository:

    python3 -m venv /tmp/venv-fx
    /tmp/venv-fx/bin/pip install torch transformers safetensors tokenizers numpy llama-cpp-python
    /tmp/venv-fx/bin/python Tests/Fixtures/make_fixtures.py [PART ...]

The parts are models, classic, modern, long, drafter, drafter-parts, token-drafter, sampling, penalties and training; without
an argument all are made. `legacy` adds the configurations in the layout of transformers 4 and checks that
its logits agree; it needs that version:

    /tmp/venv-fx/bin/pip install --target /tmp/transformers4 'transformers==4.57.*'
    PYTHONPATH=/tmp/transformers4 /tmp/venv-fx/bin/python Tests/Fixtures/make_fixtures.py legacy

Every seed is fixed, torch runs on one thread, and SOURCE.json records the versions.
"""

import json
import os
import platform
import sys

import numpy
import safetensors
import torch
import transformers

sys.dont_write_bytecode = True
from generators import (  # noqa: E402
    classic, common, drafter, drafter_parts, long, models, modern, penalties, sampling, token_drafter, training)

PARTS = [
    "models", "classic", "modern", "long", "drafter", "drafter-parts", "token-drafter", "sampling", "penalties", "training"]


def main():
    parts = sys.argv[1:] or PARTS
    for part in parts:
        common.check(
            part in PARTS + ["legacy"], f"unknown part '{part}'; choose from {PARTS + ['legacy']}")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    makers = dict(
        models=models.make, classic=classic.make, modern=modern.make, long=long.make,
        drafter=drafter.make,
        legacy=lambda: (models.make_legacy(), classic.make_legacy(), modern.make_legacy()),
        sampling=sampling.make, penalties=penalties.make, training=training.make,
        **{"drafter-parts": drafter_parts.make, "token-drafter": token_drafter.make})
    for part in parts:
        makers[part]()
    record(parts)


def record(parts):
    """Notes in SOURCE.json which versions made each part."""
    path = os.path.join(common.ROOT, "SOURCE.json")
    source = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            source = json.load(file)
    versions = dict(
        python=platform.python_version(), torch=torch.__version__,
        transformers=transformers.__version__, safetensors=safetensors.__version__,
        numpy=numpy.__version__)
    source.update({part: versions for part in parts})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(sorted(source.items())), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
