"""Asks for /health and /metrics all the time, and sees that both answer at once."""
import multiprocessing
import signal
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


class Prober:
    """One path, asked twice a second, by a process of its own: the clients' threads would hold it up."""

    def __init__(self, port, path, bound):
        self.port, self.path, self.bound = port, path, bound
        self.seconds, self.problems, self.most, self.last = [], [], {}, {}
        context = multiprocessing.get_context("fork")
        self.done = context.Event()
        self.receiver, sender = context.Pipe(duplex=False)
        self.process = context.Process(target=self._run, args=(sender,), daemon=True)

    def start(self):
        self.process.start()

    def stop(self, findings):
        """Ends it, and takes what it saw."""
        self.done.set()
        if not self.receiver.poll(60):
            return findings.add("no probe", f"{self.path}: the probe doesn't end")
        self.seconds, self.problems, self.most = self.receiver.recv()
        self.process.join(10)
        for kind, line in self.problems:
            findings.add(kind, line)

    def _run(self, sender):
        # Ctrl-C is for the process that reports.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self.done.is_set():
            begun = time.monotonic()
            try:
                self._probe()
                took = time.monotonic() - begun
                self.seconds.append(took)
                if took > self.bound:
                    self.problems.append(("slow probe", f"{self.path} took {took:.1f} s"))
            except (Closed, Stuck, ValueError, KeyError) as error:
                self.problems.append(("no probe", f"{self.path}: {error}"))
            self.done.wait(0.5)
        sender.send((self.seconds, self.problems, self.most))

    def _probe(self):
        if self.path == "/metrics":
            return self._check(metrics(self.port))
        with Wire(self.port, 30, 30) as wire:
            wire.ask("GET", self.path)
            status, headers = wire.head()
            wire.body(headers)
        if status != 200:
            raise Closed(f"status {status}")

    def _check(self, figures):
        """Counts never fall, and shares are shares."""
        for name, value in figures.items():
            if name.endswith("_total") and value < self.last.get(name, 0):
                self.problems.append(
                    ("metrics", f"{name} fell from {self.last[name]} to {value}"))
        if not 0 <= figures["kv_cache_usage_perc"] <= 1:
            self.problems.append(
                ("metrics", f"kv_cache_usage_perc is {figures['kv_cache_usage_perc']}"))
        self.last = figures
        for name in ("running", "waiting", "paused"):
            self.most[name] = max(self.most.get(name, 0), figures[f"num_requests_{name}"])

    def line(self):
        ordered = sorted(self.seconds) or [0]
        at = lambda share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]  # noqa: E731
        return (f"  {self.path:<9} {len(ordered)} times, milliseconds p50 {at(0.5):.0f}, "
                f"p99 {at(0.99):.0f}, at most {1000 * ordered[-1]:.0f}")
