"""What every generator shares: exact JSON numbers, stable files, seeded weights."""

import json
import os
import shutil

import numpy as np
from safetensors.numpy import save_file

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def fresh_folder(*parts):
    """An empty folder below Tests/Fixtures; what an earlier run left there is removed."""
    path = os.path.join(ROOT, *parts)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def random_weights(shapes, seed, gains=None):
    """Seeded float32 weights for {name: shape}, wide enough that nothing is left at a default.

    Matrices have standard deviation gain/sqrt(columns), embeddings 0.4, biases 0.3; norm weights are
    uniform in 0.4...1.6. NumPy's PCG64 keeps the numbers independent of the torch version.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    weights = {}
    for name, shape in sorted(shapes.items()):
        if "norm" in name:
            value = random.uniform(0.4, 1.6, shape)
        elif name.endswith("bias"):
            value = 0.3 * random.standard_normal(shape)
        elif "embed" in name:
            value = 0.4 * random.standard_normal(shape)
        else:
            gain = next((g for part, g in (gains or {}).items() if part in name), 1.0)
            value = gain * random.standard_normal(shape) / np.sqrt(shape[-1])
        weights[name] = value.astype(np.float32)
    return weights


def save_tensors(path, tensors):
    """A safetensors file as transformers writes it (same metadata)."""
    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    save_file(contiguous, path, metadata={"format": "pt"})


def numbers(array):
    """Nested lists of Python floats holding exact float32 values, for `write_json`."""
    return np.asarray(array, dtype=np.float32).tolist()


def write_json(path, value):
    """Writes a dictionary, one key a line and one line per row of a table.

    Floats get nine significant digits, which is enough to restore any float32 exactly.
    """
    lines = []
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], (list, dict)):
            body = ",\n    ".join(_dump(entry) for entry in item)
            lines.append(f"  {json.dumps(key)}: [\n    {body}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {_dump(item)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


def _dump(value):
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, list):
        return "[" + ", ".join(_dump(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_dump(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def check(condition, text):
    """Stops the run: a fixture that does not hold what it promises must not be written."""
    if not condition:
        raise SystemExit(f"make_fixtures: {text}")
