"""Counts of what was tried, kept between runs, and how they are shown."""
import json
import os
import sys
import threading
import time


class Tally:
    """Counts by kind: cases, inputs, refused, accepted, findings, seconds."""
    FIELDS = ["next", "cases", "inputs", "refused", "accepted", "findings", "skipped", "seconds"]

    def __init__(self, file):
        self.file = file
        self.lock = threading.Lock()
        self.kinds, self.subjects, self.skips = {}, {}, {}
        self.began, self.saved, self.shown = time.monotonic(), time.monotonic(), 0.0
        self.first = 0
        if file.exists():
            state = json.loads(file.read_text())
            self.kinds, self.subjects = state["kinds"], state["subjects"]
            self.skips = state["skips"]
            self.first = self.total("inputs")

    def of(self, kind):
        return self.kinds.setdefault(kind, dict.fromkeys(self.FIELDS, 0))

    def take(self, kind):
        """The number of the kind's next case."""
        with self.lock:
            counts = self.of(kind)
            counts["next"] += 1
            return counts["next"] - 1

    def add(self, kind, subject, inputs, refused, accepted, findings, seconds):
        with self.lock:
            counts = self.of(kind)
            for name, value in [("cases", 1), ("inputs", inputs), ("refused", refused),
                                ("accepted", accepted), ("findings", findings), ("seconds", seconds)]:
                counts[name] += value
            of_subject = self.subjects.setdefault(kind, {}).setdefault(
                subject, {"inputs": 0, "findings": 0})
            of_subject["inputs"] += inputs
            of_subject["findings"] += findings

    def skip(self, kind, reason):
        with self.lock:
            self.of(kind)["skipped"] += 1
            self.skips[reason] = self.skips.get(reason, 0) + 1

    def total(self, field):
        return sum(counts[field] for counts in self.kinds.values())

    def save(self, every=0.0):
        if time.monotonic() - self.saved < every:
            return False
        self.saved = time.monotonic()
        with self.lock:
            text = json.dumps(
                {"kinds": self.kinds, "subjects": self.subjects, "skips": self.skips}, indent=1)
        temporary = self.file.with_suffix(".tmp")
        temporary.write_text(text)
        os.replace(temporary, self.file)
        return True

    def show(self, deadline):
        """One line on a terminal, or one every half minute elsewhere."""
        now = time.monotonic()
        if now - self.shown < (0.5 if sys.stderr.isatty() else 30):
            return
        self.shown = now
        inputs = self.total("inputs")
        rate = (inputs - self.first) / max(0.001, now - self.began)
        by_kind = " ".join(f"{name} {counts['inputs']}" for name, counts in self.kinds.items())
        line = (f"{inputs} inputs, {self.total('findings')} findings, {rate:.1f}/s, "
                f"{max(0, deadline - now) / 60:.0f} min left | {by_kind}")
        end = "\r" if sys.stderr.isatty() else "\n"
        print(line[:150].ljust(150) if end == "\r" else line, end=end, file=sys.stderr, flush=True)

    def table(self):
        """The counts of all runs in this work folder."""
        rows = [["kind", "cases", "inputs", "refused", "accepted", "findings", "inputs/s"]]
        for name, counts in self.kinds.items():
            rate = counts["inputs"] / counts["seconds"] if counts["seconds"] else 0
            rows.append([name, *(str(counts[field]) for field in [
                "cases", "inputs", "refused", "accepted", "findings"]), f"{rate:.1f}"])
        rows.append(["all", *(str(self.total(field)) for field in [
            "cases", "inputs", "refused", "accepted", "findings"]), ""])
        return layout(rows)

    def subject_table(self):
        rows = [["kind", "of", "inputs", "findings"]]
        for kind, subjects in self.subjects.items():
            for subject, counts in sorted(subjects.items()):
                rows.append([kind, subject, str(counts["inputs"]), str(counts["findings"])])
        return layout(rows, words=2)


def layout(rows, words=1):
    """Columns as wide as they must be; all but the first are numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if column < words else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
