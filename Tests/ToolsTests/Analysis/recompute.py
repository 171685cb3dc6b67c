#!/usr/bin/env python3
"""Recomputes the figures of report.json from a trace, independently of the program.

usage: recompute.py trace.jsonl report.json

Standard library only. Exits with 1 and says what differs; prints how many figures agree.
"""
import itertools
import json
import math
import random
import statistics
import struct
import sys

checked = 0
problems = []


def check(name, own, reported, relative=1e-6, absolute=1e-9):
    global checked
    checked += 1
    if own is None or reported is None:
        good = own is None and reported is None
    elif isinstance(own, (bool, str)) or isinstance(reported, (bool, str)):
        good = own == reported
    elif isinstance(own, list):
        good = len(own) == len(reported) and all(
            abs(a - b) <= absolute + relative * abs(a) for a, b in zip(own, reported))
    else:
        good = abs(own - reported) <= absolute + relative * abs(own)
    if not good:
        problems.append(f"{name}: computed {own}, reported {reported}")


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    header, prompts, runs, generation = lines[0], {}, [], None
    assert header["kind"] == "trace" and header["version"] == 1
    for line in lines[1:]:
        kind = line["kind"]
        if kind == "prompt":
            prompts[line["prompt"]] = line
        elif kind == "generation":
            generation = dict(line, rounds=[])
        elif kind == "round":
            generation["rounds"].append(line)
        elif kind == "end":
            generation["finish"] = line["finish"]
            runs.append(generation)
    return header, prompts, runs


def seconds(run):
    return sum(sum(r["us"].values()) for r in run["rounds"]) / 1e6


def output(run):
    return [t for r in run["rounds"] for t in r["tokens"]]


def judged(run, index):
    r = run["rounds"][index]
    drafts = len(r.get("drafts", []))
    if index == len(run["rounds"]) - 1 and run["finish"] != "cancelled":
        return min(drafts, len(r["tokens"]))
    return drafts


def depth(r):
    """Places of a round: the drafts of a chain, the levels of a tree."""
    levels = []
    for index, parent in enumerate(r.get("parents", range(-1, len(r.get("drafts", [])) - 1))):
        levels.append(1 + (levels[parent] if parent >= 0 else 0))
    return max(levels, default=0)


def places(run, index):
    return min(depth(run["rounds"][index]), judged(run, index))


def asked(run, index):
    """Drafts whose predecessors the target took, and whether it took them too; none behind an end."""
    r = run["rounds"][index]
    drafts, parents = r["drafts"], r.get("parents", range(-1, len(r["drafts"]) - 1))
    taken = [-1]
    for token in r["tokens"][: r["accepted"]]:
        taken.append(next(i for i in range(len(drafts))
                          if parents[i] == taken[-1] and drafts[i] == token))
    # The target has spoken at as many places as there are tokens.
    return [(i, i in taken) for i in range(len(drafts)) if parents[i] in taken[: len(r["tokens"])]]


def loops(tokens, period=20, length=40):
    tail = tokens[-length:]
    return len(tail) == length and any(
        all(tail[i] == tail[i - p] for i in range(p, length)) for p in range(1, period + 1))


def ratio(a, b):
    return a / b if b else 0.0


def interval(units, statistic, samples=2000):
    """The values of an own bootstrap, sorted: another generator, so they agree but for noise."""
    if units < 2:
        return None
    chance = random.Random(5)
    values = []
    for _ in range(samples):
        value = statistic([chance.randrange(units) for _ in range(units)])
        if value is not None:
            values.append(value)
    if len(values) * 2 <= samples:
        return None
    return sorted(values)


def check_interval(name, own, reported):
    """Compares by rank, where 2,000 samples put a cut at 2.5 % within half a point, whatever the
    distribution: from 0.5 % to 5 % is more than five standard deviations either way."""
    if own is None or reported is None:
        check(name, own, reported)
        return

    def share(good):
        return sum(map(good, own)) / len(own)

    slack = 1e-9 * (abs(own[0]) + abs(own[-1]))
    low, high = reported["low"], reported["high"]
    check(f"{name} low {low} in {own[0]}...{own[-1]}", True,
          share(lambda v: v < low - slack) <= 0.05 and share(lambda v: v <= low + slack) >= 0.005)
    check(f"{name} high {high} in {own[0]}...{own[-1]}", True,
          share(lambda v: v > high + slack) <= 0.05 and share(lambda v: v >= high - slack) >= 0.005)


def ratio_interval(pairs):
    def statistic(draw):
        bottom = sum(pairs[i][1] for i in draw)
        return sum(pairs[i][0] for i in draw) / bottom if bottom > 0 else None
    return interval(len(pairs), statistic)


class Prompt:
    """All runs of one prompt under one configuration."""

    def __init__(self, runs):
        self.runs = runs
        self.tokens = len(output(runs[0]))
        self.seconds = statistics.median(seconds(r) for r in runs)
        self.rounds = [(r, i) for r in runs for i in range(len(r["rounds"]))]


def curve(times):
    def at(width):
        xs, ys = times["widths"], times["seconds"]
        if len(xs) == 1 or width <= xs[0]:
            return ys[0]
        right = next((i for i, x in enumerate(xs) if x >= width), len(xs) - 1)
        share = (width - xs[right - 1]) / (xs[right] - xs[right - 1])
        return ys[right - 1] + share * (ys[right] - ys[right - 1])
    return at


def check_configuration(name, settings, prompts, baseline, reported):
    rounds = [r["rounds"][i] for p in prompts for r, i in p.rounds]
    tokens = sum(len(r["tokens"]) for r in rounds)
    drafted = [r for r in rounds if r.get("drafts")]
    check(name + " tokens", tokens, reported["tokens"])
    check(name + " rounds", len(rounds), reported["rounds"])
    check(name + " tau", ratio(tokens, len(rounds)), reported["tau"]["value"])
    check(name + " block efficiency",
          ratio(sum(len(r["tokens"]) for r in drafted), len(drafted)), reported["block_efficiency"])
    verified = sum(len(r["drafts"]) for r in drafted)
    check(name + " acceptance rate", ratio(sum(r["accepted"] for r in drafted), verified),
          reported["draft_acceptance_rate"]["value"])
    check(name + " mean verified", ratio(verified, len(drafted)), reported["mean_verified"])
    check_interval(name + " tau interval", ratio_interval([
        (sum(len(r["rounds"][i]["tokens"]) for r, i in p.rounds), len(p.rounds))
        for p in prompts]), reported["tau"].get("interval"))

    # Places.
    widest = max([places(r, i) for p in prompts for r, i in p.rounds] or [0])
    offered, reached, accepted = [0] * widest, [0] * widest, [0] * widest
    longest = max([r["accepted"] for r in drafted] or [-1])
    histogram, whole = [0] * (longest + 1), [0] * (longest + 1)
    bins = [[0, 0, 0.0] for _ in range(10)]
    for p in prompts:
        for run, i in p.rounds:
            r = run["rounds"][i]
            if not r.get("drafts"):
                continue
            count = places(run, i)
            for place in range(count):
                offered[place] += 1
                reached[place] += place <= r["accepted"]
                accepted[place] += place < r["accepted"]
            histogram[r["accepted"]] += 1
            whole[r["accepted"]] += r["accepted"] == depth(r)
            for draft, taken in asked(run, i):
                q = r["q"][draft] if "q" in r else None
                if q is None:
                    continue
                q = struct.unpack("f", struct.pack("f", q))[0]  # as the program holds it
                cell = bins[min(9, int(q * 10))]
                cell[0] += 1
                cell[1] += taken
                cell[2] += q
    check(name + " histogram", histogram, reported["acceptance_histogram"])
    check(name + " whole blocks", whole, reported["whole_blocks"])
    told = reported["places"]
    check(name + " offered", offered, [p["judged"] for p in told])
    check(name + " reached", reached, [p["reached"] for p in told])
    check(name + " accepted", accepted, [p["accepted"] for p in told])
    check(name + " rate", [ratio(a, b) for a, b in zip(accepted, offered)],
          [p["acceptance_rate"] for p in told])
    chances = [ratio(a, b) for a, b in zip(accepted, reached)]
    check(name + " conditional", chances, [p["conditional_rate"] for p in told])
    survival = list(itertools.accumulate(chances, lambda a, b: a * b))
    check(name + " survival", survival, [p["survival"] for p in told])

    # Calibration.
    check(name + " bins", [b[0] for b in bins], [b["count"] for b in reported["reliability"]])
    check(name + " bins accepted", [b[1] for b in bins],
          [b["accepted"] for b in reported["reliability"]])
    total = sum(b[0] for b in bins)
    error = sum(abs(b[1] - b[2]) for b in bins) / total if total else None
    check(name + " ECE", error, reported.get("expected_calibration_error"), relative=1e-5)

    # Sources.
    told = {}
    for p in prompts:
        for run, i in p.rounds:
            r = run["rounds"][i]
            if not r.get("drafts"):
                continue
            names = r.get("sources", [r["source"]] * len(r["drafts"]))
            for source in set(names):
                told.setdefault(source, [0] * 4)[0] += 1
            for source in names:
                told[source][1] += 1
            for draft, taken in asked(run, i):
                told[names[draft]][2] += 1
                told[names[draft]][3] += taken
    check(name + " sources", sorted(told) == sorted(s["source"] for s in reported["sources"]), True)
    for source in reported["sources"]:
        mine = told.get(source["source"], [0] * 4)
        check(f"{name} {source['source']}", mine,
              [source["rounds"], source["verified"], source["asked"], source["accepted"]])
        check(f"{name} {source['source']} rate", ratio(mine[3], mine[2]),
              source["conditional_rate"])
        check(f"{name} {source['source']} share", ratio(mine[3], tokens),
              source["share_of_tokens"])

    # Times.
    for part in ("draft", "verify", "sample", "other"):
        check(f"{name} {part} time", sum(r["us"].get(part, 0) for r in rounds) / tokens,
              reported["microseconds_per_token"][part])
    check(name + " tokens/s", sum(p.tokens for p in prompts) / sum(p.seconds for p in prompts),
          reported["tokens_per_second"]["value"])
    check(name + " loops", ratio(sum(loops(output(p.runs[0])) for p in prompts), len(prompts)),
          reported["loop_share"])

    # Why blocks end.
    ended = [r for r in rounds if "rejected" in r]
    told = [r for r in ended if r["rejected"]["draft"]]
    ranks, elsewhere = [0] * 5, 0
    for r in told:
        candidates = [c[0] for c in r["rejected"]["draft"]]
        if r["tokens"][-1] in candidates:
            ranks[candidates.index(r["tokens"][-1])] += 1
        else:
            elsewhere += 1
    counts = reported["rejections"]
    check(name + " rejections", len(ended), counts["all"])
    check(name + " candidates", len(told), counts["total"])
    check(name + " ranks", ranks, counts["by_rank"] + [0] * (5 - len(counts["by_rank"])))
    check(name + " elsewhere", elsewhere, counts["elsewhere"])
    check(name + " unsure", sum(r["p"][-1] < 0.5 for r in ended), counts["unsure"])

    if "cost" in settings and survival:
        verify, draft = curve(settings["cost"]["verify"]), curve(settings["cost"]["draft"])
        time = sum(verify(r["rows"]) + (draft(r["pass"]) if r.get("pass") else 0)
                   for r in rounds)
        check(name + " expected", tokens / time * verify(1), reported["expected_speedup"])
        # Earlier text holds a match in some rounds only; the others are plain.
        share = 1 if settings.get("maximum_drafts") else ratio(sum(histogram), len(rounds))
        for point in reported["expectations"]:
            k = point["drafts"]
            check(f"{name} expected at {k}",
                  (share * (1 + sum(survival[:k])) + 1 - share)
                  / (share * (draft(k) + verify(k + 1)) + (1 - share) * verify(1)) * verify(1),
                  point["speedup"])
    if baseline:
        check(name + " identical",
              all(output(r) == output(b.runs[0]) for p, b in zip(prompts, baseline)
                  for r in p.runs + b.runs), reported["identical"])
        compare(name + " speed-up", baseline, prompts, reported["speedup"]["value"],
                reported["speedup"].get("interval"), reported["speedup_p_value"])


def compare(name, first, second, value, ends, p_value):
    pairs = list(zip(first, second))

    def speed(draw):
        return (sum(pairs[i][1].tokens for i in draw) / sum(pairs[i][1].seconds for i in draw)
                / (sum(pairs[i][0].tokens for i in draw) / sum(pairs[i][0].seconds for i in draw)))

    check(name, speed(range(len(pairs))), value)
    check_interval(name, interval(len(pairs), speed), ends)
    logs = [math.log((b.tokens / b.seconds) / (a.tokens / a.seconds)) for a, b in pairs]
    if len(logs) <= 16:
        seen = abs(sum(logs)) - 1e-12 * sum(map(abs, logs))
        signs = itertools.product((1, -1), repeat=len(logs))
        extreme = sum(abs(sum(s * v for s, v in zip(sign, logs))) >= seen for sign in signs)
        check(name + " p", extreme / 2 ** len(logs), p_value)
    else:
        chance = random.Random(9)
        seen = abs(sum(logs))
        extreme = 1 + sum(
            abs(sum(v if chance.random() < 0.5 else -v for v in logs)) >= seen
            for _ in range(4000))
        check(name + " p", extreme / 4001, p_value, absolute=0.04)


def main():
    header, prompts, runs = read(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        report = json.load(file)
    named = {}
    for index, settings in enumerate(header["configurations"]):
        by_prompt = {}
        for run in runs:
            if run["configuration"] == index:
                by_prompt.setdefault(run["prompt"], []).append(run)
        if by_prompt:
            named[settings["name"]] = (settings, [Prompt(r) for _, r in sorted(by_prompt.items())])
    check("configurations", sorted(named) == sorted(c["name"] for c in report["configurations"]),
          True)
    for reported in report["configurations"]:
        settings, mine = named[reported["name"]]
        baseline = named.get(settings.get("baseline"), (None, None))[1]
        check_configuration(reported["name"], settings, mine, baseline, reported)
    for pair in report["comparisons"]:
        first, second = named[pair["first"]][1], named[pair["second"]][1]
        speed = pair["speed"]
        compare(f"{pair['second']} over {pair['first']}", first, second, speed["ratio"],
                speed.get("interval"), speed["p_value"])
        check("wins", sum(a.tokens / a.seconds < b.tokens / b.seconds
                          for a, b in zip(first, second)), speed["wins"])
    for row in report["categories"]:
        settings, mine = named[row["configuration"]]
        chosen = [p for p in mine
                  if prompts[p.runs[0]["prompt"]]["category"] == row["category"]]
        rounds = [r["rounds"][i] for p in chosen for r, i in p.rounds]
        check("category prompts", len(chosen), row["prompts"])
        check("category tau", ratio(sum(len(r["tokens"]) for r in rounds), len(rounds)), row["tau"])
        check("category tokens/s", sum(p.tokens for p in chosen) / sum(p.seconds for p in chosen),
              row["tokens_per_second"])
    for problem in problems:
        print(problem)
    print(f"{checked - len(problems)} of {checked} figures agree")
    sys.exit(1 if problems else 0)


main()
