"""The server under test: started, watched and ended."""
import os
import re
import signal
import subprocess
import threading
import time


class Server:
    """One `speculate serve` on a free port."""

    def __init__(self, program, arguments, log, folder):
        """folder: where the embedded models are looked for."""
        self.log = log
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        environment.pop("SPECULATE_API_KEY", None)
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                [str(program), "serve", "--port", "0", *arguments], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=file, env=environment, cwd=folder)
        self.port = None

    def wait_until_serving(self, seconds=300):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self.process.poll() is None:
            said = self.said()
            port = re.search(r"listening on http://127.0.0.1:(\d+)/", said)
            if port and "\nserving " in said:
                self.port = int(port[1])
                return
            time.sleep(0.05)
        self.kill()
        raise SystemExit(f"soak-serve: the server doesn't serve:\n{self.said()}")

    def said(self):
        return self.log.read_text(errors="replace")

    def leave(self, seconds):
        """Asks it to leave. Returns its exit code, None for none in time, and the seconds."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None, time.monotonic() - begun
        return code, time.monotonic() - begun

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def resident(self):
        """Bytes of memory; 0 once it has ended."""
        return 1024 * self._status("VmRSS")

    def threads(self):
        return self._status("Threads")

    def descriptors(self):
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except OSError:
            return 0

    def _status(self, name):
        try:
            with open(f"/proc/{self.process.pid}/status") as file:
                for line in file:
                    if line.startswith(name + ":"):
                        return int(line.split()[1])
        except OSError:
            pass
        return 0


class Sampler(threading.Thread):
    """Notes the resident memory while a load runs."""

    def __init__(self, server, every=0.5):
        super().__init__(daemon=True)
        self.server, self.every = server, every
        self.samples = []  # (seconds, bytes)
        self.done = threading.Event()

    def run(self):
        begun = time.monotonic()
        while not self.done.is_set():
            size = self.server.resident()
            if size:
                self.samples.append((time.monotonic() - begun, size))
            self.done.wait(self.every)

    def stop(self):
        self.done.set()
        self.join()

    def quarter(self, number):
        """The median of a quarter of the time, 0 to 3."""
        total = self.samples[-1][0] if self.samples else 0
        sizes = sorted(size for at, size in self.samples
                       if number * total / 4 <= at <= (number + 1) * total / 4)
        return sizes[len(sizes) // 2] if sizes else 0
