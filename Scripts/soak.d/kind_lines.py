"""Command lines that make no sense: misspelt, doubled, clashing, with values of every sort."""
import re
import signal

from kinds_base import Kind, Plan
from verdicts import Bounds, Verdict, judge

COMMANDS = ["generate", "pretrain", "distill", "distill train", "distill data", "force", "force train",
            "force data", "analyze run", "analyze report", "analyze advise", "bench memory",
            "bench matmul", "bench forward", "bench decode", "bench train", "inspect", "convert"]
INPUTS = ["target", "drafter", "small", "drafter-tokens", "few.jsonl", "prompts.jsonl", "documents.jsonl",
          "tokenizer.model", "trace.jsonl", "answers", "trajectories", "story.txt", "chats.jsonl"]
VALUES = ["0", "1", "2", "3", "-1", "-0", "7", "16", "1e3", "0.5", "1.5", "-0.5", "nan", "inf", "-inf",
          "1e999", "99999999999999999999", "9223372036854775807", "-9223372036854775808", "", " ", "abc",
          "none", "suffix", "auto", "on", "off", "all", "0x10", "1,2", "1,,2", ",", "0,0,0", "1,1000000",
          "target", "/nowhere", "f32", "bf16", "int8", "int4", "both", "tokens", "\n", "\u00e9", "\udcff\udcfe",
          "--", "-", "%s%n", "a" * 5000, "\x1b[31m", "1\u0660"]
# What would rightly take long or much, and so proves nothing.
COSTLY = ("--shape",)
TAKES_NUMBER = ["--steps", "--responses", "--max-tokens", "--rounds", "--repeats", "--tokens",
                "--perplexity-tokens"]
SOUND = {
    "--target": "target", "--drafter": "drafter", "--prompt-file": "few.jsonl", "--prompt": "abc",
    "--data": "documents.jsonl", "--heldout": "few.jsonl", "--heldout-data": "documents.jsonl",
    "--output": "out", "--trace": "out.jsonl", "--tokenizer": "tokenizer.model", "--prompts": "few.jsonl",
    "--responses-from": "answers", "--trajectories-from": "trajectories", "--perplexity": "story.txt",
    "--weights": "int8", "--threads": "1", "--report": "report", "--init-from": "pretrained",
    "--max-tokens": "4", "--steps": "2", "--responses": "3", "--rounds": "1", "--repeats": "1",
    "--shortest-prompt": "4", "--longest-prompt": "20", "--response-length": "10", "--limit": "1",
    "--vocabulary": "261", "--hidden": "32", "--intermediate": "48", "--heads": "2", "--kv-heads": "1",
    "--head-dim": "16", "--length": "16", "--batch": "2", "--layers": "1", "--mask-token": "3",
    "--matrix": "64x32", "--block-size": "4", "--block": "4", "--tokens": "2", "--micro-batch": "1",
    "--width": "32", "--context": "64", "--prefill": "8", "--rows": "1,2",
}
NEEDED = {
    "generate": ["--target", "--prompt"], "pretrain": [
        "--data", "--tokenizer", "--output", "--vocabulary", "--hidden", "--intermediate", "--heads",
        "--kv-heads", "--head-dim", "--length", "--batch", "--steps", "--layers"],
    "distill": ["--target", "--data", "--output", "--responses", "--shortest-prompt", "--longest-prompt",
                "--response-length", "--steps", "--mask-token"],
    "force": ["--target", "--data", "--output", "--responses", "--shortest-prompt", "--longest-prompt",
              "--response-length", "--steps", "--block"],
    "analyze run": ["--target", "--prompts", "--trace", "--drafter", "--max-tokens"],
    "bench": ["--target", "--rounds"], "convert": ["--weights"],
}
POSITIONAL = {"inspect": ["target"], "convert": ["target", "out"], "analyze report": ["trace.jsonl"],
              "analyze advise": ["trace.jsonl"]}


class Lines(Kind):
    name = "lines"
    about = "random command lines: misspelt, doubled, clashing options, wrong and missing values"
    unit = "lines"

    def __init__(self, seed):
        super().__init__(seed)
        self.options = {}

    def prepare(self, place, number):
        source = self.source(number)
        command = source.choices(COMMANDS, [1 if name.startswith("bench") else 4 for name in COMMANDS])[0]
        if command not in self.options:
            text = place.runner.run(["help", *command.split()], place.folder, name="-help").output
            self.options[command] = parse(text.decode())
        place.copy(*INPUTS)
        return Plan(command, "", arguments=line(command, self.options[command], source))

    def judge(self, place, number, plan):
        process = place.start(plan.arguments)
        # Work that was rightly begun is ended by Ctrl-C.
        result = place.runner.interrupt(process, signal.SIGINT, 1.5, seconds=6)
        place.code = result.code
        # Benchmarks have models of published sizes where none is given.
        most = 4 << 20 if plan.subject.startswith("bench") else 2 << 20
        verdicts = judge(result, Bounds(kibibytes=most))
        for verdict in verdicts:
            if verdict.name == "trap":
                verdict.detail += " of " + " ".join(plan.arguments[:2])
        if result.code == 1 and result.lines and "Usage:" in result.lines[-1]:
            verdicts.append(Verdict("code", "a usage with exit code 1", result))
        return verdicts, 1


def parse(text):
    """Options of a help text, and whether they take a value."""
    options = {}
    for match in re.finditer(r"^  (?:-\w, )?(--[a-z0-9-]+)(?:/(--[a-z0-9-]+))?( <[^>]*>)?", text, re.M):
        for name in match.group(1, 2):
            if name and name not in COSTLY:
                options[name] = bool(match[3])
    return options


def line(command, options, source):
    """Some options that work, and a few things that don't."""
    chosen = []
    for prefix, names in NEEDED.items():
        if command.startswith(prefix):
            chosen += [name for name in names if name in options and source.random() < 0.93]
    words = [word for name in chosen for word in pair(name, options, source, 0.06)]
    for _ in range(source.choice([0, 1, 1, 1, 2, 3, 6])):
        words += pair(source.choice(sorted(options)), options, source, 0.6)
    positional = [word if source.random() < 0.9 else source.choice(VALUES)
                  for word in POSITIONAL.get(command, []) if source.random() < 0.95]
    words = command.split() + positional + words
    return [word.replace("\0", "") for word in spoil(words, source)]


def pair(name, options, source, wild):
    if not options[name]:
        return [name]
    value = SOUND.get(name, source.choice(["1", "2", "0.5", "0"]))
    if source.random() < wild:
        value = source.choice(VALUES)
        if name in TAKES_NUMBER and len(value) > 3:
            value = source.choice(["-1", "0", "x", "99999999999999999999"])
    return source.choice([[name, value], [name, value], [name, value], [f"{name}={value}"]])


def spoil(words, source):
    """Misspells, drops, doubles, moves a word now and then."""
    if source.random() < 0.7:
        return words
    words = list(words)
    place = source.randrange(len(words))
    action = source.choice(["misspell", "drop", "double", "move", "insert", "short"])
    if action == "misspell" and len(words[place]) > 2:
        letter = source.randrange(2, len(words[place]))
        words[place] = words[place][:letter] + source.choice("xy-") + words[place][letter + 1:]
    elif action == "drop":
        del words[place]
    elif action == "double":
        words.insert(place, words[place])
    elif action == "move":
        words.insert(source.randrange(len(words)), words.pop(place))
    elif action == "insert":
        words.insert(place, source.choice(VALUES + ["--help", "--version", "-h", "-x", "--unknown", "--"]))
    else:
        words[place] = words[place][1:]
    return words
