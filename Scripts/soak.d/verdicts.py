"""The rules by which an ended process is judged, all in this place."""
import dataclasses
import re

# What a finding is called, gravest first.
ORDER = {
    "trap": "ended by a signal or a runtime failure",
    "loss": "changed or removed what was there before",
    "silent": "succeeded with something else than the sound run's result",
    "both": "two processes wrote one output",
    "hang": "did not end in time, or ignored Ctrl-C",
    "bloat": "took more memory than the bound",
    "leftover": "left temporary files behind",
    "accepted": "wrote where it should have refused to",
    "litter": "refused, but wrote something first",
    "mute": "failed without a line that says why",
    "raw": "showed an error of the runtime instead of a sentence",
    "lines": "said its failure in more than one line",
    "long": "said its failure in a line longer than 700 characters",
    "nameless": "failed without naming the file that is damaged",
    "code": "ended with an exit code that the documentation doesn't know",
    "refused": "refused what it should have done",
}

RUNTIME = re.compile(
    rb"Fatal error|Precondition failed|Assertion failed|Thread \d+.*crashed|terminate called|"
    rb"Segmentation fault|stack smashing|malloc\(\)|free\(\):|corrupted (?:size|double)|\*\*\* Signal|Could not cast")
RAW = re.compile(
    r"EncodingError|DecodingError|NSCocoaErrorDomain|NSPOSIXErrorDomain|Error Domain=|codingPath|"
    r"CocoaError|UserInfo|debugDescription|std::|Optional\(|SpeculateError|typeMismatch|keyNotFound|"
    r"Foundation\.|Swift\.")
# What the program adds to a runtime's own line.
NO_MEMORY = "error: the system gives no more memory"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CODES = {0, 1, 64, 130}
LONGEST_LINE = 700


@dataclasses.dataclass
class Verdict:
    """One thing that is wrong with how a process ended."""
    name: str
    detail: str
    result: object = None


@dataclasses.dataclass
class Bounds:
    """What a job may take."""
    kibibytes: int = 1 << 20
    answer: float = 2.5  # the program gives itself two seconds
    codes: frozenset = frozenset(CODES)


def judge(result, bounds=Bounds()):
    """What is wrong with a process that may have succeeded or failed, but decently."""
    return [Verdict(name, detail, result) for name, detail in faults(result, bounds)]


def faults(result, bounds):
    if result.timed_out:
        yield ("hang", f"still running {result.answer:.1f} s after {result.sent}" if result.sent
               else f"still running after {result.seconds:.0f} s")
        return
    if result.sent in ("SIGINT", "SIGTERM") and result.answer > bounds.answer * result.patience:
        yield "hang", f"answered {result.sent} after {result.answer:.1f} s"
    if result.kibibytes > bounds.kibibytes:
        yield "bloat", f"{result.kibibytes >> 10} MiB resident"
    if is_trap(result):
        yield "trap", trap_detail(result)
    elif not result.signal and result.code not in bounds.codes:
        yield "code", f"exit code {result.code}: {last_line(result)}"
    elif result.code in (1, 64):
        yield from wording(result)


def is_trap(result):
    if result.signal and not (result.sent and result.signal == signal_number(result.sent)):
        return True
    if result.code == 1 and last_line(result).startswith(NO_MEMORY):
        return False
    return bool(RUNTIME.search(result.error)) and result.code != 0


def signal_number(name):
    import signal
    return getattr(signal, name).value


def trap_detail(result):
    told = RUNTIME.search(result.error)
    line = ""
    if told:
        start = result.error.rfind(b"\n", 0, told.start()) + 1
        line = result.error[start:start + 300].splitlines()[0].decode(errors="replace")
    return f"signal {result.signal}{': ' + line if line else ''}"


def wording(result):
    """Whether a failure is said in one helpful line, the last one."""
    complaint = result.complaint
    if not complaint:
        if not result.output:
            yield "mute", f"exit code {result.code} and {last_line(result)!r}"
        return
    line = complaint[-1]
    if len(complaint) > 1 or result.lines[-1] != line:
        yield "lines", f"{len(result.lines)} lines: {result.lines[-1]}"
    if RAW.search(line) or CONTROL.search(line):
        yield "raw", line
    if len(line) > LONGEST_LINE:
        yield "long", f"{len(line)} characters: {line[:200]}"


def last_line(result):
    return result.lines[-1][:300] if result.lines else "(nothing on standard error)"


def pattern(text):
    """A message without what differs from case to case, to count alike findings together."""
    text = re.sub(r"\.[0-9a-z]{8,}\.tmp", ".R.tmp", text)
    text = re.sub(r"/[^\s:,;)’']+", "PATH", text)
    text = re.sub(r"[\"“‘'][^\"”’']*[\"”’']", "Q", text)
    text = re.sub(r"-?\d[\d.,]*(e[+-]?\d+)?", "N", text)
    text = re.sub(r"(N[\s,]*){2,}", "N", text)
    text = re.sub(r"[^\x20-\x7e]+", "?", text)
    return text[:160]
