"""Damaged inputs: every kind of file that a command reads."""
import dataclasses
import hashlib
import json
import subprocess

import mutations
import recipes
from kinds_base import Kind, Plan
from recipes import THREADS
from verdicts import Bounds, Verdict, last_line

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
        (3, "", lambda top: ["convert", top, "converted", "--weights", "int4", *THREADS]),
        (2, "", lambda top: ["bench", "memory", "--target", top, "--rounds", "1", *THREADS]),
        (2, "", lambda top: recipes.distill_data("out", "--responses", "4", target=top)),
    ]


def texts():
    """Those who read a tokenizer."""
    return [
        (10, "", lambda top: ["inspect", top]),
        (40, "", plain),
        (20, "", lambda top: plain(top, "--chat")),
        (20, "", lambda top: recipes.generate(
            "--prompt-file", "story.txt", "--echo", target=top, drafter="none", tokens=4)),
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
        (20, "", lambda top: ["analyze", "run", "--target", "target", "--drafter", "suffix", "--prompts",
                              top, "--max-tokens", "4", "--trace", "t.jsonl", *THREADS]),
        (20, "", lambda top: ["distill", "data", "--target", "target", "--data", top, "--responses", "2",
                              "--shortest-prompt", "4", "--longest-prompt", "20", "--response-length",
                              "4", "--output", "out", *THREADS]),
        (10, "", lambda top: recipes.pretrain("out", data=("--data", top), steps=1)),
    ]


def trace_readers():
    return [
        (80, "", lambda top: ["analyze", "report", top, "--json"]),
        (10, "", lambda top: ["analyze", "report", top, "--output", "report"]),
        (10, "", lambda top: ["analyze", "advise", top, "--limit", "1", *THREADS]),
    ]


SMALL = recipes.PROMPTS + ["--target", "target"]


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
STEPS = {"pretrained": ["documents.jsonl", "tokenizer.model"],
         "drafter-heads": ["documents.jsonl", "target"], "forced": ["documents.jsonl", "target"]}


def resumed(top):
    """The command that goes on with a training where it stopped."""
    if top == "pretrained":
        return recipes.pretrain(top, steps=14)
    if top == "forced":
        return recipes.force(top, steps=6)
    return recipes.distill(top, "--markov-rank", "4", "--confidence", "1", steps=5)


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
    Subject("prompts", [([name, "target"], name) for name in [
        "few.jsonl", "z-few.jsonl.zst", "chats.jsonl", "story.txt"]], prompt_readers(), 6),
    Subject("documents", [([name, "target", "tokenizer.model"], name) for name in [
        "documents.jsonl", "z-documents.jsonl.zst"]], prompt_readers()[3:], 3),
    Subject("trace", [([name, "target", "drafter"], name) for name in [
        "trace.jsonl", "z-trace.jsonl.zst", "short.jsonl"]], trace_readers(), 8),
    Subject("part of a trace", [
        (["trace.jsonl.part", "few.jsonl", "target", "drafter"], "trace.jsonl.part")],
            [(1, "", lambda top: recipes.analyze_run("trace.jsonl"))], 3),
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
    Subject("drafter to start from", [pair for name in ["drafter-heads", "drafter-tokens"] for pair in each(
        name, "config.json", "model.safetensors", beside=["target", "answers"])],
            [(1, "", lambda top: recipes.distill(
                "out", "--init", top, answers=(*SMALL, "--responses-from", "answers"), steps=1))], 3),
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
        "pretrained", "train.tokens.u16", "train.tokens.json",
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


class Damage(Kind):
    name = "damage"
    about = "damaged inputs over every kind of file that a command reads"

    def __init__(self, seed):
        super().__init__(seed)
        self.sound, self.alike = {}, {}

    def prepare(self, place, number):
        source = self.source(number)
        subject = source.choices(SUBJECTS, [subject.share for subject in SUBJECTS])[0]
        inputs, file = source.choice(subject.files)
        place.copy(*inputs)
        path = place.folder / file
        if path.name in ("PASS_TIMES", "TAIL"):  # names that the program chose
            path = source.choice(sorted(path.parent.rglob(
                "*.json" if path.name == "PASS_TIMES" else "tail-*.bin")))
        before = path.read_bytes()
        note = mutations.damage(path, source, self.others(place, path))
        weights = [command[0] for command in subject.commands]
        _, check, command = source.choices(subject.commands, weights)[0]
        top = file.split("/")[0]
        return Plan(
            subject.name, f"{file}: {note}", arguments=command(top), check=check.replace("TOP", top),
            command_check=check,
            inputs=inputs, unchanged=path.is_file() and is_same(path, before),
            environment={"XDG_CACHE_HOME": str(place.folder / "cache")} if top == "cache" else {})

    def others(self, place, path):
        """Sound files of the same name, or at least of the same sort."""
        key = path.name
        if key not in self.alike:
            named = sorted(place.world.rglob(path.name))
            suffix = "".join(path.suffixes[-2:])
            sort = sorted(other for other in place.world.rglob(f"*{suffix}") if suffix)
            self.alike[key] = [other for other in named + sort if other.is_file()]
        return self.alike[key]

    def judge(self, place, number, plan):
        result, verdicts = place.judged(
            plan.arguments, note=plan.note, environment=plan.environment,
            bounds=Bounds(codes=frozenset({0, 1})))
        # Without its checkpoint a training begins anew, as it should.
        is_gone = plan.note.endswith((": missing", ": dangling")) and "TOP" in plan.command_check
        if not verdicts and plan.check and not plan.unchanged and not is_gone:
            verdicts += self.compare(place, plan, result)
        if not verdicts and result.code == 1 and not names(last_line(result), plan.note):
            verdicts.append(Verdict("nameless", last_line(result), result))
        return verdicts, 1

    def compare(self, place, plan, result):
        """What a success should have given, where that is known."""
        if plan.check == "compare":
            if b"outputs differ" in result.output or b"identical no" in result.output:
                yield Verdict("silent", "plain and speculative decoding disagree", result)
        elif result.code == 0 and plan.check == "ids":
            if ids(result) != self.plain_ids(place, plan):
                yield Verdict("silent", "a drafter changed the text", result)
        elif result.code == 0:
            file = plan.check.split(":")[1]
            if content(place.folder / file) != self.sound_file(place, plan, file):
                yield Verdict("silent", f"{file} differs from the sound run's", result)

    def plain_ids(self, place, plan):
        key = ("ids", tuple(word for word in plan.arguments[1:]))
        if key not in self.sound:
            arguments = [word for word in plan.arguments]
            arguments[arguments.index("--drafter") + 1] = "none"
            for name, count in [("--draft-length", 2), ("--recycling", 1)]:
                if name in arguments:
                    start = arguments.index(name)
                    del arguments[start:start + count]
            result = place.runner.run(arguments, place.world, name="-sound")
            self.sound[key] = ids(result)
        return self.sound[key]

    def sound_file(self, place, plan, file):
        key = (file, tuple(plan.arguments))
        if key not in self.sound:
            place.folder, own = place.folder.with_name("sound"), place.folder
            try:
                steps = place.steps
                place.clear()
                place.copy(*plan.inputs)
                result = place.runner.run(plan.arguments, place.folder, name="-sound")
                if result.code:
                    raise RuntimeError(f"the sound run fails: {plan.arguments}: {result.lines}")
                self.sound[key] = content(place.folder / file)
            finally:
                place.folder, place.steps = own, steps
        return self.sound[key]


def names(line, note):
    """Whether a message names the damaged file, its folder, or what it is."""
    path = note.split(":")[0]
    words = path.split("/") + ["target", "drafter", "tokenizer", "template", "prompt", "trace"]
    return any(word.lower() in line.lower() for word in words)


def ids(result):
    try:
        return [json.loads(line)["ids"] for line in result.output.decode().splitlines()]
    except (ValueError, KeyError, TypeError):
        return None


def content(path):
    """A digest of what a file holds, however it is compressed."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    return hashlib.sha1(plain_bytes(data) if path.suffix == ".zst" else data).hexdigest()


def plain_bytes(data):
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True).stdout


def is_same(path, before):
    try:
        after = path.read_bytes()
    except OSError:
        return False
    return after == before or mutations.same_json(after, before)
