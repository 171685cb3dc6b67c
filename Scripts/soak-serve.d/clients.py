"""What clients do: the well-behaved, the slow, the lost and the rude. Every answer is judged."""
import json
import random
import threading
import time

from answers import Answer, difference
from mistakes import BODIES, REQUESTS, is_error
from wire import Closed, Stuck, Wire, events, request


class Judge:
    """What all clients share: the server, the right answers, and when to end."""

    def __init__(self, server, questions, expected, findings, patience, bound, body_timeout):
        self.server, self.questions, self.expected = server, questions, expected
        self.findings = findings
        self.patience, self.bound, self.body_timeout = patience, bound, body_timeout
        self.done = threading.Event()
        self.leaving = threading.Event()  # the server was told to leave

    def wire(self, **more):
        return Wire(self.server.port, self.patience, self.bound, **more)

    def compare(self, deed, question, answer):
        wanted, found = self.expected[question.number], answer.form
        if json.dumps(wanted) == json.dumps(found):
            self.findings.count(deed, "as alone")
            self.findings.compared(len(found["choices"]), found["usage"][1] if found["usage"] else 0)
            return
        self.findings.count(deed, "OTHER THAN ALONE")
        self.findings.add(
            "wrong answer", f"question {question.number}, {deed}: {difference(wanted, found)}",
            fields=question.fields, wanted=wanted, found=found)

    def refused(self, deed, status, headers, body):
        """A sound request that was answered with another status than 200."""
        problem = is_error(body, status, None)
        if problem:
            self.findings.add("shape", f"{deed}: {problem}")
        if status == 429 and headers.get("retry-after", "").isdigit():
            self.findings.count(deed, "429")
            # Nobody waits as long as told, so that the queue stays full.
            self.done.wait(0.3)
        elif status == 503 and self.leaving.is_set():
            self.findings.count(deed, "503, leaving")
        else:
            self.findings.count(deed, f"{status}, NOT 200")
            self.findings.add("refused", f"{deed}: {status} {body[:200]!r}")


class Client(threading.Thread):
    """One client, which does one thing after the other."""

    def __init__(self, judge, number, seed):
        super().__init__(daemon=True)
        self.judge, self.number, self.seed = judge, number, seed

    def run(self):
        count = 0
        names, weights = [deed for deed, _ in DEEDS], [weight for _, weight in DEEDS]
        while not self.judge.done.is_set() and not self.judge.leaving.is_set():
            dice = random.Random(f"{self.seed}/{self.number}/{count}")
            count += 1
            deed = dice.choices(names, weights)[0]
            self.attempt(deed, dice)

    def attempt(self, deed, dice):
        judge, name = self.judge, deed.__name__.replace("_", " ")
        question = dice.choice(judge.questions)
        try:
            deed(judge, name, question, dice)
        except Stuck as error:
            judge.findings.count(name, "STUCK")
            judge.findings.add("stuck", f"{name}, question {question.number}: {error}",
                               fields=question.fields)
        except Closed as error:
            if judge.leaving.is_set():
                judge.findings.count(name, "closed, leaving")
            else:
                judge.findings.count(name, "CLOSED")
                judge.findings.add("closed", f"{name}, question {question.number}: {error}",
                                   fields=question.fields)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            judge.findings.count(name, "BROKEN")
            judge.findings.add("broken answer", f"{name}, question {question.number}: {error!r}",
                               fields=question.fields)


def take_whole(judge, name, question, wire):
    status, headers = wire.head()
    body = wire.body(headers)
    if status == 200:
        judge.compare(name, question, Answer().whole(body))
    else:
        judge.refused(name, status, headers, body)


def take_stream(judge, name, question, wire, pause=lambda: None, most=None):
    """Reads a stream; whoever leaves after some events has a beginning of the answer."""
    status, headers = wire.head()
    if status != 200:
        return judge.refused(name, status, headers, wire.body(headers))
    answer = Answer()
    for count, data in enumerate(events(wire.pieces(headers))):
        answer.event(data)
        if count == most:
            break
        pause()
    if answer.error is None and answer.is_done:
        return judge.compare(name, question, answer)
    if not answer.is_beginning(judge.expected[question.number]):
        judge.findings.count(name, "OTHER THAN ALONE")
        return judge.findings.add(
            "wrong answer", f"question {question.number}, {name}: the beginning differs",
            fields=question.fields, wanted=judge.expected[question.number], found=answer.form)
    if most is not None and answer.error is None:
        return judge.findings.count(name, "left")
    code = (answer.error or {}).get("code")
    if code == "request_timeout" and pause is not NOTHING:
        return judge.findings.count(name, "too slow, told so")
    if judge.leaving.is_set():
        return judge.findings.count(name, "cut, leaving")
    judge.findings.count(name, "CUT")
    judge.findings.add("cut", f"{name}, question {question.number}: {answer.error or 'no [DONE]'}",
                       fields=question.fields)


def NOTHING():  # noqa: N802
    """The pause of a reader who makes none."""


def whole(judge, name, question, dice):
    with judge.wire() as wire:
        for _ in range(dice.randint(1, 3)):
            wire.begin()
            wire.ask("POST", question.path, question.body(False))
            take_whole(judge, name, question, wire)
            question = dice.choice(judge.questions)
            if judge.done.is_set() or judge.leaving.is_set():
                return


def stream(judge, name, question, dice):
    with judge.wire() as wire:
        wire.ask("POST", question.path, question.body(True))
        take_stream(judge, name, question, wire, NOTHING)


def slow_reader(judge, name, question, dice):
    """Takes little at a time, with pauses; some take nothing for long, and then all."""
    long = [other for other in judge.questions if other.is_long]
    if long and dice.random() < 0.7:
        question = dice.choice(long)
    with judge.wire(receive_buffer=4096) as wire:
        wire.ask("POST", question.path, question.body(True))
        ends = time.monotonic() + dice.choice([dice.uniform(2, 12), dice.uniform(20, 40)])
        once = [dice.random() < 0.5]

        def pause():
            if once[0]:
                once[0] = False
                judge.done.wait(max(0, ends - time.monotonic()))
            elif time.monotonic() < ends:
                judge.done.wait(dice.uniform(0, 0.2))

        take_stream(judge, name, question, wire, pause)


def leave_a_stream(judge, name, question, dice):
    with judge.wire() as wire:
        wire.ask("POST", question.path, question.body(True))
        take_stream(judge, name, question, wire, NOTHING, most=dice.randint(0, 30))
        if dice.random() < 0.5:
            wire.abort()


def leave_an_answer(judge, name, question, dice):
    with judge.wire() as wire:
        wire.ask("POST", question.path, question.body(False))
        judge.done.wait(dice.expovariate(3))
        if dice.random() < 0.5:
            wire.abort()
    judge.findings.count(name, "left")


def half_a_body(judge, name, question, dice):
    """Goes away in the middle of a body, or holds it until it is told that it took too long."""
    body = question.body(False)
    data = request("POST", question.path, body)
    with judge.wire() as wire:
        wire.send(data[:len(data) - dice.randint(1, len(body))])
        if dice.random() < 0.7:
            if dice.random() < 0.5:
                wire.abort()
            return judge.findings.count(name, "left")
        status, headers = wire.head()
        text = wire.body(headers)
        if status == 408 and not is_error(text, status, None):
            judge.findings.count(name, "408")
        else:
            judge.refused(name, status, headers, text)


def dribbled_body(judge, name, question, dice):
    """A body in pieces, as chunks or as it is, within its time."""
    body = question.body(False)
    in_chunks = dice.random() < 0.5
    extra = {"Content-Length": None, "Transfer-Encoding": "chunked"} if in_chunks else {}
    with judge.wire() as wire:
        wire.send(request("POST", question.path, b"", extra or {"Content-Length": str(len(body))}))
        count = dice.randint(2, 12)
        ends = sorted(dice.sample(range(1, len(body)), min(count, len(body) - 1))) + [len(body)]
        begin = 0
        for end in ends:
            piece = body[begin:end]
            wire.send(b"%x\r\n%s\r\n" % (len(piece), piece) if in_chunks else piece)
            begin = end
            judge.done.wait(dice.uniform(0, judge.body_timeout / 40))
        if in_chunks:
            wire.send(b"0\r\n\r\n")
        take_whole(judge, name, question, wire)


def two_at_once(judge, name, question, dice):
    """Two requests in one piece, whose answers come in order."""
    other = dice.choice(judge.questions)
    with judge.wire() as wire:
        wire.send(request("POST", question.path, question.body(False))
                  + request("POST", other.path, other.body(False)))
        for own in (question, other):
            wire.begin()
            take_whole(judge, name, own, wire)


def mistake(judge, name, question, dice):
    """A request that can't be answered."""
    number = dice.randrange(len(BODIES) + len(REQUESTS))
    with judge.wire() as wire:
        if number < len(BODIES):
            kind, path, body, wanted, parameter = BODIES[number]
            wire.ask("POST", path, body)
        else:
            (kind, data, wanted), parameter = REQUESTS[number - len(BODIES)], None
            wire.send(data)
        status, headers = wire.head()
        text = wire.body(headers)
        if status == 503 and judge.leaving.is_set():
            return judge.findings.count(name, "503, leaving")
        if wanted is None and status == 200:
            return judge.findings.count(name, "answered")
        if status != (wanted or 400):
            judge.findings.count(name, "ANOTHER STATUS")
            return judge.findings.add(
                "status", f"{kind}: {status} instead of {wanted}: {text[:120]!r}")
        problem = None if kind == "no HTTP" else is_error(text, status, parameter)
        if problem:
            return judge.findings.add("shape", f"{kind}: {problem}")
        judge.findings.count(name, str(status))


# What clients do, and how often.
DEEDS = [
    (whole, 30), (stream, 30), (slow_reader, 8), (leave_a_stream, 8), (leave_an_answer, 6),
    (half_a_body, 5), (dribbled_body, 4), (two_at_once, 3), (mistake, 12),
]
