"""The command line, and the phases of a run: answers alone, the load, the quiet after it, the end."""
import argparse
import pathlib
import shlex
import signal
import sys
import tempfile
import time

import questions as questions_of
from answers import Answer
from clients import Client, Judge
from findings import Findings
from probes import Prober, metrics
from report import report
from server import Sampler, Server
from wire import Closed, Stuck, Wire

PACKAGE = pathlib.Path(__file__).resolve().parent.parent.parent

DESCRIPTION = """\
Puts a hostile load on `speculate serve` and judges every answer: clients of all manners at once, with
prompts, limits, sampling, penalties, stop texts, log-probabilities, several answers and streams drawn
by a seed; some read slowly, go away, send half a body, or what is wrong."""

EPILOG = """\
what happens:
  alone    a first server, without drafts, batches and prefix cache, answers each question by itself
  load     the server under test, with as many clients as told; every answer must equal the one alone,
           to the last digit of a log-probability
  quiet    the clients have gone: nothing may run, wait, or hold memory but the prefix cache
  end      the load again, and SIGTERM in the midst of it

what counts as a finding:
  wrong answer   an answer, or the beginning of one, differs from the one alone
  stuck          a request had neither answer nor end within --answer-timeout and 30 s
  cut, closed    an answer ended early, or a connection broke
  status, shape, refused   a mistake has another status than it must have, or no error of OpenAI's shape
  slow probe     /health or /metrics took longer than --probe-bound
  memory         the resident memory grew by more than 2 % from the third quarter of the load to the
                 last; judged from 4 minutes on, because caches fill before
  left over      something ran, waited or was open after all clients had gone
  end            SIGTERM was not answered by exit code 0 within --drain-timeout and 10 s
  log            the server wrote an error, or of a status of 500

  Scripts/soak-serve --minutes 10                       # what a release has to stand
  Scripts/soak-serve --minutes 1 --clients 12 --questions 30
  Scripts/soak-serve --target model.gguf --drafter none -- --max-sequences 8

Options behind -- go to the server under test. The exit code is 1 if there is a finding; requests and
both answers of the first few of each kind lie in --work. An error of these scripts is no finding."""


def parser():
    result = argparse.ArgumentParser(
        prog="Scripts/soak-serve", description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = result.add_argument
    add("--minutes", type=float, default=10, metavar="N", help="how long the load lasts (default: 10)")
    add("--clients", type=int, default=64, metavar="N", help="clients at a time (default: 64)")
    add("--seed", type=int, default=1, metavar="N", help="selects requests and manners (default: 1)")
    add("--questions", type=int, default=160, metavar="N",
        help="different sound requests, each answered alone first (default: 160)")
    add("--target", metavar="DIR", help="the target (default: the embedded pair)")
    add("--drafter", metavar="DIR", help="its drafter (default: as of speculate serve)")
    add("--longest-prompt", type=int, default=3000, metavar="N",
        help="characters of a prompt at most (default: 3000)")
    add("--kv-memory", type=int, default=160, metavar="N",
        help="megabytes for keys and values: little, so that sequences give memory back "
        "(default: 160)")
    add("--answer-timeout", type=float, default=120, metavar="S",
        help="seconds that an answer may take (default: 120)")
    add("--probe-bound", type=float, default=2, metavar="S",
        help="seconds that /health and /metrics may take (default: 2)")
    add("--drain-timeout", type=float, default=20, metavar="S",
        help="seconds for running answers when the server leaves (default: 20)")
    add("--speculate", type=pathlib.Path, default=PACKAGE / ".build/release/speculate", metavar="PATH",
        help="the program (default: .build/release/speculate)")
    add("--work", type=pathlib.Path, metavar="DIR",
        default=pathlib.Path(tempfile.gettempdir()) / "speculate-soak-serve",
        help="folder of logs and findings (default: speculate-soak-serve in that of temporary files)")
    add("more", nargs="*", metavar="-- OPTION", help="options of the server under test")
    return result


BODY_TIMEOUT = 8


def main(arguments):
    options = parser().parse_args(arguments)
    if not options.speculate.is_file():
        sys.exit(f"soak-serve: there is no program {options.speculate}; run 'make build', or give "
                 "--speculate")
    if options.minutes <= 0 or options.clients < 1 or options.questions < 1:
        sys.exit("soak-serve: --minutes, --clients and --questions have to be above 0")
    options.speculate, options.work = options.speculate.resolve(), options.work.resolve()
    for name in ("target", "drafter"):
        path = getattr(options, name)
        if path and pathlib.Path(path).exists():
            setattr(options, name, str(pathlib.Path(path).resolve()))
    options.work.mkdir(parents=True, exist_ok=True)
    for old in options.work.glob("*.json"):
        old.unlink()
    # The servers end with this script, however that ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    findings = Findings(options.work)
    run = Run(options, findings)
    try:
        run.alone()
        run.load()
    finally:
        run.close()
    print(report(run))
    return 1 if findings.kinds else 0


class Run:
    """The phases, one after the other."""

    def __init__(self, options, findings):
        self.options, self.findings = options, findings
        texts = [path.read_text() for path in sorted((PACKAGE / "Sources/Speculate").rglob("*.swift"))]
        texts = [text for text in texts if len(text) > 1500][:24]
        self.questions = questions_of.draw(
            options.questions, options.seed, texts, options.longest_prompt)
        self.expected = {}
        self.server = None
        template = options.work / "chat.jinja"
        template.write_text(questions_of.CHAT_TEMPLATE)
        self.models = ["--chat-template", str(template)]
        if options.target:
            self.models += ["--target", options.target]

    def start(self, name, arguments):
        self.server = Server(
            self.options.speculate, self.models + arguments, self.options.work / f"{name}.log",
            PACKAGE)
        self.server.wait_until_serving()
        return self.server

    def close(self):
        if self.server:
            self.server.kill()

    def alone(self):
        """Has each question answered by itself, by plain decoding."""
        server = self.start("alone", [
            "--drafter", "none", "--no-prefix-cache", "--max-sequences", "1"])
        self.alone_seconds = -time.monotonic()
        for question in self.questions:
            with Wire(server.port, 600, 600) as wire:
                wire.ask("POST", question.path, question.body(False))
                status, headers = wire.head()
                body = wire.body(headers)
            if status != 200:
                raise SystemExit(f"soak-serve: question {question.number} is no sound one: {body!r}")
            self.expected[question.number] = Answer().whole(body).form
        self.alone_seconds += time.monotonic()
        server.leave(30)

    def load(self):
        options = self.options
        drafter = ["--drafter", options.drafter] if options.drafter else []
        arguments = drafter + [
            "--kv-memory", str(options.kv_memory), "--answer-timeout", str(options.answer_timeout),
            "--drain-timeout", str(options.drain_timeout), "--body-timeout", str(BODY_TIMEOUT),
            "--max-connections", str(4 * options.clients + 64), *options.more]
        self.command = shlex.join(self.models + arguments)
        server = self.start("load", arguments)
        self.before = (server.resident(), server.descriptors())
        judge = self.judge()
        self.probers = [
            Prober(server.port, path, options.probe_bound) for path in ("/health", "/metrics")]
        self.sampler = Sampler(server)
        for thread in (*self.probers, self.sampler):
            thread.start()
        clients = self.crowd(judge, "load")
        ends = time.monotonic() + 60 * options.minutes
        while time.monotonic() < ends and server.process.poll() is None:
            time.sleep(0.2)
        self.sampler.stop()
        self.quiet(judge, clients)
        self.end(clients)

    def judge(self):
        options = self.options
        bound = options.answer_timeout + 30
        return Judge(self.server, self.questions, self.expected, self.findings, bound, bound,
                     BODY_TIMEOUT)

    def crowd(self, judge, name):
        clients = [Client(judge, number, f"{self.options.seed}/{name}")
                   for number in range(self.options.clients)]
        for client in clients:
            client.start()
        return clients

    def gather(self, clients):
        ends = time.monotonic() + self.options.answer_timeout + 60
        for client in clients:
            client.join(max(0, ends - time.monotonic()))
        if any(client.is_alive() for client in clients):
            self.findings.add("stuck", "a client didn't come to its end")

    def quiet(self, judge, clients):
        """The clients end what they do; then nothing may be left of them."""
        judge.done.set()
        self.gather(clients)
        for prober in self.probers:
            prober.stop(self.findings)
        if self.server.process.poll() is not None:
            return
        ends = time.monotonic() + 15
        while True:
            try:
                left = self.left_over()
            except (Closed, Stuck) as error:
                left = f"no metrics: {error}"
            if not left or time.monotonic() > ends:
                break
            time.sleep(0.2)
        if left:
            self.findings.add("left over", left)

    def left_over(self):
        figures = self.metrics = metrics(self.server.port)
        for name in ("running", "waiting", "paused"):
            if figures[f"num_requests_{name}"]:
                return f"{figures[f'num_requests_{name}']:.0f} requests are {name}"
        held = figures["kv_cache_usage_perc"] * self.options.kv_memory * (1 << 20)
        if held > figures["prefix_cache_bytes"] + 1:
            return f"{held:.0f} bytes of keys and values, {figures['prefix_cache_bytes']:.0f} of them cached"
        if self.server.descriptors() > self.before[1] + 4:
            return f"{self.server.descriptors()} open files, {self.before[1]} before"
        return None

    def end(self, clients):
        """SIGTERM in the midst of a load."""
        self.exit = (self.server.process.poll(), 0.0)
        if self.exit[0] is not None:
            return self.findings.add("end", f"the server ended by itself with {self.exit[0]}")
        judge = self.judge()
        clients = self.crowd(judge, "end")
        time.sleep(5)
        judge.leaving.set()
        self.exit = self.server.leave(self.options.drain_timeout + 10)
        judge.done.set()
        self.gather(clients)
        if self.exit[0] != 0:
            self.findings.add("end", f"exit code {self.exit[0]} after {self.exit[1]:.1f} s")
        for line in self.server.said().splitlines():
            words = line.split()
            if " status=500" in line or "Fatal error" in line or "atal error:" in line:
                self.findings.add("log", line[:300])
            elif len(words) > 1 and words[1] in ("error", "critical") and "status=503" not in line:
                self.findings.add("log", line[:300])
