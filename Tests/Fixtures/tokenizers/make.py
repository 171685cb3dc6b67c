"""Makes the small tokenizers of this folder and what the reference library does with them.

Each NAME.json is a tokenizer.json of huggingface/tokenizers, trained on this script's own texts;
vectors.json holds texts and, for every tokenizer, the ids and decoded texts of the library;
pipelines.json the same for the tokenizers of pipelines.py.

    python3 -m venv venv
    venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf
    venv/bin/python make.py [vectors.json | pipelines.json]

Training breaks ties at random, so another run makes other tokenizers.
"""

import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

from pipelines import pipelines

FOLDER = pathlib.Path(__file__).parent
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|")

CORPUS = [
    "The quick brown fox doesn't jump over 13 lazy dogs, we've seen that; they'll say it's fine.",
    "func sum(_ values: [Int]) -> Int {\n    var total = 0\n    for value in values {\n"
    "        total += value\n    }\n    return total\n}\n",
    "Les élèves français étudient à l'école près de la forêt, où naïveté et cœur se mêlent.",
    "Привет, мир! Это простой пример текста на русском языке.",
    "日本語のテキストと中文文本 and 한국어 텍스트 together.",
    "In 2024 there were 1234567 people and 3.14159 pies; a  b   c    d\t\te\r\n\r\nf",
    "let x = [1, 2, 3].map { $0 * 2 }  // doubled\n\n\nstruct Point { var x, y: Double }\n",
] * 4

TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\t\n", " \n", "\n ", "a", " a", "a ", "  a  ", "é",
    "Hello world", " Hello, World!", "Hello\n\nworld\n", "it's IT'S we'Ve I'LL 'sure 'Tis 'ſ 'ſs",
    "1 12 123 1234 12345678 3.14 ½ ² Ⅷ ٣٤٥٦ 1a2b", "a  b   c    d", "x\r\ny\r\rz \r\n  w",
    "\u3000wide\u00a0spaces\u2003here\u2028line\u0085next", "e\u0301 \u00e9 A\u030a \u212b \ufb01",
    "\u1100\u1161\u11a8 \uac01", "\u1112\u1161\u11ab \ud55c", "\U00010391\u0301",
    "\u0f73\u0f73", "a\u0323\u0307 a\u0307\u0323 \u1e9b\u0323 \u0344 \u0958 \U0002f82b",
    "\U000110a5\U000110ba \U0001d15e o\u0302\u0301\u0323", "zero\u200bwidth\u200djoin\ufeff", "🦙 🇩🇪 👩🏽‍🚀 ❤️", "нещо на Български",
    "កាន់តែពិសេសអាចខលចេញ", "日本語のテキスト", "▁under▁scores▁▁x", "a ▁ b", "...!!! ?? --- ===\n\n=",
    "func f() {\n    return 'x'\n}\n", "<|end|>", "a<|end|>b", " <|end|> <|end|>", "<|begin|>x",
    "<tool>call</tool>", "x <tool> y", "keep mask here", "<mask>", "  <mask>  x", "unmasked word mask!",
    "word", "swords word wordy", "a word b", "<unk>", "<s>", "<s> hello</s>", "</s></s>", "\0", "a\0b",
]


def random_texts(count):
    rng = random.Random(5)
    pools = [
        "abcdefghij ABC", "0123456789 ", " \n\t\r  ", "'sStTmMdDrRevVeElL ", "éèàüñçß ",
        ".,:;!?(){}[]<>+-*/=\"#", "абвгд ЖЗ", "日本語中文漢字", "한글텍스트", "اللغة العربية", "٠١٢½²",
        "ไทยภาษา", "हिन्दी", "\u0301\u0308\u200d\ufe0f", "aoeAOE\u0301\u0308\u0323\u0307\u0327\u0302",
        "\u1100\u1112\u1161\u1162\u11a8\u11c2\uac00", "🙂🚀🇫🇷", "\u00a0\u2003\u3000\u2028\u0085",
    ]
    texts = []
    for _ in range(count):
        text = ""
        for _ in range(rng.randint(1, 6)):
            pool = rng.choice(pools)
            text += "".join(rng.choice(pool) for _ in range(rng.randint(1, 5)))
        texts.append(text)
    return texts


def train(tokenizer, size, special, alphabet=()):
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=list(alphabet),
        limit_alphabet=200, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level(pre_tokenizer, normalizer=None, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    return train(
        tokenizer, 500, ["<|end|>", "<|begin|>"], pre_tokenizers.ByteLevel.alphabet())


def template(single):
    names = {"<|begin|>", "<|end|>", "<s>", "</s>"} & set(single.split())
    return lambda t: processors.TemplateProcessing(
        single=single, special_tokens=[(name, t.token_to_id(name)) for name in sorted(names)])


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def sentence_piece(normalizer, pre_tokenizer, decoder, **options):
    """A vocabulary as converted from SentencePiece: characters, 256 bytes, then merges."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **options))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    special = ["<unk>", "<s>", "</s>"]
    if options.get("byte_fallback"):
        special += [f"<0x{byte:02X}>" for byte in range(256)]
    train(tokenizer, 550, special)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True} for i, token in enumerate(special[:3])]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    else:
        data = json.loads(tokenizer.to_str())
        data["pre_tokenizer"] = None
        tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoder
    return tokenizer


def tokenizers():
    made = {}
    t = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    t.add_tokens([
        AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False, rstrip=True),
        AddedToken("word", single_word=True, normalized=True)])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True)])
    t.post_processor = template("<|begin|> $A <|end|>")(t)
    made["gpt2"] = t

    t = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True))
    t.post_processor = processors.ByteLevel()
    made["gpt2-prefix"] = t

    t = byte_level(split(QWEN2), normalizers.NFC())
    t.add_tokens([AddedToken("\u1112\u1161\u11ab", normalized=True), AddedToken("keep mask")])
    made["qwen2"] = t

    t = byte_level(split(LLAMA3), ignore_merges=True)
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), template("<|begin|> $A")(t)])
    made["llama3"] = t

    made["digits"] = byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)]))

    llama = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    t = sentence_piece(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None,
        llama, byte_fallback=True, fuse_unk=True)
    t.add_tokens([
        AddedToken("<tool>", normalized=True), AddedToken("</tool>", normalized=False)])
    t.post_processor = template("<s> $A </s>")(t)
    made["llama2"] = t

    t = sentence_piece(
        None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), llama,
        byte_fallback=True, fuse_unk=True)
    t.post_processor = template("<s> $A")(t)
    made["metaspace-first"] = t

    for fuse in (False, True):
        made[f"metaspace-split{'-fused' if fuse else ''}"] = sentence_piece(
            None, pre_tokenizers.Metaspace(prepend_scheme="always", split=True),
            decoders.Metaspace(prepend_scheme="always", split=True), fuse_unk=fuse)
    made["metaspace-never"] = sentence_piece(
        None, pre_tokenizers.Metaspace(prepend_scheme="never", split=True),
        decoders.Sequence([
            decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="never", split=True)]),
        byte_fallback=True)
    return made


PIPELINE_TEXTS = TEXTS + [
    "Straße ΣΑΣ ὈΔΥΣΣΕΎΣ İstanbul ǅ ﬁne ½ ｶﾞ ㍿ ﷺ ㋿ Å Å ſt", "\u0061\u0315\u0300\u05ae\u0300\u0062 q\u0307\u0323",
    "\u1100\u1161\u11a8 각 \u1112\u1161", "HelloWORLD helloWorld Don'T DON'T x'S 'sUB", "\u4e2d\u6587abc中文123カナかなABC中",
    "a/b/c\n//d\r\n/\n", "12 123 1234 12345 123456 1234567 ١٢٣٤ １２３４", "e\u0301e ee eXe Exx xxE 1e2e3",
    "_a__b_ ▁▁a▁ _", "x  x   x    x\t\tx\u00a0\u00a0x\u3000x", "zero\u200bwidth\u200cnon\u200djoin\ufeffbom\u0001c\u007f",
    "\u00c5ngstr\u00f6m A\u030angstro\u0308m mask masks mask", "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 e\u0301\u0301 ",
    "new line\nnew line é ée<tool>é", "<｜begin▁of▁sentence｜>hi<｜end▁of▁sentence｜>", "٫،؟ «quoted» “q” ‘q’ ¿? ¡! ‽ ⁂ $+<=>^`|~ §©",
    "हिन्दी में पाठ। আমি বাংলায় ภาษาไทย ქართული ᏣᎳᎩ", "a" * 40 + " " * 40 + "b" + "\n" * 20, "lolo a lola aalo",
]


def write(name, texts, tokenizers):
    vectors = {"texts": texts, "tokenizers": {}}
    for tokenizer_name, tokenizer in tokenizers.items():
        data = json.loads(tokenizer.to_str())
        if tokenizer_name in ("gpt2", "llama2"):  # the older of the two ways to write merges
            data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]
        text = json.dumps(data, ensure_ascii=tokenizer_name == "qwen2", separators=(",", ":"))
        (FOLDER / f"{tokenizer_name}.json").write_text(text, encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
        special = [tokenizer.encode(text).ids for text in texts]
        tokenizer.encode_special_tokens = True
        plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        vectors["tokenizers"][tokenizer_name] = {
            "size": tokenizer.get_vocab_size(),
            "plain": plain,
            "special": special,
            "skipped": tokenizer.decode_batch(special, skip_special_tokens=True),
            "shown": tokenizer.decode_batch(special, skip_special_tokens=False),
        }
    (FOLDER / name).write_text(
        json.dumps(vectors, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["vectors.json", "pipelines.json"]
    if "vectors.json" in wanted:
        write("vectors.json", TEXTS + random_texts(80), tokenizers())
    if "pipelines.json" in wanted:
        write("pipelines.json", PIPELINE_TEXTS, pipelines(CORPUS))
