"""Damaged inputs: every kind of file that a command reads."""
import hashlib
import json
import subprocess

import mutations
import world
from kinds_base import Kind, Plan, Skip
from subjects import SUBJECTS
from verdicts import Bounds, Verdict, last_line


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
        make_part(place, subject)
        path = place.folder / file
        if path.name in ("PASS_TIMES", "TAIL"):  # names that the program chose
            found = sorted(path.parent.rglob(
                "*.json" if path.name == "PASS_TIMES" else "tail-*.bin"))
            if not found:
                raise Skip(f"there is no file for damage of {subject.name}")
            path = source.choice(found)
        before = path.read_bytes()
        note = mutations.damage(path, source, self.others(place, path))
        weights = [command[0] for command in subject.commands]
        _, check, command = source.choices(subject.commands, weights)[0]
        top = file.split("/")[0]
        return Plan(
            subject.name, f"{file}: {note}", arguments=command(top), check=check.replace("TOP", top),
            command_check=check, top=top,
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
        options = {"environment": plan.environment}
        if plan.arguments[-1] == "-":
            options["stdin"] = plan.top
        if plan.note.endswith(": forbidden"):
            options |= place.as_nobody()
        result, verdicts = place.judged(
            plan.arguments, note=plan.note, bounds=Bounds(codes=frozenset({0, 1})), **options)
        if not verdicts and plan.check and not plan.unchanged:
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


def make_part(place, subject):
    """Leaves what an interrupted run would; it knows its folder, and so is made there."""
    if subject.before:
        place.runner.run(subject.before, place.folder, name="-before")
        world.cut_trace(place.folder)


def names(line, note):
    """Whether a message names the damaged file, its folder, or what it is."""
    path = note.split(":")[0]
    words = path.split("/") + ["target", "drafter", "tokenizer", "template", "prompt", "trace", "standard input"]
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
