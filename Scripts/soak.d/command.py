"""The command line: options, the run, the tables at its end."""
import argparse
import json
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile

import checking
import findings as findings_of
import kinds
import verdicts
from soaking import Soak
from tally import Tally

PACKAGE = pathlib.Path(__file__).resolve().parent.parent.parent

DESCRIPTION = """\
Repeats what hostile strangers do to `speculate`, with tiny models, and judges every answer: damaged
files, signals, two processes on one output, NaN in weights, too little memory or disk, outputs that
are someone else's, command lines that make no sense, and models of shapes that exist nowhere."""

EPILOG = """\
kinds for --only:
{kinds}

what counts as a finding, gravest first:
{verdicts}

A work folder (--work) keeps the counts, so that the same command goes on where the last one stopped,
with other cases. Cases are numbered; a case is a function of --seed, its kind and its number:

  Scripts/soak --minutes 120 --jobs 2 --work /dev/shm/soak    # 10^5 inputs and more
  Scripts/soak --minutes 10 --only kill --only rivals
  Scripts/soak --case damage/4711                             # one case again, with its verdicts
  Scripts/soak --minutes 0                                    # the tables so far

Each finding is a folder in WORK/findings: inputs/ (a copy of all that is needed), run.sh (the exact
command lines; SPECULATE=/path/to/speculate tries another build), stderr, stdout, and finding.json
(exit code, signal, seconds, memory). Findings that are alike are counted together and kept thrice.
The exit code is 1 if there is a finding, also one of an earlier run in the same folder."""


def parser():
    epilog = EPILOG.format(
        kinds="\n".join(f"  {kind.name:<10} {kind.about}" for kind in kinds.ALL),
        verdicts="\n".join(f"  {name:<10} {text}" for name, text in verdicts.ORDER.items()))
    result = argparse.ArgumentParser(
        prog="Scripts/soak", description=DESCRIPTION, epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [kind.name for kind in kinds.ALL]
    add = result.add_argument
    add("--minutes", type=float, default=10, metavar="N", help="how long (default: 10)")
    add("--jobs", type=int, default=1, metavar="N", help="processes at a time (default: 1)")
    add("--seed", type=int, default=1, metavar="N", help="selects the cases (default: 1)")
    add("--only", action="append", choices=names, metavar="KIND",
        help="this kind alone; may be given several times (default: all)")
    add("--case", metavar="KIND/NUMBER", help="run one case and say what is wrong with it")
    add("--check", action="store_true",
        help="only say which commands fail with sound inputs, and so need a look in soak.d")
    add("--speculate", type=pathlib.Path, default=PACKAGE / ".build/release/speculate", metavar="PATH",
        help="the program (default: .build/release/speculate)")
    add("--work", type=pathlib.Path, metavar="DIR",
        default=pathlib.Path(tempfile.gettempdir()) / "speculate-soak",
        help="folder of inputs, counts and findings; one in memory is quicker "
        "(default: speculate-soak in the folder of temporary files)")
    add("--timeout", type=float, default=20, metavar="S",
        help="seconds after which a tiny job hangs (default: 20)")
    add("--json", type=pathlib.Path, metavar="FILE", help="also write counts and findings as JSON")
    add("--fresh", action="store_true", help="forget the work folder's counts and findings first")
    return result


def main(arguments):
    options = parser().parse_args(arguments)
    options.only = options.only or [kind.name for kind in kinds.ALL]
    options.work = options.work.resolve()
    prepare(options)
    tally = Tally(options.work / "counts.json")
    findings = findings_of.Findings(options.work / "findings", options.program)
    soak = Soak(options, tally, findings)
    soak.build_world()
    if options.check:
        return check(soak)
    if options.case:
        return one_case(soak, options.case)
    before = {key: group["count"] for key, group in findings.groups.items()}
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    soak.run()
    findings.write_index()
    report(soak, before)
    if options.json:
        write_json(options.json, tally, findings)
    return 1 if findings.groups else 0


def interrupt(*_):
    """Ends the run early, with its tables."""
    raise KeyboardInterrupt


def prepare(options):
    """The work folder with a copy of the program, which a build may replace meanwhile."""
    if not options.speculate.is_file():
        sys.exit(f"soak: there is no program {options.speculate}; run 'make build', or give --speculate")
    if options.fresh:
        for name in ["counts.json", "findings"]:
            path = options.work / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    options.work.mkdir(parents=True, exist_ok=True)
    options.program = options.work / "speculate"
    if not is_current(options.program, options.speculate):
        options.program.unlink(missing_ok=True)
        shutil.copy2(options.speculate, options.program)


def is_current(copy, original):
    return copy.exists() and (copy.stat().st_mtime_ns, copy.stat().st_size) == (
        original.stat().st_mtime_ns, original.stat().st_size)


def check(soak):
    """Runs every command with sound inputs; says which fail."""
    place, count = soak.place("check"), 0
    for name, arguments, line in checking.failures(place):
        count += 1
        print(f"{name}: speculate {shlex.join(arguments)}\n    {printable(line)[:300]}")
    print(f"{count} sound commands fail")
    return 1 if count else 0


def one_case(soak, case):
    name, _, number = case.partition("/")
    kind = next((kind for kind in soak.kinds if kind.name == name), None)
    if not kind or not number.isdigit():
        sys.exit(f"soak: --case {case}: give KIND/NUMBER")
    place = soak.place("case")
    place.clear()
    plan = kind.prepare(place, int(number))
    found, _ = kind.judge(place, int(number), plan)
    print(f"{plan.subject}: {plan.note}\nin {place.folder}")
    found = list(found)
    for step in place.steps:
        print("$", step.line("speculate"))
    for verdict in found:
        print(f"{verdict.name}: {verdict.detail}")
    print(f"exit code {place.code}; {len(found)} findings")
    place.finish()
    return 1 if found else 0


def report(soak, before):
    tally, findings = soak.tally, soak.findings
    print(tally.subject_table(), tally.table(), sep="\n\n")
    for reason, count in tally.skips.items():
        print(f"skipped {count}: {reason}")
    if soak.errors:
        print(f"{len(soak.errors)} faults of this script, the first:\n{soak.errors[0]}")
    if not findings.groups:
        print("\nno findings")
        return
    print(f"\nfindings, in {findings.folder}:")
    for key, group in findings.sorted():
        new = "" if key in before else " (new)"
        folder = group["folders"][0] if group["folders"] else ""
        print(f"  {group['verdict']:<9} {group['count']:>5} x {group['kind']}: {group['command']}, "
              f"{group['subject']}{new}")
        print(f"{'':12}{printable(group['detail'][:180])}\n{'':12}{folder}")


def printable(text):
    """A text that leaves the terminal alone."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def write_json(file, tally, findings):
    file.write_text(json.dumps({
        "kinds": tally.kinds, "subjects": tally.subjects, "skips": tally.skips,
        "findings": [group | {"key": key} for key, group in findings.sorted()]}, indent=1) + "\n")
