"""Command lines that work on the folder of `world.py`, in a fraction of a second each.

A writing command is described once here, and killed, doubled, starved and misdirected elsewhere.
"""
import dataclasses

THREADS = ["--threads", "1"]
PAIR = ["--target", "target", "--drafter", "drafter"]
PROMPTS = ["--shortest-prompt", "4", "--longest-prompt", "20", "--response-length", "20"]
ANSWERS = ["--target", "target", "--data", "documents.jsonl", *PROMPTS, "--responses", "20"]
MODEL = ["--vocabulary", "261", "--hidden", "32", "--intermediate", "64", "--layers", "2", "--heads", "2",
         "--kv-heads", "1", "--head-dim", "16", "--context", "128"]
LOG = ["--precision", "f32", *THREADS, "--checkpoint-seconds", "0.02", "--log-every", "1"]
BLOCKS = ["--block-size", "4", "--mask-token", "3", "--anchors", "4", "--batch", "4"]
DRAFTER = ["--layers", "1", "--draft-vocabulary", "100", *BLOCKS]
HELDOUT = ["--heldout", "heldout.jsonl", "--evaluate-every", "8", "--evaluation-prompts", "2"]


def merged(arguments, more):
    """A command line with more options, which stand instead of the same ones before."""
    arguments, more = list(arguments), list(more)
    for name in more:
        if name.startswith("--") and name in arguments and name != "--prompts":
            start = arguments.index(name)
            takes_value = start + 1 < len(arguments) and not arguments[start + 1].startswith("--")
            del arguments[start:start + 1 + takes_value]
    return arguments + more


def generate(*more, drafter="drafter", target="target", tokens=12):
    return ["generate", "--target", target, "--drafter", drafter, "--max-tokens", str(tokens),
            "--json", *THREADS, *more]


def pretrain(output, *more, data=("--data", "documents.jsonl"), steps=20):
    return merged([
        "pretrain", *data, "--tokenizer", "tokenizer.model", *MODEL, "--length", "32", "--batch", "4",
        "--steps", str(steps), "--output", output, *LOG], more)


def distill(output, *more, answers=tuple(ANSWERS), drafter=tuple(DRAFTER), steps=20):
    return merged(
        ["distill", *answers, *drafter, "--steps", str(steps), "--output", output, *LOG], more)


def distill_data(output, *more, target="target"):
    answers = [target if word == "target" else word for word in ANSWERS]
    return merged(["distill", "data", *answers, "--output", output, *THREADS], more)


def force(output, *more, answers=tuple(ANSWERS), steps=12):
    return merged([
        "force", *answers, "--block", "4", "--window", "6", "--steps", str(steps), "--batch", "4",
        "--output", output, *LOG], more)


def force_data(output, *more):
    return merged(["force", "data", *ANSWERS, "--block", "4", "--output", output, *THREADS], more)


def cut_answers(output):
    return distill_data(output, "--responses", "300", "--response-batch", "4")


def convert(output, *more, source="target"):
    return ["convert", source, output, "--weights", "int8", *more]


def analyze_run(trace, *more):
    return merged([
        "analyze", "run", "--target", "target", "--drafter", "drafter", "--draft-length", "3",
        "--prompts", "few.jsonl", "--max-tokens", "20", "--trace", trace, *THREADS], more)


# What the program itself makes of the handmade inputs, in this order.
SOUND = [
    ("drafter with every head", distill(
        "drafter-heads", "--markov-rank", "4", "--confidence", "1", steps=3)),
    ("drafter that sees tokens", distill("drafter-tokens", "--kind", "tokens", steps=4)),
    ("drafter with its own embedding", distill(
        "drafter-own", "--kind", "tokens", "--own-embedding", steps=4)),
    ("answers", distill_data("answers")),
    ("features", distill_data(
        "answers-features", "--store-taps", "0,1", "--store-log-probabilities", "3")),
    ("trajectories", force_data("trajectories")),
    ("pretraining", pretrain("pretrained", steps=10)),
    ("forcing", force("forced", steps=4)),
    ("int8 model", convert("target-int8")),
    ("int4 model", ["convert", "target", "target-int4", "--weights", "int4"]),
    ("bf16 model", ["convert", "target", "target-bf16", "--weights", "bf16"]),
    ("trace", analyze_run("trace.jsonl")),
    ("compressed trace", analyze_run("z-trace.jsonl.zst")),
    ("trace of a generation", generate("--prompt", "abc", "--trace", "short.jsonl")),
]


# Trainings to be interrupted, and gone on with by the same command.
CUT = {
    "pretrained-cut": pretrain("pretrained-cut", steps=450),
    "drafter-cut": distill("drafter-cut", "--markov-rank", "4", "--confidence", "1", steps=180),
    "forced-cut": force("forced-cut", steps=180),
}


@dataclasses.dataclass
class Writer:
    """A command that writes, its inputs, and which of its outputs depend on nothing but them."""
    name: str
    arguments: object  # a function of the output's path
    inputs: list
    output: str
    exact: list  # files that must agree byte for byte; relative to the output, '' is itself
    tensors: list = dataclasses.field(default_factory=list)  # whose values must agree
    resumes: bool = True
    loose: bool = False  # a file of JSON lines that must agree without its times


WRITERS = [
    Writer("pretrain", lambda out: pretrain(
        out, "--heldout-data", "documents.jsonl", "--evaluation-batch", "4", "--evaluate-every", "60",
        steps=150),
           ["documents.jsonl", "tokenizer.model"], "out",
           ["model.safetensors", "config.json", "tokenizer.model"], ["checkpoint.safetensors"]),
    Writer("distill data", lambda out: distill_data(out, "--responses", "120"),
           ["documents.jsonl", "target"], "out", ["manifest.json", "0000000.responses.zst"]),
    Writer("distill data, features",
           lambda out: distill_data(out, "--responses", "120", "--store-taps", "0,1",
                                    "--store-log-probabilities", "3"),
           ["documents.jsonl", "target"], "out",
           ["manifest.json", "0000000.responses.zst", "features/manifest.json",
            "features/0000000.features.zst"]),
    Writer("distill", lambda out: distill(
        out, *HELDOUT, "--evaluation-length", "20", "--save-best", "--markov-rank", "4", steps=60),
           ["documents.jsonl", "heldout.jsonl", "target"], "out",
           ["model.safetensors", "config.json", "responses/manifest.json",
            "responses/0000000.responses.zst", "best/model.safetensors", "samples.json"],
           ["checkpoint.safetensors"]),
    Writer("distill, tokens", lambda out: distill(
        out, *HELDOUT, "--evaluation-length", "20", "--kind", "tokens", steps=60),
           ["documents.jsonl", "heldout.jsonl", "target"], "out", ["model.safetensors", "config.json"],
           ["checkpoint.safetensors"]),
    Writer("force data", lambda out: force_data(out, "--responses", "60"),
           ["documents.jsonl", "target"], "out",
           ["responses/manifest.json", "trajectories-4/manifest.json",
            "trajectories-4/0000000.trajectories.zst"]),
    Writer("force", lambda out: force(
        out, *HELDOUT, "--evaluation-length", "12", "--evaluation-tokens", "200", steps=40),
           ["documents.jsonl", "heldout.jsonl", "target"], "out",
           ["model.safetensors", "config.json", "trajectories-4/0000000.trajectories.zst"],
           ["checkpoint.safetensors"]),
    Writer("convert", convert, ["target"], "out",
           ["model.safetensors", "config.json", "tokenizer.model"], resumes=False),
    Writer("analyze run", lambda out: analyze_run(
        out, "--prompts", "prompts.jsonl", "--max-tokens", "60"),
           ["few.jsonl", "prompts.jsonl", "target", "drafter"], "out.jsonl", [], loose=True),
    Writer("analyze report", lambda out: [
        "analyze", "report", "trace.jsonl", "--output", out],
           ["trace.jsonl"], "out", ["report.json", "report.html", "summary.csv"]),
    Writer("generate --trace", lambda out: [
        "generate", *PAIR, "--prompt-file", "prompts.jsonl", "--max-tokens", "60", "--draft-length",
        "3", "--trace", out, *THREADS],
           ["prompts.jsonl", "target", "drafter"], "out.jsonl", [], resumes=False, loose=True),
]
