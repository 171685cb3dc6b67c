#!/usr/bin/env python3
"""Says how far llama.cpp's logits of models/*.gguf are from transformers', which ../models/*/expected.json holds.

  python Tests/Fixtures/gguf/llama.py [NAME...]

Needs gguf and llama-cpp-python (0.3.36 gave the figures of docs/gguf.md). Distances are shares of the largest
logit of each row. The files have no tokenizer, which llama.cpp wants: copies say that there is none.
"""
import json
import os
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np

HERE = os.path.dirname(os.path.realpath(__file__))
SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def copy(source, destination, widens):
    reader = gguf.GGUFReader(source)
    name = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(destination, name)
    for field in reader.fields.values():
        if field.name.startswith(("GGUF.", "tokenizer.ggml.")) or field.name == "general.architecture":
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(field.name, field.contents())
        else:
            writer.add_key_value(field.name, field.contents(), field.types[0])
    writer.add_tokenizer_model("none")
    if f"{name}.vocab_size" not in reader.fields:
        writer.add_vocab_size(next(int(t.shape[1]) for t in reader.tensors if t.name == "token_embd.weight"))
    for tensor in reader.tensors:
        if tensor.tensor_type <= gguf.GGMLQuantizationType.F16:
            writer.add_tensor(tensor.name, tensor.data)
        elif widens:
            writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def logits(path, ids):
    """Of every token: [ids][vocabulary]; None where llama.cpp refuses the file."""
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        return None
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = options.n_batch = options.n_ubatch = 256
    options.n_threads = options.n_threads_batch = 1
    options.type_k = options.type_v = options.flash_attn_type = 0  # f32, and none
    context = llama_cpp.llama_init_from_model(model, options)
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for place, token in enumerate(ids):
        batch.token[place], batch.pos[place], batch.logits[place] = token, place, 1
        batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
    llama_cpp.llama_decode(context, batch)
    width = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    rows = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, place), (width,)).copy()
            for place in range(len(ids))]
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return rows


def main():
    llama_cpp.llama_log_set(SILENT, None)
    llama_cpp.llama_backend_init()
    names = sys.argv[1:] or sorted(name[:-5] for name in os.listdir(f"{HERE}/models"))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            with open(f"{HERE}/../models/{name}/expected.json") as file:
                expected = json.load(file)
            for widens in [False, True] if "mxfp4" in name else [False]:
                copied = os.path.join(folder, "model.gguf")
                copy(f"{HERE}/models/{name}.gguf", copied, widens)
                rows = logits(copied, expected["input_ids"])
                if rows is None:
                    print(f"{name}: not loaded")
                    continue
                distances = []
                for row, wanted in zip(expected["logit_rows"], expected["logits"]):
                    if row < len(rows):
                        wanted = np.array(wanted)
                        distances.append((np.abs(rows[row][:len(wanted)] - wanted).max() / np.abs(wanted).max(), row))
                shown = " ".join(f"{row}:{distance:.1e}" for distance, row in distances)
                print(f"{name}{' in f32' if widens else ''}: at most {max(distances)[0]:.1e}; by row {shown}")


if __name__ == "__main__":
    main()
