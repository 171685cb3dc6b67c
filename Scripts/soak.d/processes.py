"""Runs the program as a stranger would, and measures what a judge needs to know."""
import dataclasses
import os
import select
import signal
import subprocess
import time


@dataclasses.dataclass
class Result:
    """How one process ended."""
    arguments: list
    code: int  # as a shell says it: 128 + n for signal n
    signal: int
    output: bytes
    error: bytes
    seconds: float
    kibibytes: int  # the greatest resident size
    timed_out: bool
    sent: str = ""  # a signal that was sent on purpose
    answer: float = 0.0  # seconds from that signal to the end
    patience: float = 1.0  # by how much a loaded machine may be slower

    @property
    def lines(self):
        return [line for line in self.error.decode(errors="replace").split("\n") if line.strip()]

    @property
    def complaint(self):
        """The lines that say what went wrong, without progress."""
        return [line for line in self.lines if line.startswith("error:")]


# Something that hangs does so three times as long as well.
PATIENCE = 3


def patience():
    """By how much longer everything may take: other programs may want the cores, too."""
    return PATIENCE if os.getloadavg()[0] > (os.cpu_count() or 1) else 1


class Runner:
    """Starts processes of one program in one folder of scratch files."""

    def __init__(self, program, scratch, seconds=20.0, address_space=12 << 30):
        self.program = program
        self.scratch = scratch
        self.seconds = seconds
        self.address_space = address_space
        scratch.mkdir(parents=True, exist_ok=True)

    def environment(self, extra=None):
        result = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.scratch), "COLUMNS": "100", "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": str(self.scratch / "cache"),
            "SPECULATE_WEIGHTS": "/nowhere", "SWIFT_BACKTRACE": "enable=no"}
        return result | (extra or {})

    def start(self, arguments, folder, environment=None, stdin=None, prefix=(), name="", **options):
        """A process that writes to files, so that no pipe fills up."""
        output, error = self.scratch / f"output{name}", self.scratch / f"error{name}"
        with open(output, "wb") as out, open(error, "wb") as err:
            process = subprocess.Popen(
                [*prefix, str(self.program), *arguments], cwd=folder, stdin=stdin or subprocess.DEVNULL,
                stdout=options.pop("stdout", out), stderr=err,
                env=self.environment(environment), **options)
        process.files = (output, error)
        process.begun = time.monotonic()
        process.arguments = list(arguments)
        return process

    def finish(self, process, seconds=None):
        """Waits for the end, or makes it."""
        timed_out = not wait(process.pid, (seconds or self.seconds) * PATIENCE)
        if timed_out:
            os.kill(process.pid, signal.SIGKILL)
        return self.collect(process, timed_out)

    def collect(self, process, timed_out=False):
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + number if number else os.WEXITSTATUS(status)
        process.returncode = code
        output, error = (read(path) for path in process.files)
        return Result(
            process.arguments, code, number, output, error, ended - process.begun, usage.ru_maxrss,
            timed_out)

    def run(self, arguments, folder, seconds=None, **options):
        return self.finish(self.start(arguments, folder, **options), seconds)

    def interrupt(self, process, number, delay, seconds=None):
        """Sends a signal after a delay, and says how long the process took to answer."""
        if wait(process.pid, delay):
            return self.collect(process)
        os.kill(process.pid, number)
        sent = time.monotonic()
        timed_out = not wait(process.pid, (seconds or self.seconds) * PATIENCE)
        if timed_out:
            os.kill(process.pid, signal.SIGKILL)
        result = self.collect(process, timed_out)
        result.sent = signal.Signals(number).name
        result.answer = time.monotonic() - sent
        result.patience = patience()
        return result


def wait(pid, seconds):
    """Whether a child ends within some seconds; it is not reaped."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0, seconds) * 1000))
    finally:
        os.close(descriptor)


def read(path, limit=1 << 20):
    """The beginning and the end of a file that may be long."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        if size <= limit:
            return file.read()
        head = file.read(limit // 2)
        file.seek(size - limit // 2)
        return head + b"\n[...]\n" + file.read()
