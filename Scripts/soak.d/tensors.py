"""Safetensors files of a few kilobytes: written, read, and one value of a tensor replaced."""
import json
import random
import struct


def pack(tensors):
    """The bytes of a safetensors file; `tensors` maps a name to (dtype, shape, bytes)."""
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def unpack(data):
    """The tensors of a safetensors file, as `pack` takes them, and where each begins."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    base, tensors, places = 8 + length, {}, {}
    for name, entry in header.items():
        start, end = (base + offset for offset in entry["data_offsets"])
        tensors[name] = (entry["dtype"], entry["shape"], data[start:end])
        places[name] = start
    return tensors, places


# The bytes of values that no weight should have, by type.
WILD = {
    "F32": {"nan": b"\0\0\xc0\x7f", "inf": b"\0\0\x80\x7f", "-inf": b"\0\0\x80\xff",
            "huge": b"\xff\xff\x7f\x7f"},
    "BF16": {"nan": b"\xc0\x7f", "inf": b"\x80\x7f", "-inf": b"\x80\xff", "huge": b"\x7f\x7f"},
    "F16": {"nan": b"\0\x7e", "inf": b"\0\x7c", "-inf": b"\0\xfc", "huge": b"\xff\x7b"},
}


def poisoned(data, name, value, index=None):
    """The file with one value of a tensor (or all of them, without an index) made wild."""
    tensors, places = unpack(data)
    dtype, _, content = tensors[name]
    wild = WILD[dtype][value]
    count = len(content) // len(wild)
    where = range(count) if index is None else [index % count]
    result = bytearray(data)
    for place in where:
        start = places[name] + place * len(wild)
        result[start:start + len(wild)] = wild
    return bytes(result)


class RandomWeights:
    """Collects random matrices and vectors of ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tensors = {}

    def add(self, name, *shape):
        count = 1
        for size in shape:
            count *= size
        values = [1.0] * count if len(shape) == 1 else self.values(count)
        self.tensors[name] = ("F32", list(shape), struct.pack(f"<{count}f", *values))

    def values(self, count):
        """Random numbers between −0.5 and 0.5."""
        numbers = struct.unpack(f"<{count}h", self.random.randbytes(2 * count))
        return [number / 65536 for number in numbers]

    def add_layer(self, prefix, shape, norms=True, biases=False):
        hidden, inner, head = shape["hidden_size"], shape["intermediate_size"], shape["head_dim"]
        queries, keys = shape["num_attention_heads"] * head, shape["num_key_value_heads"] * head
        entries = [
            ("input_layernorm", [hidden]), ("post_attention_layernorm", [hidden]),
            ("self_attn.q_proj", [queries, hidden]), ("self_attn.k_proj", [keys, hidden]),
            ("self_attn.v_proj", [keys, hidden]), ("self_attn.o_proj", [hidden, queries]),
            ("mlp.gate_proj", [inner, hidden]), ("mlp.up_proj", [inner, hidden]),
            ("mlp.down_proj", [hidden, inner])]
        if norms:
            entries += [("self_attn.q_norm", [head]), ("self_attn.k_norm", [head])]
        for name, sizes in entries:
            self.add(f"{prefix}{name}.weight", *sizes)
        if biases:
            for name, size in [("q", queries), ("k", keys), ("v", keys)]:
                self.add(f"{prefix}self_attn.{name}_proj.bias", size)


def stored(tensors, dtype):
    """Tensors of F32, cut to BF16 where that is asked for."""
    if dtype == "F32":
        return tensors
    return {name: ("BF16", shape, b"".join(data[start + 2:start + 4] for start in range(0, len(data), 4)))
            for name, (_, shape, data) in tensors.items()}
