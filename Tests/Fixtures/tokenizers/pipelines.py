"""Tokenizers that put the parts of huggingface/tokenizers together in many ways.

Run by make.py. The map of characters of `unigram-map` is made by the sentencepiece package.
"""

import base64
import json
import pathlib
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

LETTERS = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
GPT4O = "|".join([
    rf"[^\r\n\p{{L}}\p{{N}}]?[{LETTERS[0]}]*[{LETTERS[1]}]+{CONTRACTIONS}?",
    rf"[^\r\n\p{{L}}\p{{N}}]?[{LETTERS[0]}]+[{LETTERS[1]}]*{CONTRACTIONS}?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK = [
    r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


def byte_level(**options):
    return pre_tokenizers.ByteLevel(**{"add_prefix_space": False, "use_regex": False, **options})


def bpe(corpus, pre_tokenizer, decoder, normalizer=None, special=("<unk>", "<s>", "</s>"),
        bytes=False, size=500, **options):
    if "unk_token" not in options:
        options["unk_token"] = "<unk>"
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    pieces = list(special)
    if options.get("byte_fallback"):
        pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(pieces), special_tokens=pieces, limit_alphabet=150,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if bytes else [], show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    return only_special(tokenizer, len(special))


def only_special(tokenizer, count):
    """Leaves the pieces of bytes in the vocabulary, but not among the added tokens."""
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = data["added_tokens"][:count]
    return Tokenizer.from_str(json.dumps(data))


def unigram(corpus, pre_tokenizer, decoder, normalizer=None, byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    data = json.loads(tokenizer.to_str())
    data["model"]["vocab"] = [[piece, round(score, 4)] for piece, score in data["model"]["vocab"]]
    if byte_fallback:
        data["model"]["vocab"] += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
        data["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoder
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)])
    return tokenizer


def character_map():
    """A small precompiled_charsmap: single characters, one that grows, and two that are one."""
    rules = {
        "\u00a0": " ", "\u3000": " ", "\t": " ", "\ufb01": "fi", "½": "1⁄2", "Ａ": "A", "é": "e",
        "e\u0301": "E", "ａ": "a", "…": "...", "\u200d": "", "日": "hi", "\u1112\u1161": "하"}
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "rules.tsv"
        table.write_text("".join(
            f"{' '.join(f'{ord(c):X}' for c in old)}\t{' '.join(f'{ord(c):X}' for c in new)}\n"
            for old, new in rules.items()), encoding="utf-8")
        text = pathlib.Path(folder) / "text"
        text.write_text("a b c d e f g h\n" * 50, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=f"{folder}/m", vocab_size=14, hard_vocab_limit=False,
            normalization_rule_tsv=str(table), minloglevel=2)
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(pathlib.Path(f"{folder}/m.model").read_bytes())
        return model.normalizer_spec.precompiled_charsmap


def with_normalizer(tokenizer, normalizer):
    data = json.loads(tokenizer.to_str())
    data["normalizer"] = normalizer
    return Tokenizer.from_str(json.dumps(data))


def pipelines(corpus):
    made = {}
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    metaspace_decoder = decoders.Metaspace(prepend_scheme="always", split=True)
    fallback = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]

    made["unigram"] = unigram(
        corpus, metaspace, metaspace_decoder, normalizers.Replace(Regex(" {2,}"), " "))
    t = unigram(
        corpus, pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
        decoders.Sequence(fallback + [decoders.Strip(" ", 1, 0)]), byte_fallback=True)
    t.add_tokens([AddedToken("<tool>", normalized=False)])
    made["unigram-bytes"] = t
    t = unigram(corpus, metaspace, metaspace_decoder)
    made["unigram-map"] = with_normalizer(t, {"type": "Sequence", "normalizers": [
        {"type": "Precompiled",
         "precompiled_charsmap": base64.b64encode(character_map()).decode()},
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]})

    made["gemma"] = bpe(
        corpus, pre_tokenizers.Split(" ", "merged_with_previous"), decoders.Sequence(fallback),
        normalizers.Replace(" ", "▁"), byte_fallback=True, fuse_unk=True)
    made["gpt4o"] = bpe(
        corpus, sequence(split(GPT4O), byte_level()), decoders.ByteLevel(), bytes=True,
        special=["<|end|>"], unk_token=None, ignore_merges=True)
    t = bpe(
        corpus, sequence(*map(split, DEEPSEEK), byte_level()), decoders.ByteLevel(), bytes=True,
        special=["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"], unk_token=None)
    t.add_tokens([AddedToken("é", normalized=False), AddedToken("new line", normalized=False)])
    made["deepseek"] = t
    made["falcon"] = bpe(
        corpus, sequence(
            pre_tokenizers.Punctuation("contiguous"), byte_level(use_regex=True),
            pre_tokenizers.Digits(), split("[0-9][0-9][0-9]")),
        decoders.ByteLevel(), bytes=True, special=["<|end|>"], unk_token=None)
    made["bloom"] = bpe(
        corpus, sequence(split(" ?[^(\\s|.,!?…。，、।۔،)]+"), byte_level()), decoders.ByteLevel(),
        bytes=True, special=["<unk>", "<s>"], unk_token=None)
    made["words"] = bpe(
        corpus, pre_tokenizers.Whitespace(), decoders.Fuse(), normalizers.Sequence([
            normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
            normalizers.Strip()]))
    t = bpe(
        corpus, sequence(
            pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"),
            pre_tokenizers.Digits(individual_digits=True)),
        decoders.Sequence([decoders.Strip("a", 1, 0), decoders.Replace("lo", "0 0")]),
        normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]), fuse_unk=True)
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
    made["pieces"] = t
    t = bpe(
        corpus, sequence(
            pre_tokenizers.CharDelimiterSplit("e"), split(r"\s+", "merged_with_next"),
            split(r"[[:upper:]]|x*", "merged_with_previous", True), split(r"\d", "removed")),
        decoders.Fuse(), normalizers.NFD())
    t.add_tokens([AddedToken("mask", single_word=True), AddedToken("Ångström", normalized=True)])
    made["delimiters"] = t
    made["underscore"] = bpe(
        corpus, pre_tokenizers.Metaspace("_", prepend_scheme="first", split=True),
        decoders.Metaspace("_", prepend_scheme="first", split=True), normalizers.Prepend(" x"))
    made["metaspace-bytes"] = bpe(
        corpus, sequence(metaspace, byte_level(add_prefix_space=True)),
        decoders.Sequence([decoders.ByteLevel(), metaspace_decoder]), bytes=True)
    return made
