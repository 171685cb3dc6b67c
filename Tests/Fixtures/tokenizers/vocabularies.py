"""Vocabularies as GGUF files hold them, and what llama.cpp and SentencePiece make of texts by them.

    venv/bin/pip install llama_cpp_python==0.3.36 gguf==0.19.0
    venv/bin/python vocabularies.py

vocabularies.json has `texts` and three vocabularies: `gpt2`, byte pairs that no pre-tokenizer cut when
they were made, so that ids show where each of the names of `ids` cuts; `gemma4`; and `t5`, a unigram model
with a map of characters. The first two have llama.cpp's ids, the third SentencePiece's. Where llama.cpp
has only an adapted pattern, the texts of `plain` are left in: no marks, no capitals behind small letters.
"""

import base64
import json
import pathlib
import tempfile

import gguf
import llama_cpp
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from make import CORPUS, PIPELINE_TEXTS
from pipelines import character_map

FOLDER = pathlib.Path(__file__).parent
NAMES = [
    "default", "gpt-2", "smollm", "stablelm2", "llama-bpe", "dbrx", "minicpm5", "jais-2",
    "ufakzeka", "laguna", "seed-coder", "bailingmoe", "exaone-moe", "falcon", "bloom", "viking",
    "deepseek-llm", "deepseek-coder", "deepseek-v3", "spark2_5", "chameleon"]
ADAPTED = ["qwen2", "qwen35", "gpt-4o", "tekken", "kimi-k2", "youtu", "tiny_aya", "superbpe"]
PLAIN = [text for text in PIPELINE_TEXTS + [
    "In 2024, 1234567 people paid 12,345.67 each.\n\n  They said: \"we'll see\"!\r\n\tx = y / z;\n",
    "hello world 1 22 333 4444 55555", "日本語と中文 and 한국어 123", "a/b//c \n/ d", "(1) [2] {3} <4>",
] if text.isascii() or "日本語と" in text]
PLAIN = [text for text in PLAIN if not any(
    a.islower() and b.isupper() or a.isupper() and b.isupper() for a, b in zip(text, text[1:]))]


def write(path, model, tokens, types, pre=None, merges=None, begin=1, end=0):
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model(model)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(begin)
    writer.add_eos_token_id(end)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return llama_cpp.Llama(str(path), vocab_only=True, verbose=False)


def ids(model, texts):
    return [model.tokenize(text.encode(), add_bos=False, special=False) for text in texts]


def vocabulary(tokenizer):
    data = json.loads(tokenizer.to_str())["model"]
    pieces = sorted(data["vocab"].items(), key=lambda item: item[1])
    return [piece for piece, _ in pieces], [" ".join(merge) for merge in data["merges"]]


def gpt2(folder, texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.train_from_iterator(CORPUS + texts + PLAIN * 2, trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=6,
        special_tokens=["<|end|>", "<|begin|>"], show_progress=False))
    tokens, merges = vocabulary(tokenizer)
    types = [3, 3] + [1] * (len(tokens) - 2)

    def cut(name, texts):
        return ids(write(folder / f"{name}.gguf", "gpt2", tokens, types, name, merges), texts)

    return {
        "tokens": tokens, "types": types, "merges": merges,
        "ids": {name: cut(name, texts) for name in NAMES},
        "plain": {name: cut(name, PLAIN) for name in ADAPTED}}


def gemma4(folder, texts):
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    special = ["<eos>", "<bos>", "<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(
        [line for text in CORPUS for line in text.split("\n")], trainers.BpeTrainer(
            vocab_size=600, special_tokens=special, limit_alphabet=100, show_progress=False))
    tokens, merges = vocabulary(tokenizer)
    tokens += ["\n", "\n\n"]
    types = [3, 3, 2] + [6] * 256 + [1] * (len(tokens) - 259)
    model = write(folder / "gemma4.gguf", "gemma4", tokens, types, None, merges)
    return {
        "tokens": tokens, "types": types, "merges": merges, "ids": ids(model, texts),
        "special": [model.tokenize(t.encode(), add_bos=True, special=True) for t in texts]}


def t5(folder, texts):
    text = folder / "text"
    text.write_text("\n".join(line for text in CORPUS for line in text.split("\n") if line.strip()))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "m"), vocab_size=420, hard_vocab_limit=False,
        model_type="unigram", byte_fallback=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        normalization_rule_name="identity", minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((folder / "m.model").read_bytes())
    model.normalizer_spec.precompiled_charsmap = character_map()
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    return {
        "tokens": [piece.piece for piece in model.pieces],
        "types": [piece.type for piece in model.pieces],
        "scores": [piece.score for piece in model.pieces],
        "map": base64.b64encode(character_map()).decode(),
        "ids": [processor.encode(text) for text in texts]}


if __name__ == "__main__":
    texts = [text for text in PIPELINE_TEXTS if "\0" not in text]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = {
            "texts": texts, "plainTexts": PLAIN, "gpt2": gpt2(folder, texts),
            "gemma4": gemma4(folder, texts), "t5": t5(folder, texts)}
    (FOLDER / "vocabularies.json").write_text(
        json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
