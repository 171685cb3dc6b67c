"""Too little memory, disk, files or processes; read-only folders; outputs that are full."""
import os
import shutil
import subprocess

import place as places
import recipes
import writers
from kinds_base import Kind, Plan, Skip
from verdicts import Bounds, Verdict, judge, last_line

READERS = [
    recipes.Writer("generate", lambda out: recipes.generate("--prompt", "abc"), ["target", "drafter"],
                   "none", []),
    recipes.Writer("inspect", lambda out: ["inspect", "target"], ["target"], "none", []),
    recipes.Writer("generate --compare", lambda out: [
        "generate", *recipes.PAIR, "--prompt-file", "few.jsonl", "--compare", "--repeats", "1",
        "--max-tokens", "8", "--threads", "2"], ["target", "drafter", "few.jsonl"], "none", []),
    recipes.Writer("bench memory", lambda out: [
        "bench", "memory", "--target", "target", "--rounds", "1"], ["target"], "none", []),
]
COMMANDS = recipes.WRITERS + READERS


class Limits(Kind):
    name = "limits"
    about = "ulimit -v, -f, -n, -u, full disks, read-only folders, /dev/full"

    def __init__(self, seed):
        super().__init__(seed)
        self.undisturbed = writers.Undisturbed()
        self.least = None
        self.limits = [self.memory, self.file_size, self.files, self.processes, self.full_disk,
                       self.read_only, self.full_output]

    def prepare(self, place, number):
        writer = COMMANDS[number % len(COMMANDS)]
        limit = self.limits[number // len(COMMANDS) % len(self.limits)]
        writers.copy(place, writer)
        return Plan(limit.__name__.replace("_", " "), limit.__name__, writer=writer, limit=limit)

    def judge(self, place, number, plan):
        writer, source = plan.writer, self.source(number, "values")
        before = writers.inputs_state(place, writer)
        arguments = writer.arguments(writer.output)
        result, note = plan.limit(place, source, arguments)
        verdicts = judge(result, Bounds(codes=frozenset({0, 1, 130})))
        if result.code == 127 and b"shared libraries" in result.error:
            return [], 1  # the loader failed, not the program
        if note == "ulimit-f 0":  # what would be said can't be written either: it goes to a file
            verdicts = [verdict for verdict in verdicts if verdict.name != "mute"]
        short = note.split(" ")[0].rstrip(":")
        for verdict in verdicts:
            verdict.detail = f"{short}: {verdict.detail}"
        if writers.inputs_state(place, writer) != before:
            verdicts.append(Verdict("loss", f"{note}: an input changed", result))
        if writer in recipes.WRITERS and not verdicts:
            verdicts += self.afterwards(place, writer, arguments, result, short)
        return verdicts, 1

    def afterwards(self, place, writer, arguments, limited, limit):
        """Without the limit the same command ends as if there had been none."""
        sound, _ = self.undisturbed.of(place, writer)
        if limited.code:
            is_whole = (place.folder / writer.output).is_file()  # only standard output failed
            if is_whole or not writer.resumes and (place.folder / writer.output).exists():
                if next(writers.differences(writer, sound, place.folder), None):
                    yield Verdict("litter", f"{limit}: left an incomplete output", limited)
                return
            last = place.run(arguments, seconds=30, note="without the limit")
            yield from judge(last)
            if last.code:
                yield Verdict("refused", f"{limit}: can't go on: {last_line(last)}", last)
                return
        for difference in writers.differences(writer, sound, place.folder):
            yield Verdict("silent", f"{limit}: {difference}", limited)
        left = writers.leftovers(writer, sound, place.folder)
        if left:
            yield Verdict("leftover", f"{limit}: {', '.join(left[:4])}")

    def ulimit(self, place, arguments, option, value, **options):
        prefix = ["/bin/sh", "-c", f'ulimit {option} {value}; exec "$@"', "sh"]
        note = f"ulimit{option} {value}"
        return place.run(arguments, prefix=prefix, note=note, **options), note

    def memory(self, place, source, arguments):
        if self.least is None:
            self.least = self.least_memory(place)
        # Below the least, libraries may fail to load; they should not hang.
        most = source.choices([None, 1.1, 1.3, 3], [1, 6, 6, 3])[0]
        value = int(self.least * (source.uniform(0.4, 1) if most is None else source.uniform(1, most)))
        return self.ulimit(place, arguments, "-v", value, seconds=5 if most is None else None)

    def least_memory(self, place):
        """Kibibytes of addresses without which not even the help comes."""
        low, high = 10_000, 2 << 20
        while high - low > 10_000:
            middle = (low + high) // 2
            prefix = ["/bin/sh", "-c", f'ulimit -v {middle}; exec "$@"', "sh"]
            works = place.runner.run(
                ["--help"], place.folder, seconds=2, prefix=prefix, name="-help").code == 0
            low, high = (low, middle) if works else (middle, high)
        return high

    def file_size(self, place, source, arguments):
        return self.ulimit(place, arguments, "-f", source.choice([0, 1, 2, 8, 32, 64, 100, 200, 400]))

    def files(self, place, source, arguments):
        return self.ulimit(place, arguments, "-n", source.randrange(3, 16))

    def processes(self, place, source, arguments):
        if arguments[0] in ("generate", "bench"):  # their results don't depend on threads
            arguments = [*without(arguments, "--threads"), "--threads", "2"]
        return self.ulimit(
            place, arguments, "-p", source.choice([1, 2, 3]), **place.as_nobody())

    def full_disk(self, place, source, arguments):
        """The folder moves to a small file system in memory."""
        size = sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())
        room = source.choice([4096, 16384, 65536, 100_000, 200_000, 400_000])
        hidden = place.folder.with_name("inputs")
        places.remove(hidden)
        place.folder.rename(hidden)
        place.folder.mkdir()
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={(size + 131072 + room) // 4096 * 4096}", "tmpfs",
             str(place.folder)], capture_output=True)
        if mount.returncode:
            raise Skip("no file system can be mounted as this user, so no disk is full")
        place.cleanups.append(lambda: subprocess.run(["umount", "-l", str(place.folder)]))
        shutil.copytree(hidden, place.folder, dirs_exist_ok=True)
        fill(place.folder / "filler", room)
        note = f"full_disk with {room} bytes left"
        result = place.run(arguments, note=note)
        (place.folder / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(place.folder)], check=True)
        return result, note

    def read_only(self, place, source, arguments):
        options = place.as_nobody(owner=0)
        place.folder.chmod(0o555)
        note = "read_only folder"
        try:
            return place.run(arguments, note=note, **options), note
        finally:
            place.folder.chmod(0o755)

    def full_output(self, place, source, arguments):
        note = "full_output: > /dev/full"
        with open("/dev/full", "wb") as full:
            return place.run(arguments, note=note, stdout=full), note


def without(arguments, name):
    """A command line without an option and its value."""
    if name not in arguments:
        return arguments
    start = arguments.index(name)
    return arguments[:start] + arguments[start + 2:]


def fill(path, room):
    """A file that leaves some bytes of the disk."""
    status = os.statvfs(path.parent)
    count = max(0, status.f_bavail * status.f_frsize - room)
    with open(path, "wb") as file:
        file.write(b"\0" * count)
