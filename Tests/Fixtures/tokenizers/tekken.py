"""Two small tekken.json files, and what mistral_common makes of texts by them: tekken-*.json.

    venv/bin/pip install mistral_common==1.13.1
    venv/bin/python tekken.py
"""

import base64
import json
import pathlib

from mistral_common.tokens.tokenizers.tekken import Tekkenizer

from make import PIPELINE_TEXTS

FOLDER = pathlib.Path(__file__).parent
UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
PATTERN = "|".join([
    rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+", rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*",
    r"\p{N}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def pieces():
    """Every byte, then the longer pieces of gpt4o.json in order."""
    alphabet = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = {chr(byte): byte for byte in alphabet}
    others = [byte for byte in range(256) if byte not in alphabet]
    characters |= {chr(0x100 + index): byte for index, byte in enumerate(others)}
    vocabulary = json.loads((FOLDER / "gpt4o.json").read_text(encoding="utf-8"))["model"]["vocab"]
    found = [bytes([byte]) for byte in range(256)]
    for piece, _ in sorted(vocabulary.items(), key=lambda item: item[1]):
        if all(character in characters for character in piece):
            found.append(bytes(characters[character] for character in piece))
    return list(dict.fromkeys(found))


def write(name, version, special, count, pattern):
    found = pieces()
    data = {
        "config": {
            "pattern": pattern, "num_vocab_tokens": len(found), "version": version,
            "default_vocab_size": len(found) - 10 + count, "default_num_special_tokens": count},
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": None}
            for rank, piece in enumerate(found)]}
    if special:
        data["special_tokens"] = [
            {"rank": rank, "token_str": text, "is_control": True}
            for rank, text in enumerate(special)]
    path = FOLDER / f"tekken-{name}.json"
    path.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
    tokenizer = Tekkenizer.from_file(path)
    ids = [tokenizer.encode(text, bos=False, eos=False) for text in PIPELINE_TEXTS]
    return {"size": tokenizer.n_words, "ids": ids}


if __name__ == "__main__":
    made = {
        "old": write("old", "v3", None, 30, PATTERN),
        # A pattern that leaves some of a text out.
        "new": write("new", "v11", ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"], 12, r"\p{L}+|\s"),
    }
    (FOLDER / "tekken.json").write_text(
        json.dumps({"texts": PIPELINE_TEXTS, "files": made}, ensure_ascii=False,
                   separators=(",", ":")), encoding="utf-8")
