#!/usr/bin/env python3
"""Makes the fixtures of GGUF from the package gguf, which is llama.cpp's own for Python.

    python3 -m venv /tmp/venv-gguf
    /tmp/venv-gguf/bin/pip install gguf==0.19.0 numpy
    /tmp/venv-gguf/bin/python Tests/Fixtures/gguf/make.py

blocks.json: of every type random blocks (scales of f16 from all of its range, subnormal and negative
ones) and the values that gguf.dequantize gives; of those that gguf can quantise, values and the blocks
that it writes. small.gguf: metadata of every type, and tensors of several; small-…-of-00003.gguf: its
tensors in three parts.
"""

import base64
import importlib.metadata
import json
import os

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGUFValueType as V

ROOT = os.path.dirname(os.path.abspath(__file__))
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82],
    T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.MXFP4: []}
random = np.random.default_rng(20)


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def blocks(kind, count):
    size = gguf.GGML_QUANT_SIZES[kind][1]
    out = random.integers(0, 256, (count, size), dtype=np.uint8)
    for place in SCALES[kind]:
        half = random.integers(0, 65536, count, dtype=np.uint16)
        half[(half & 0x7C00) == 0x7C00] &= 0x83FF  # no infinities: subnormal instead
        out[:, place], out[:, place + 1] = half & 255, half >> 8
    if kind == T.MXFP4:
        out[:4, 0] = [0, 1, 2, 254]
    return out


def make_blocks():
    result = {"gguf": importlib.metadata.version("gguf")}
    for kind in SCALES:
        columns = gguf.GGML_QUANT_SIZES[kind][0]
        raw = blocks(kind, 512 // columns)
        entry = {
            "blocks": text(raw), "values": text(gguf.quants.dequantize(raw.reshape(-1), kind))}
        values = (random.standard_normal(512) * 0.05).astype(np.float32)
        values[:32], values[32:64:3], values[64:96] = 0, 1.5, -np.abs(values[64:96])
        try:
            entry["quantized"] = text(gguf.quants.quantize(values, kind))
            entry["source"] = text(values)
        except NotImplementedError:
            pass
        result[kind.name] = entry
    with open(os.path.join(ROOT, "blocks.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


def add(writer):
    writer.add_key_value("test.uint8", 200, V.UINT8)
    writer.add_key_value("test.int8", -100, V.INT8)
    writer.add_key_value("test.uint16", 60000, V.UINT16)
    writer.add_key_value("test.int16", -30000, V.INT16)
    writer.add_key_value("test.uint32", 4000000000, V.UINT32)
    writer.add_key_value("test.int32", -2000000000, V.INT32)
    writer.add_key_value("test.uint64", 2**63 + 5, V.UINT64)
    writer.add_key_value("test.int64", -(2**62), V.INT64)
    writer.add_key_value("test.float32", 0.1, V.FLOAT32)
    writer.add_key_value("test.float64", 0.1, V.FLOAT64)
    writer.add_key_value("test.bool", True, V.BOOL)
    writer.add_key_value("test.string", "a \u00e9\u4e2d\U0001f600", V.STRING)
    writer.add_array("test.strings", ["", "Ġthe", "\n"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -0.25])
    writer.add_array("test.bools", [True, False])


def tensors():
    values = (np.arange(8 * 64, dtype=np.float32).reshape(8, 64) - 200) / 64
    yield "half", values[:3].astype(np.float16), None
    yield "vector", values[0, :5].copy(), None
    yield "cube", values[:6].reshape(2, 3, 64).copy(), None
    yield "bytes", gguf.quants.quantize(values, T.Q8_0), T.Q8_0
    yield "nibbles", gguf.quants.quantize(values, T.Q4_1), T.Q4_1


def make_file():
    writer = gguf.GGUFWriter(os.path.join(ROOT, "small.gguf"), "test")
    add(writer)
    for name, values, kind in tensors():
        writer.add_tensor(name, values, raw_dtype=kind)
    write(writer)
    parts = [["half", "vector"], ["cube"], ["bytes", "nibbles"]]
    for index, names in enumerate(parts):
        path = os.path.join(ROOT, f"small-{index + 1:05d}-of-{len(parts):05d}.gguf")
        writer = gguf.GGUFWriter(path, "test")
        writer.add_key_value("split.no", index, V.UINT16)
        writer.add_key_value("split.count", len(parts), V.UINT16)
        writer.add_key_value("split.tensors.count", 5, V.INT32)
        for name, values, kind in tensors():
            if name in names:
                writer.add_tensor(name, values, raw_dtype=kind)
        write(writer)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


make_blocks()
make_file()
