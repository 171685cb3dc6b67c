"""Both programs: ours continues prompts and traces its rounds, llama.cpp drafts at the same places."""
import json
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


class Failure(Exception):
    """A program ended with an error."""


def run(command, **options):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if done.returncode:
        text = f"{done.stderr.strip()[-2000:]}\n{' '.join(str(part) for part in command)}"
        raise Failure(text.strip())
    return done.stdout


class Ours:
    """What `speculate` drafts."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.program = options.speculate
        self.target = folder / "target.gguf"
        with open(options.prompt_file, encoding="utf-8") as file:
            self.lines = [line for line in file if line.strip()][:options.prompts]
        run([self.program, "convert", options.target, self.target, "--to", "gguf", "--weights", "f32"])

    def convert(self, drafter):
        """Writes a drafter as a GGUF file in F32, and returns that."""
        file = self.folder / "drafter.gguf"
        file.unlink(missing_ok=True)
        run([self.program, "convert", drafter, file, "--to", "gguf", "--weights", "f32",
             "--target", self.options.target])
        return file

    def texts(self, drafter, most=None):
        """The texts, of all prompts or the first few: tokens, and the traced rounds with the anchor's position
        as `anchor`.

        Rounds that draft fewer than others are left out: for the last few tokens of a text, blocks may be shorter
        here."""
        prompts = self.folder / "prompts.jsonl"
        prompts.write_text("".join(self.lines[:most]), encoding="utf-8")
        trace = self.folder / "trace.jsonl"
        trace.unlink(missing_ok=True)
        run([self.program, "analyze", "run", "--target", self.target, "--drafter", drafter, "--prompts",
             prompts, "--max-tokens", self.options.max_tokens, "--draft-length", 64, "--branches", 0,
             "--suffix", "off", "--threads", self.options.threads, "--trace", trace]
            + (["--chat"] if self.options.chat else []))
        found, prompt_ids = [], {}
        for line in trace.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["kind"] == "prompt":
                prompt_ids[record["prompt"]] = record["ids"]
            elif record["kind"] == "generation":
                found.append((list(prompt_ids[record["prompt"]]), []))
            elif record["kind"] == "round":
                tokens, rounds = found[-1]
                if record.get("drafts"):
                    rounds.append(record | {"anchor": len(tokens) - 1})
                tokens.extend(record["tokens"])
        longest = max((len(round["drafts"]) for _, rounds in found for round in rounds), default=0)
        whole = [(tokens, [round for round in rounds if len(round["drafts"]) == longest])
                 for tokens, rounds in found]
        return [(tokens, rounds) for tokens, rounds in whole if rounds]


class Theirs:
    """What llama.cpp drafts: a small program that is built against a tree of it."""

    def __init__(self, options, folder):
        self.options = options
        tree, built = options.llama, options.llama_build or options.llama / "build"
        self.program = folder / "drafts"
        libraries = built / "bin"
        run(["c++", "-std=c++17", "-O1", f"-I{tree}/include", f"-I{tree}/common", f"-I{tree}/ggml/include",
             f"-I{tree}/src", f"-I{tree}/vendor", FOLDER / "drafts.cpp", "-o", self.program,
             f"-L{libraries}", f"-Wl,-rpath,{libraries.resolve()}", "-lllama-common", "-lllama", "-lggml",
             "-lggml-base", "-lggml-cpu"])

    def blocks(self, target, drafter, texts):
        """For each round of the texts: `drafts`, pairs of `chances` (its own draft's and ours), and
        `confidences`."""
        begin = drafter.read_bytes()[:1 << 22]
        kind = "draft-dspark" if b"markov_w1" in begin else "draft-dflash"
        longest = max(len(round["drafts"]) for _, rounds in texts for round in rounds)
        feed = ["1" if b"conf_proj" in begin else "0"]
        for tokens, rounds in texts:
            feed.append(" ".join(map(str, tokens)))
            feed += [" ".join(map(str, [round["anchor"], round["accepted"], *round["drafts"]]))
                     for round in rounds] + [""]
        output = run(
            [self.program, "-m", target, "-md", drafter, "--spec-type", kind, "--spec-draft-n-max", longest,
             "--spec-draft-p-min", 0, "--no-spec-draft-backend-sampling", "-t", self.options.threads,
             "-c", 2048, "-fa", "off"]
            + [part for flag in ["-ctk", "-ctv", "-ctkd", "-ctvd"] for part in (flag, "f32")],
            input="\n".join(feed) + "\n")
        blocks = []
        for line in output.splitlines():
            name, *values = line.split()
            if name == "drafts":
                blocks.append({name: [int(value) for value in values]})
            elif name == "chances":
                numbers = [float(value) for value in values]
                blocks[-1][name] = list(zip(numbers[::2], numbers[1::2]))
            elif name == "confidences":
                blocks[-1][name] = [float(value) for value in values]
        count = sum(len(rounds) for _, rounds in texts)
        if len(blocks) != count:
            sys.exit(f"llama.cpp drafted {len(blocks)} times, not {count}")
        return blocks
