"""Keeps what was found: counted by likeness, with a folder that repeats each."""
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import threading

import verdicts

KEPT = 3  # folders for findings that are alike
TRACED = 200  # traps whose place is looked for, in a second run that takes a second or more
BY_SUBJECT = ("loss", "silent", "accepted", "litter")  # are alike only where the subject is the same


class Findings:
    """All findings of a work folder, those of earlier runs included."""

    def __init__(self, folder, program):
        self.folder = folder
        self.program = program
        self.index = folder / "index.json"
        self.lock = threading.Lock()
        self.traps = 0
        self.changed = False
        folder.mkdir(parents=True, exist_ok=True)
        self.groups = json.loads(self.index.read_text()) if self.index.exists() else {}

    def add(self, kind, subject, case, verdict, steps, rebuild):
        """Counts a finding; the first few that are alike are saved by `rebuild(folder)`."""
        detail = verdict.detail
        if verdict.name == "trap" and verdict.result is not None and "Fatal" not in detail:
            self.traps += 1
            if self.traps < TRACED:
                detail += self.place(steps, rebuild)
        parts = (kind, verdict.name, command(verdict, steps), verdicts.pattern(detail),
                 subject if verdict.name in BY_SUBJECT else "")
        key = hashlib.sha1("|".join(parts).encode()).hexdigest()[:8]
        with self.lock:
            group = self.groups.setdefault(key, {
                "kind": kind, "verdict": verdict.name, "command": parts[2], "subject": subject,
                "detail": detail[:600], "count": 0, "folders": []})
            group["count"] += 1
            number = len(group["folders"])
            self.changed = True
            if number >= KEPT:
                return
            folder = self.folder / f"{verdict.name}-{kind}-{key}-{number + 1}"
            group["folders"].append(folder.name)
            self.write_index()
        rebuild(folder / "inputs")
        self.describe(folder, kind, subject, case, verdict, detail, steps)

    def place(self, steps, rebuild):
        """Where a trap happened, from a second run with a backtrace; empty if it doesn't return."""
        folder = self.folder / f"again-{threading.get_ident()}"
        try:
            rebuild(folder)
            text = ""
            for step in steps:
                environment = step.environment | {
                    "SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no,threads=crashed,limit=12,"
                    "images=none,registers=none"}
                text = subprocess.run(
                    [*step.prefix, str(self.program), *step.arguments], cwd=folder, env=environment,
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                ).stderr.decode(errors="replace")
            return frames(text)
        except (OSError, subprocess.SubprocessError):
            return ""
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def describe(self, folder, kind, subject, case, verdict, detail, steps):
        folder.mkdir(exist_ok=True)
        lines = ["#!/bin/bash", f"# {verdict.name}: {verdicts.ORDER[verdict.name]}",
                 f"# {kind} of {subject}, case {case}"]
        lines += [f"# {line}" for line in detail.splitlines()[:12]]
        lines += ['cd "$(dirname "$0")/inputs"', f"speculate=${{SPECULATE:-{self.program}}}", "set -x"]
        for step in steps:
            if step.note:
                lines.append(f"# {step.note}")
            lines.append(step.line('"$speculate"'))
        script = folder / "run.sh"
        script.write_text("\n".join(lines) + "\n", errors="surrogateescape")
        script.chmod(0o755)
        result = verdict.result
        if result is not None:
            (folder / "stderr").write_bytes(result.error)
            (folder / "stdout").write_bytes(result.output)
        (folder / "finding.json").write_text(json.dumps({
            "verdict": verdict.name, "kind": kind, "subject": subject, "case": case,
            "detail": detail, "commands": [step.line("speculate") for step in steps],
            "exit_code": getattr(result, "code", None), "signal": getattr(result, "signal", None),
            "seconds": getattr(result, "seconds", None),
            "resident_kibibytes": getattr(result, "kibibytes", None)}, indent=1) + "\n")

    def save(self):
        """Writes down what was counted since the last time."""
        with self.lock:
            if self.changed:
                self.changed = False
                self.write_index()

    def write_index(self):
        temporary = self.index.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.groups, indent=1))
        os.replace(temporary, self.index)

    def sorted(self):
        """Groups, gravest first."""
        order = list(verdicts.ORDER)
        return sorted(self.groups.items(),
                      key=lambda item: (order.index(item[1]["verdict"]), -item[1]["count"]))


class Step:
    """One command line of a case, as it was run."""

    def __init__(self, arguments, environment, prefix=(), note="", stdin=""):
        self.arguments = list(arguments)
        self.environment = environment
        self.prefix = list(prefix)
        self.note = note
        self.stdin = stdin

    def line(self, program):
        words = [shlex.quote(word) for word in self.prefix] + [program]
        words += [shlex.quote(word) for word in self.arguments]
        own = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()
               if name in ("XDG_CACHE_HOME",)]
        return " ".join(own + words) + (f" < {shlex.quote(self.stdin)}" if self.stdin else "")


def command(verdict, steps):
    """The subcommand that a finding is about."""
    arguments = verdict.result.arguments if verdict.result else steps[-1].arguments if steps else []
    words = []
    for word in arguments[:2]:
        if not word.isalpha():
            break
        words.append(word)
    keep = 2 if words and words[0] in ("distill", "force", "analyze", "bench") else 1
    return " ".join(words[:keep])


def frames(text):
    """The innermost functions of a backtrace that are the program's own."""
    import re
    found = re.findall(r"^\s*\d+ (?:\[[^\]]*\] )*(?:0x)?[0-9a-f]* ?(.*? in \S+)", text, re.M)
    own = [frame for frame in found if " in speculate" in frame or "at /" in frame]
    message = re.search(r"(Fatal error.*|.*Program crashed.*|.*Crash.*)", text)
    head = message[0].strip() if message else ""
    return " | ".join([head] + (own or found)[:3])
