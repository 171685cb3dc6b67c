"""Drafters of random weights for a target, one of each kind, and what each is without one of its parts.

Weights are scaled so that no part drowns another and chances vary: what a layer adds is several times as large
as the embedding of the mask, and logits, edges of the selector and biases of the Markov chain have standard
deviations of 4, 2 and 2. Rows of tokens that training never saw are long and alike, and would be drafted
alone: so the mask is the token that has the least in their direction, layers add nothing in it, and the last
norm's weights are nearly alike.
"""
import copy
import json
import struct

import numpy as np

RANK = 32
CONFIGURATION = "config.json"
WEIGHTS = "model.safetensors"


def read(path):
    """The tensors of a safetensors file, in F32."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(data[start:end], "<u2").astype("<u4") << 16).view("<f4")
        else:
            values = np.frombuffer(data[start:end], {"F32": "<f4", "F16": "<f2"}[entry["dtype"]])
        tensors[name] = values.astype("<f4").reshape(entry["shape"])
    return tensors


def write(path, tensors):
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "I64" if values.dtype == np.int64 else "F32", "shape": values.shape,
                        "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text
                     + b"".join(values.tobytes() for values in tensors.values()))


class Drafter:
    """A drafter's settings and weights, which grow part by part."""

    def __init__(self, target, seed, architecture="DFlashDraftModel", **settings):
        """`target` is the folder of one that `transformers` loads."""
        model = json.loads((target / CONFIGURATION).read_text(encoding="utf-8"))
        layers = model["num_hidden_layers"]
        weights = read(target / WEIGHTS)
        self.embedding = weights["model.embed_tokens.weight"]
        self.head = weights.get("lm_head.weight", self.embedding)
        lengths = np.sqrt((self.head ** 2).sum(1))
        unseen = self.head[lengths >= np.quantile(lengths, 0.95)].mean(0)
        self.unseen = unseen / np.linalg.norm(unseen)
        mask = int(np.argmin(abs(self.embedding @ self.unseen)))
        block = {"mask_token_id": mask, "target_layer_ids": [1, layers // 2, layers - 2]}
        shape = {key: model[key] for key in [
            "head_dim", "hidden_size", "intermediate_size", "max_position_embeddings",
            "num_attention_heads", "num_key_value_heads", "rms_norm_eps", "rope_theta", "vocab_size"]}
        self.settings = {
            "architectures": [architecture], "model_type": "qwen3", "hidden_act": "silu",
            "attention_bias": False, "tie_word_embeddings": True, "num_hidden_layers": 2,
            "num_target_layers": layers, "block_size": 8, **shape}
        self.settings |= block if architecture == "Qwen3DSparkModel" else {"dflash_config": block}
        self.settings |= settings
        self.random = np.random.default_rng(seed)
        self.hidden, self.vocabulary = shape["hidden_size"], shape["vocab_size"]
        self.choices = self.vocabulary
        # What makes logits of a normed row as far apart as told above.
        self.gain = 4 / float(np.median(np.sqrt(((self.head - self.head.mean(0)) ** 2).sum(1))))
        self.level = 16 * float(np.sqrt((self.embedding[mask] ** 2).mean()))
        self.tensors = {}
        self.add("fc.weight", self.hidden, 3 * self.hidden)
        self.add_norm("hidden_norm.weight", self.hidden)
        self.add("norm.weight", self.hidden, mean=self.gain, deviation=0.02 * self.gain)
        for layer in range(2):
            self.add_layer(f"layers.{layer}.", shape)

    def add(self, name, *shape, deviation=None, mean=0.0):
        """Normal values; of a matrix so that products of normed rows have a deviation of 1."""
        deviation = deviation or shape[-1] ** -0.5
        self.tensors[name] = (mean + deviation * self.random.standard_normal(shape)).astype("<f4")

    def add_norm(self, name, size, mean=1.0):
        self.add(name, size, mean=mean, deviation=0.2 * mean)

    def add_layer(self, prefix, shape):
        hidden, inner, head = shape["hidden_size"], shape["intermediate_size"], shape["head_dim"]
        queries, keys = shape["num_attention_heads"] * head, shape["num_key_value_heads"] * head
        for name in ["input_layernorm", "post_attention_layernorm"]:
            self.add_norm(f"{prefix}{name}.weight", hidden)
        self.add_norm(f"{prefix}self_attn.q_norm.weight", head, 2.0)
        self.add_norm(f"{prefix}self_attn.k_norm.weight", head)
        for name, rows, columns, factor in [
                ("self_attn.q_proj", queries, hidden, 1), ("self_attn.k_proj", keys, hidden, 1),
                ("self_attn.v_proj", keys, hidden, 1), ("self_attn.o_proj", hidden, queries, self.level),
                ("mlp.gate_proj", inner, hidden, 1), ("mlp.up_proj", inner, hidden, 1),
                ("mlp.down_proj", hidden, inner, self.level)]:
            self.add(f"{prefix}{name}.weight", rows, columns, deviation=factor * columns ** -0.5)
        for name in ["self_attn.o_proj", "mlp.down_proj"]:
            matrix = self.tensors[f"{prefix}{name}.weight"]
            matrix -= np.outer(self.unseen, self.unseen @ matrix)

    def add_convolutions(self, taps, group):
        """The first tap is near 1, so that not all is lost of what goes through."""
        self.settings["dflash_config"] |= {"conv_kernel_size": taps, "conv_group_size": group}
        for layer in range(2):
            for side in ["attention", "mlp"]:
                prefix = f"layers.{layer}.{side}_conv."
                self.add(prefix + "base_kernel", 2, taps, self.hidden, deviation=0.5)
                self.tensors[prefix + "base_kernel"][:, 0] += 1
                self.add(prefix + "kernel_projection.weight", 2 * taps * self.hidden // group,
                         self.hidden, deviation=0.5 * self.hidden ** -0.5)

    def add_selector(self, candidates):
        self.settings["dflash_config"] |= {"selector_rank": RANK, "selector_top_k": candidates}
        deviation = (2 / RANK ** 0.5) ** 0.5
        for side in ["predecessor", "successor"]:
            self.add(f"candidate_selector.{side}_codebook", self.vocabulary, RANK, deviation=deviation)
        self.add("candidate_selector.hidden_projection.weight", RANK, self.hidden,
                 deviation=self.hidden ** -0.5 / self.gain)

    def add_chain(self, kind="vanilla"):
        """A Markov chain; `kind` is vanilla, gated or rnn."""
        self.settings |= {"markov_rank": RANK, "markov_head_type": kind}
        self.add("markov_head.markov_w1.weight", self.vocabulary, RANK, deviation=1)
        self.add("markov_head.markov_w2.weight", self.choices, RANK, deviation=2 * RANK ** -0.5)
        rows, columns = {"gated": (RANK, self.hidden + RANK),
                         "rnn": (3 * RANK, 2 * RANK + self.hidden)}.get(kind, (0, 0))
        if rows:
            name = "markov_head." + ("gate" if kind == "gated" else "joint") + "_proj."
            self.add(name + "weight", rows, columns)
            self.add(name + "bias", rows, deviation=0.5)

    def add_confidence(self):
        self.settings |= {"enable_confidence_head": True, "confidence_head_with_markov": True}
        self.add("confidence_head.proj.weight", 1, self.hidden + RANK, deviation=RANK ** -0.5)
        self.tensors["confidence_head.proj.weight"][:, :self.hidden] *= (
            (RANK / self.hidden) ** 0.5 / self.gain)
        self.add("confidence_head.proj.bias", 1, deviation=0.3)

    def add_copies(self):
        """An embedding and a head of its own, other than the target's."""
        self.settings["tie_word_embeddings"] = False
        for name, rows in [("embed_tokens.weight", self.embedding), ("lm_head.weight", self.head)]:
            self.add(name, *rows.shape, deviation=float(rows.std()))

    def add_vocabulary(self, step):
        """Drafts of every so many tokens alone; before heads."""
        tokens = np.arange(0, self.vocabulary, step, dtype=np.int64)
        self.choices = len(tokens)
        self.settings["draft_vocab_size"] = self.choices
        self.tensors["d2t"] = tokens - np.arange(self.choices)

    def save(self, folder):
        folder.mkdir()
        (folder / CONFIGURATION).write_text(json.dumps(self.settings), encoding="utf-8")
        write(folder / WEIGHTS, self.tensors)

    def without(self, part):
        """The same drafter with a part that does nothing."""
        other = copy.deepcopy(self)
        for name in SILENT.get(part, []):
            for key in other.tensors:
                if key.endswith(name):
                    other.tensors[key][...] = 0
                    if name.endswith("base_kernel"):
                        other.tensors[key][:, 0] = 1
        for key in SETTINGS.get(part, []):
            for section in [other.settings, other.settings.get("dflash_config", {})]:
                section.pop(key, None)
        return other


# Tensors that are made 0, or a kernel that changes nothing, to silence a part.
SILENT = {
    "features": ["fc.weight"], "attention": ["o_proj.weight"], "MLP": ["down_proj.weight"],
    "attention's convolutions": ["attention_conv.base_kernel", "attention_conv.kernel_projection.weight"],
    "MLP's convolutions": ["mlp_conv.base_kernel", "mlp_conv.kernel_projection.weight"],
    "dynamic kernels": ["kernel_projection.weight"],
    "selector": ["hidden_projection.weight"], "Markov chain": ["markov_w2.weight"],
    "confidence head": ["confidence_head.proj.weight", "confidence_head.proj.bias"],
}
# Settings that are left out.
SETTINGS = {
    "causal blocks": ["causal_head"], "windows": ["use_sliding_window", "layer_types", "sliding_window"],
    "scaled embedding": ["input_embedding_scale"], "scaled logits": ["output_multiplier"],
    "soft cap": ["final_logit_softcapping"],
}

WINDOWS = {"use_sliding_window": True, "sliding_window": 24, "is_causal": False,
           "layer_types": ["sliding_attention", "full_attention"]}


def dflash(target, seed):
    return Drafter(target, seed)


def causal(target, seed):
    drafter = Drafter(target, seed)
    drafter.settings["dflash_config"]["causal_head"] = True
    return drafter


def windows(target, seed):
    drafter = Drafter(target, seed, **WINDOWS)
    drafter.add_vocabulary(3)
    return drafter


def dflash2(target, seed):
    drafter = Drafter(target, seed, "DFlash2DraftModel")
    drafter.add_convolutions(2, 16)
    drafter.add_selector(16)
    return drafter


def dflash2_full(target, seed):
    drafter = Drafter(target, seed, "DFlash2DraftModel", **WINDOWS)
    drafter.settings["dflash_config"] |= {
        "input_embedding_scale": 1.5, "output_multiplier": 1.25, "final_logit_softcapping": 12.0}
    drafter.add_convolutions(3, 8)
    drafter.add_selector(8)
    return drafter


def dspark(target, seed):
    drafter = Drafter(target, seed, "Qwen3DSparkModel", block_size=7)
    drafter.add_copies()
    drafter.add_chain()
    drafter.add_confidence()
    return drafter


def dspark_masks(target, seed):
    drafter = Drafter(target, seed)
    drafter.add_vocabulary(2)
    drafter.add_chain()
    return drafter


def dspark_causal(target, seed):
    drafter = Drafter(target, seed)
    drafter.settings["dflash_config"] |= {"causal_head": True, "sample_from_anchor": True}
    drafter.add_copies()
    drafter.add_chain()
    return drafter


def gated(target, seed):
    drafter = Drafter(target, seed, "Qwen3DSparkModel", block_size=7)
    drafter.add_chain("gated")
    return drafter


def rnn(target, seed):
    drafter = Drafter(target, seed, "Qwen3DSparkModel", block_size=7)
    drafter.add_chain("rnn")
    return drafter


LAYERS = ["features", "attention", "MLP"]
CONVOLUTIONS = ["attention's convolutions", "MLP's convolutions", "dynamic kernels", "selector"]
# Every kind: what it is, how it is made, and the parts that are silenced one by one.
KINDS = {
    "dflash": ("DFlash", dflash, LAYERS),
    "causal": ("DFlash with causal blocks (JetSpec)", causal, ["causal blocks"]),
    "windows": ("DFlash with a window of 24 in one layer and a draft vocabulary", windows, ["windows"]),
    "dflash2": ("DFlash 2", dflash2, LAYERS + CONVOLUTIONS),
    "dflash2-full": ("DFlash 2 of 3 taps with a window, scales and a soft cap", dflash2_full,
                     CONVOLUTIONS + ["windows", "scaled embedding", "scaled logits", "soft cap"]),
    "dspark": ("DSpark with a confidence head and an embedding and head of its own", dspark,
               LAYERS + ["Markov chain", "confidence head"]),
    "dspark-masks": ("DSpark whose masks alone draft, with a draft vocabulary", dspark_masks,
                     ["Markov chain"]),
    "dspark-causal": ("DSpark with causal blocks and an embedding and head of its own", dspark_causal,
                      ["Markov chain", "causal blocks"]),
    "gated": ("DSpark with a gated chain", gated, []),
    "rnn": ("DSpark with a recurrent chain", rnn, []),
}

# What llama.cpp lacks: files of its tree and lines in them that show it.
LACKS = [
    ("gated and recurrent Markov chains", "conversion/qwen.py", "(only 'vanilla' is supported)"),
    ("anchors that draft without a Markov chain", "common/speculative.cpp",
     "n_draft + (is_dspark && sample_from_anchor ? 0 : 1)"),
    ("scaled logits and soft caps before a Markov chain", "src/models/dflash.cpp",
     "DFlash1 and DSpark read them through the sampler instead"),
    ("convolutions without a selector, or a selector without convolutions", "src/models/dflash.cpp",
     "DFlash2 model is missing conv/selector metadata"),
    ("selectors over a draft vocabulary", "src/models/dflash.cpp",
     'tn(LLM_TENSOR_DFLASH_SELECTOR_NEXT,   "weight"), { rank, n_vocab }'),
]
