"""Patterns, texts, and how huggingface/tokenizers cuts the texts by the patterns: patterns.json.

    venv/bin/python patterns.py
"""

import json
import pathlib

from tokenizers import Regex, pre_tokenizers

BEHAVIORS = {
    "Isolated": "isolated", "Removed": "removed", "MergedWithPrevious": "merged_with_previous",
    "MergedWithNext": "merged_with_next", "Contiguous": "contiguous"}

# Whatever Oniguruma reads in another way than PCRE2, and what all patterns are made of.
PATTERNS = [
    r"\w+", r"\W", r"\b", r"\B", r"\h+", r"\H", r"[^\W\d_]+", r"[^\S\n]+", r"[\w]", r"^\s*\S+$", r".+",
    r"(?m:a.b)", r"(?i)sun|ré", r"(?i:K)", r"(?-i:x)|(?i-m:X)", r"[a-c[x-z]&&[^b]]+",
    r"[^a-z&&[^aeiou]]+", r"[\p{L}&&[^\p{Han}]]+|\p{Han}", r"[[:punct:]]+|[[:alpha:]]+|[[:^space:]]",
    r"[[:alnum:]_]+", r"[[:upper:]]+|[[:lower:]]", r"\p{^Lu}|\p{Greek}", r"\P{L}+", r"\p{Punct}+",
    r"\p{Hiragana}+|\p{Katakana}+|\p{Arabic}+|\p{Hangul}|\p{Thai}+", r"\R+", r"a{2}?b", r"\d{1,3}+",
    r"\d{1,3}", r"x{,2}y?", r"x{2,}", r"x{2,3}?", r'".*?"', r"(?>\s+)\S", r"(?<=\d)[a-z]|(?<!a)b", r"x*",
    r"", r"\s+\z|\A\S", r"[\u4e00-\u9fff]+|\x{1F600}|\x41", r"a{x|{}|\}", r"a]b|[]x]|[a-]|[-z]",
    r"(?=(\d{3})+(?!\d))", r"\d{1,3}(?=(?:\d{3})*\b)", r"\t|\n|\r|\f|\v|\a|\e", r"a++|b*+|c?+", r"[\b]",
    r"\p{Uppercase_Letter}|\p{Decimal_Number}+", r"[^\r\n\p{L}\p{N}]?+\p{L}+", r"\s++$|\s*[\r\n]|\s",
    r"( )+|(?:a|b)*c", r"\.|\-|\/|\\", r"\p{Alphabetic}+", r"\p{White_Space}", r"[!-/:-@\[-`{-~]+"]

CUT_IN_EVERY_WAY = [r"\W", r"x*", r"(?=(\d{3})+(?!\d))", r"(?i)sun|ré"]

TEXTS = [
    "", " ", "a b  c\n\nd ", "abcABC123 xyz", "sunSUN Ré RÉ kK\u212a sS\u017f", "a\nb a\r\nb\u2028c\u0085d\x0be\x0cf",
    "1234567 12 a1b22c ½²Ⅷ ٣٤٥", "xxxx xyxxy yx", "aabaaab ab aab", 'say "one" and "two"', "日本語カナかな 中文 한글 ไทย العربية",
    "don't_stop-me. now! a]b []x a-z {} a{x }", "e\u0301é\u200d\u20e3 \u00a0\u3000\u180e\u200b", "αβΓ ΣΑΣ ЖЩ ǅ ʰªº",
    "😀🙂🇩🇪 👩🏽‍🚀", "\t\x08\x07\x1b\x7f\x00", "aaa bbb ccc aabbcc", "C:\\dir/file.txt x--y", "a  \n  b \n", "9 99 999 9999",
]


def main():
    cases = []
    for pattern in PATTERNS:
        for name, behavior in BEHAVIORS.items():
            for invert in (False, True):
                if pattern not in CUT_IN_EVERY_WAY and (name != "Isolated" or invert):
                    continue
                cut = pre_tokenizers.Split(Regex(pattern), behavior, invert)
                cases.append({
                    "pattern": pattern, "behavior": name, "invert": invert,
                    "words": [[word for word, _ in cut.pre_tokenize_str(text)] for text in TEXTS]})
    path = pathlib.Path(__file__).parent / "patterns.json"
    path.write_text(
        json.dumps({"texts": TEXTS, "cases": cases}, ensure_ascii=False, separators=(",", ":")),
        encoding="utf-8")


main()
