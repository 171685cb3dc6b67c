"""What was counted, and what was found wrong."""
import collections
import json
import threading


class Findings:
    """Counts of outcomes and findings, shared by all threads."""

    kept = 20

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.outcomes = collections.Counter()  # (what was done, how it ended)
        self.kinds = collections.Counter()
        self.lines = []
        self.texts = 0  # answers compared
        self.tokens = 0

    def count(self, deed, outcome):
        with self.lock:
            self.outcomes[deed, outcome] += 1

    def compared(self, answers, tokens):
        with self.lock:
            self.texts += answers
            self.tokens += tokens

    def add(self, kind, line, **details):
        """Something is wrong. The details go to a file of their own, for a few of each kind."""
        with self.lock:
            self.kinds[kind] += 1
            if self.kinds[kind] > self.kept:
                return
            name = f"{kind.replace(' ', '-')}-{self.kinds[kind]}.json"
            self.lines.append(f"{kind}: {line}" + (f"  [{name}]" if details else ""))
            if details:
                text = json.dumps(details, indent=1, default=str, ensure_ascii=False)
                (self.folder / name).write_text(text)

    def table(self):
        """A row for each deed with its outcomes."""
        rows = collections.defaultdict(list)
        for (deed, outcome), count in sorted(self.outcomes.items()):
            rows[deed].append(f"{outcome} {count:,}")
        return [f"  {deed:<26} {', '.join(parts)}" for deed, parts in rows.items()]
