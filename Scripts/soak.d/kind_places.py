"""Outputs that aren't one's own: inputs, their parents and children, links, models, notes."""
import os

import place as places
import recipes
import writers
from kinds_base import Kind, Plan
from verdicts import Verdict, judge, last_line

FOLDERS = [
    "", ".", "..", "INPUT", "INPUT/", "./INPUT/.", "PARENT", "INPUT/child", "link-to-INPUT",
    "link-to-INPUT/child", "small", "drafter-heads", "pretrained", "notes", "notes/note.txt", "answers",
    "trajectories", "forced", "new\nline", "/dev/null", "/proc/self/out", "missing/deep/er",
    "link-to-nowhere", "notes/../INPUT", "-", " ", "ä\u0301", "x" * 300, "INPUT/config.json",
]
# Where a command goes on with, or adds to, what it made itself.
OWN = {("answers", "distill data"), ("answers", "distill data, features"), ("trajectories", "force data"),
       ("pretrained", "analyze report"), ("notes", "analyze report")}
INTO = ["notes", "answers", "trajectories", "small", "drafter-heads", "pretrained", "forced"]


class Places(Kind):
    name = "places"
    about = "outputs that aren't one's own: inputs, parents, children, links, foreign models, notes"

    def prepare(self, place, number):
        writer = writers.by_number(number)
        where = FOLDERS[number // len(recipes.WRITERS) % len(FOLDERS)]
        copy = ["small", "drafter-heads", "pretrained", "answers", "trajectories", "forced"]
        # One folder further down, so that '..' and the parent are this case's own.
        own, place.folder = place.folder, place.folder / "here"
        try:
            place.folder.mkdir()
            writers.copy(place, writer)
            place.copy(*copy)
            self.notes(place.folder)
        finally:
            place.folder = own
        source = self.source(number)
        given = source.choice([name for name in writer.inputs])
        (place.folder / "here" / f"link-to-{given}").symlink_to(given)
        (place.folder / "here" / "link-to-nowhere").symlink_to("nothing-there")
        output = where.replace("INPUT", given).replace("PARENT", "../here")
        return Plan(repr(where)[:24], f"--output {output!r}", writer=writer, output=output,
                    where=where)

    def notes(self, folder):
        (folder / "notes").mkdir()
        (folder / "notes/note.txt").write_text("do not lose this\n")
        (folder / "notes/config.json").write_text('{"mine": true}\n')
        (folder / "notes/metrics.jsonl").write_text('{"mine": true}\n')

    def judge(self, place, number, plan):
        before = places.tree(place.folder)
        arguments = plan.writer.arguments(plan.output)
        own, place.folder = place.folder, place.folder / "here"
        try:
            result = place.run(arguments, note=f"in inputs/here: {plan.note}")
        finally:
            place.folder = own
        verdicts = judge(result)
        verdicts += self.changes(before, places.tree(place.folder), plan, result)
        return verdicts, 1

    def changes(self, before, after, plan, result):
        lost = sorted(path for path in before if before[path] != after.get(path))
        added = sorted(set(after) - set(before))
        told = f"{plan.where[:24]!r}: {last_line(result)[:120]}"
        if (plan.where, plan.writer.name) in OWN:
            return
        if lost:
            yield Verdict("loss", f"{', '.join(lost[:4])} changed; {told}", result)
        elif result.code == 0 and is_foreign(plan.where):
            yield Verdict("accepted", f"wrote {len(added)} files to {told}", result)
        elif result.code and added and not os.path.basename(plan.where) == "er":
            yield Verdict("litter", f"left {', '.join(added[:4])}; {told}", result)


def is_foreign(where):
    """Whether nobody may write there; a new or odd name is one's own business."""
    return where in ("", ".", "..", "PARENT", "notes/note.txt", "/dev/null") or "INPUT" in where \
        or where in INTO
