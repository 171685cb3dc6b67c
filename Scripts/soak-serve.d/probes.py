"""Asks for /health and /metrics all the time, and sees that both answer at once."""
import threading
import time

from wire import Closed, Stuck, Wire


def metrics(port, patience=30):
    """The figures of /metrics by name, those with labels of their own summed."""
    with Wire(port, patience, patience) as wire:
        wire.ask("GET", "/metrics")
        status, headers = wire.head()
        text = wire.body(headers).decode()
    if status != 200:
        raise Closed(f"/metrics answers {status}")
    figures = {}
    for line in text.splitlines():
        if line.startswith("speculate:"):
            name, _, value = line.rpartition(" ")
            name = name.split("{")[0].removeprefix("speculate:")
            figures[name] = figures.get(name, 0) + float(value)
    return figures


class Prober(threading.Thread):
    """One path, asked twice a second."""

    def __init__(self, server, path, bound, findings, isolated):
        super().__init__(daemon=True)
        self.server, self.path, self.bound = server, path, bound
        self.findings, self.leaving = findings, isolated
        self.seconds = []
        self.last = {}
        self.most = {}  # requests at a time: running, waiting, paused
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            begun = time.monotonic()
            try:
                self.probe()
                took = time.monotonic() - begun
                self.seconds.append(took)
                if took > self.bound:
                    self.findings.add("slow probe", f"{self.path} took {took:.1f} s")
            except (Closed, Stuck, ValueError) as error:
                if not self.leaving.is_set():
                    self.findings.add("no probe", f"{self.path}: {error}")
            self.done.wait(0.5)

    def probe(self):
        if self.path == "/metrics":
            return self.check(metrics(self.server.port))
        with Wire(self.server.port, 30, 30) as wire:
            wire.ask("GET", self.path)
            status, headers = wire.head()
            wire.body(headers)
        if status != 200 and not self.leaving.is_set():
            raise Closed(f"status {status}")

    def check(self, figures):
        """Counts never fall, and nobody runs who can't."""
        for name, value in figures.items():
            if name.endswith("_total") and value < self.last.get(name, 0):
                self.findings.add("metrics", f"{name} fell from {self.last[name]} to {value}")
        if not 0 <= figures["kv_cache_usage_perc"] <= 1:
            self.findings.add("metrics", f"kv_cache_usage_perc is {figures['kv_cache_usage_perc']}")
        self.last = figures
        for name in ("running", "waiting", "paused"):
            self.most[name] = max(self.most.get(name, 0), figures[f"num_requests_{name}"])

    def stop(self):
        self.done.set()
        self.join()

    def line(self):
        ordered = sorted(self.seconds) or [0]
        at = lambda share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]  # noqa: E731
        return (f"  {self.path:<9} {len(ordered)} times, milliseconds p50 {at(0.5):.0f}, "
                f"p99 {at(0.99):.0f}, at most {1000 * ordered[-1]:.0f}")
