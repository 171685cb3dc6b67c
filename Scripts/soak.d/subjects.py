"""Every kind of file that a command reads, and the commands that read it."""
import dataclasses

import recipes
from recipes import THREADS

# Commands that read a target, with what is expected of one that still works.
COMPARE = ["generate", "--prompt", "abc", "--max-tokens", "8", "--repeats", "1", "--compare", *THREADS]


def plain(target, *more):
    return recipes.generate("--prompt", "abc", *more, target=target, drafter="none", tokens=4)


@dataclasses.dataclass
class Subject:
    """A kind of file: where it is, what is needed beside it, and who reads it."""
    name: str
    files: list  # (inputs to copy, file to damage)
    commands: list  # (weight, check, function of the damaged file's top folder)
    share: int = 1
    before: list = dataclasses.field(default_factory=list)  # a command whose trace is cut first


def readers(drafter=None):
    """Those who read a target's folder."""
    compared = lambda top: COMPARE + ["--target", top, "--drafter", drafter or "suffix"]
    return [
        (30, "", lambda top: ["inspect", top]),
        (6, "", lambda top: ["inspect", top, "--json"]),
        (30, "compare", compared),
        (10, "", plain),
        (6, "", lambda top: plain(top, "--weights", "int8", "--kv-type", "bf16")),
        (6, "", lambda top: ["generate", "--target", top, "--decoder", "jacobi", "--prompt", "abc",
                             "--max-tokens", "6", *THREADS]),
        (3, "", lambda top: plain(top, "--chat")),
        (3, "", converted),
        (2, "", lambda top: ["bench", "memory", "--target", top, "--rounds", "1", *THREADS]),
        (2, "", lambda top: recipes.distill_data("out", "--responses", "4", target=top)),
    ]


def converted(top):
    """A conversion, or where that was done already, its measurement."""
    if top in ("target-int8", "target-int4"):
        return ["bench", "forward", "--target", top, "--rows", "1,2", "--rounds", "1", *THREADS]
    return ["convert", top, "converted", "--weights", "int4"]


def texts():
    """Those who read a tokenizer."""
    return [
        (10, "", lambda top: ["inspect", top]),
        (40, "", plain),
        (20, "", lambda top: plain(top, "--chat")),
        (20, "", lambda top: ["generate", "--target", top, "--drafter", "none", "--prompt-file",
                              "story.txt", "--echo", "--max-tokens", "4", *THREADS]),
        (10, "compare", lambda top: COMPARE + ["--target", top, "--drafter", "suffix"]),
    ]


def chat_readers():
    """Those who write chats with a template."""
    return [
        (40, "", lambda top: plain(top, "--chat")),
        (40, "", lambda top: recipes.generate(
            "--prompt-file", "chats.jsonl", target=top, drafter="none", tokens=2)),
        (10, "", lambda top: plain(top, "--chat", "--system", "{{ x }}")),
        (10, "", lambda top: ["distill", "data", "--target", top, "--data", "chats.jsonl", "--responses",
                              "2", "--longest-prompt", "100", "--response-length", "4", "--output", "out",
                              *THREADS]),
    ]


def token_readers():
    """Those who read tokens of 16 bits."""
    return [
        (1, "", lambda top: recipes.pretrain("out", data=("--tokens", top), steps=1)),
        (1, "", lambda top: ["distill", "data", "--target", "target", "--tokens", top,
                             *recipes.PROMPTS, "--responses", "2", "--output", "out", *THREADS]),
    ]


def drafted(top):
    return recipes.generate("--prompt", "abcabcabc", drafter=top, tokens=16)


def drafters():
    """Those who read a drafter, which never changes the text."""
    return [
        (20, "", lambda top: ["inspect", top]),
        (50, "ids", drafted),
        (15, "ids", lambda top: drafted(top) + ["--temperature", "1", "--seed", "3"]),
        (10, "ids", lambda top: drafted(top) + ["--draft-length", "3", "--recycling"]),
        (5, "compare", lambda top: COMPARE + ["--target", "target", "--drafter", top]),
    ]


def prompt_readers():
    return [
        (40, "", lambda top: recipes.generate("--prompt-file", top, drafter="none", tokens=3)),
        (10, "", lambda top: recipes.generate(
            "--prompt-file", top, "--chat", drafter="none", tokens=3)),
        (8, "", lambda top: recipes.generate(
            *by_input(top), drafter="none", tokens=3)),
        (20, "", lambda top: ["analyze", "run", "--target", "target", "--drafter", "suffix", "--prompts",
                              top, "--max-tokens", "4", "--trace", "t.jsonl", *THREADS]),
        (20, "", lambda top: ["distill", "data", "--target", "target", "--data", top, "--responses", "2",
                              "--shortest-prompt", "4", "--longest-prompt", "20", "--response-length",
                              "4", "--output", "out", *THREADS]),
        (10, "", pretrained_on),
    ]


def pretrained_on(top):
    """A training on documents; chats have no text without a template, and are measured instead."""
    if top == "chats.jsonl":
        return ["bench", "decode", "--target", "target", "--drafter", "suffix", "--prompt-file", top,
                "--max-tokens", "2", "--rounds", "1", *THREADS]
    return recipes.pretrain("out", data=("--data", top), steps=1)


def by_input(top):
    """A file given by standard input, unless it is compressed or long."""
    return ["-"] if top in ("story.txt", "few.jsonl") else ["--prompt-file", top]


def trace_readers():
    return [
        (80, "", lambda top: ["analyze", "report", top, "--json"]),
        (10, "", lambda top: ["analyze", "report", top, "--output", "report"]),
        (10, "", lambda top: ["analyze", "advise", top, "--limit", "1", *THREADS]),
    ]


SMALL = ["--target", "target"]


def from_answers(top):
    return recipes.distill("out", answers=(*SMALL, "--responses-from", top), steps=2)


def with_features(top):
    return from_answers(top) + ["--target-layers", "0,1"]


def from_trajectories(top):
    return recipes.force("out", answers=(*SMALL, "--trajectories-from", top), steps=2)


def each(folder, *files, beside=()):
    """Files of one folder, all of which is copied."""
    return [([folder, *beside], f"{folder}/{file}") for file in files]


ANSWERS = ["0000000.responses.zst", "manifest.json"]
TARGETS = ["target", "family-mistral", "family-llama-llama3", "family-qwen2-window", "family-llama-bias",
           "family-qwen3-bf16", "target-int8", "target-int4", "target-bf16"]
DRAFTERS = ["drafter", "drafter-heads", "drafter-tokens", "drafter-own", "small"]
BYTE_PAIRS = ["target-gpt2", "target-llama3", "target-qwen2", "target-llama2", "target-metaspace-first",
              "target-digits"]
STEPS = {"pretrained-cut": ["documents.jsonl", "tokenizer.model"],
         "drafter-cut": ["documents.jsonl", "target"], "forced-cut": ["documents.jsonl", "target"]}


def resumed(top):
    """The command that goes on with a training where it stopped."""
    return recipes.CUT[top]


KINDS = {"drafter-heads": ["--markov-rank", "4", "--confidence", "1"],
         "drafter-tokens": ["--kind", "tokens"]}


def started(top):
    """A distillation that starts from a drafter."""
    return recipes.distill(
        "out", "--layers", "1", "--init", top, *KINDS[top],
        answers=(*SMALL, "--responses-from", "answers"), drafter=recipes.BLOCKS, steps=1)


def trained(*files):
    return [pair for folder, beside in STEPS.items() for pair in each(folder, *files, beside=beside)]


SUBJECTS = [
    Subject("config.json", [pair for name in TARGETS for pair in each(
        name, "config.json", beside=["documents.jsonl"])],
            readers(), 10),
    Subject("model.safetensors",
            [pair for name in TARGETS for pair in each(
                name, "model.safetensors", beside=["documents.jsonl"])], readers(), 10),
    Subject("model.safetensors.zst", each(
        "target-zst", "model.safetensors.zst", beside=["documents.jsonl"]), readers(), 5),
    Subject("model.safetensors.index.json", each(
        "target-shards", "model.safetensors.index.json", beside=["documents.jsonl"]),
            readers(), 5),
    Subject("shard of weights", each(
        "target-shards", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        beside=["documents.jsonl"]),
            readers(), 3),
    Subject("tokenizer.json", [pair for name in BYTE_PAIRS for pair in each(
        name, "tokenizer.json", beside=["story.txt"])], texts(), 10),
    Subject("tokenizer.model", each("target", "tokenizer.model", beside=["story.txt"]), texts(), 6),
    Subject("vocab.json and merges.txt", each(
        "target-merges", "vocab.json", "merges.txt", beside=["story.txt"]), texts(), 4),
    Subject("tokenizer_config.json", [pair for name in ["target", "target-gpt2"] for pair in each(
        name, "tokenizer_config.json", beside=["story.txt"])], texts(), 6),
    Subject("chat_template.jinja", each(
        "target-jinja", "chat_template.jinja", beside=["chats.jsonl", "story.txt", "target"]),
            chat_readers(), 8),
    Subject("added_tokens.json", [pair for name in ["target-jinja", "target-merges"] for pair in each(
        name, "added_tokens.json", beside=["story.txt"])], texts(), 1),
    Subject("tokens", [(["tokens.u16", "tokenizer.model", "target"], "tokens.u16")],
            token_readers(), 2),
    Subject("special_tokens_map.json", each(
        "target", "special_tokens_map.json", beside=["story.txt"]), texts(), 2),
    Subject("generation_config.json", each(
        "target", "generation_config.json", beside=["story.txt"]), texts(), 3),
    Subject("drafter's config.json", [pair for name in DRAFTERS for pair in each(
        name, "config.json", beside=["target"])], drafters(), 8),
    Subject("drafter's weights", [pair for name in DRAFTERS for pair in each(
        name, "model.safetensors", beside=["target"])], drafters(), 8),
    Subject("prompts", [([name, "target", "tokenizer.model"], name) for name in [
        "few.jsonl", "z-few.jsonl.zst", "chats.jsonl", "story.txt"]], prompt_readers(), 6),
    Subject("documents", [([name, "target", "tokenizer.model"], name) for name in [
        "documents.jsonl", "z-documents.jsonl.zst"]], prompt_readers()[4:], 3),
    Subject("trace", [([name, "target", "drafter"], name) for name in [
        "trace.jsonl", "z-trace.jsonl.zst", "short.jsonl"]], trace_readers(), 8),
    Subject("part of a trace", [
        (["few.jsonl", "target", "drafter"], "trace.jsonl.part")],
            [(1, "", lambda top: recipes.analyze_run("trace.jsonl"))], 2,
            before=recipes.analyze_run("trace.jsonl")),
    Subject("answers", each("answers", *ANSWERS, beside=["target"]),
            [(1, "result:out/model.safetensors", from_answers)], 5),
    Subject("answers that go on", each("answers", *ANSWERS, beside=["target", "documents.jsonl"]),
            [(1, "result:answers/0000000.responses.zst", recipes.distill_data)], 4),
    Subject("tail of answers", each(
        "answers-cut", "manifest.json", "TAIL", beside=["target", "documents.jsonl"]),
            [(1, "result:answers-cut/0000000.responses.zst", recipes.cut_answers)], 4),
    Subject("features that go on", each(
        "answers-features", "features/manifest.json", "features/0000000.features.zst",
        beside=["target", "documents.jsonl"]),
            [(1, "result:answers-features/features/0000000.features.zst",
              lambda top: recipes.distill_data(
                  top, "--store-taps", "0,1", "--store-log-probabilities", "3"))], 3),
    Subject("trajectories that go on", each(
        "trajectories", "trajectories-4/manifest.json", "trajectories-4/0000000.trajectories.zst",
        "responses/manifest.json", "responses/0000000.responses.zst",
        beside=["target", "documents.jsonl"]),
            [(1, "result:trajectories/trajectories-4/0000000.trajectories.zst", recipes.force_data)], 3),
    Subject("drafter to start from", [pair for name in KINDS for pair in each(
        name, "config.json", "model.safetensors", beside=["target", "answers"])],
            [(1, "", started)], 3),
    Subject("features", each(
        "answers-features", *ANSWERS, "features/manifest.json", "features/0000000.features.zst",
        beside=["target"]), [(1, "result:out/model.safetensors", with_features)], 4),
    Subject("trajectories", each(
        "trajectories", "trajectories-4/manifest.json", "trajectories-4/0000000.trajectories.zst",
        "responses/manifest.json", "responses/0000000.responses.zst", beside=["target"]),
            [(1, "result:out/model.safetensors", from_trajectories)], 4),
    Subject("checkpoint.safetensors", trained("checkpoint.safetensors"),
            [(1, "result:TOP/model.safetensors", resumed)], 6),
    Subject("metrics.jsonl", trained("metrics.jsonl", "report.html"),
            [(1, "result:TOP/model.safetensors", resumed)], 2),
    Subject("tokens of documents", each(
        "pretrained-cut", "train.tokens.u16", "train.tokens.json",
        beside=["documents.jsonl", "tokenizer.model"]),
            [(1, "result:TOP/model.safetensors", resumed)], 3),
    Subject("checkpoint to start from", each(
        "pretrained", "checkpoint.safetensors", "config.json",
        beside=["documents.jsonl", "tokenizer.model"]),
            [(1, "", lambda top: recipes.pretrain(
                "out", "--init-from", "pretrained", "--grow", "insert", "--layers", "3", steps=1))], 2),
    Subject("pass times", each("cache", "PASS_TIMES", beside=["target", "drafter"]),
            [(1, "ids", lambda top: drafted("drafter"))], 2),
]
