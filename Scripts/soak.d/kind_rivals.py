"""Two processes at once on one output."""
import os
import re
import signal
import time

import processes
import writers
from kinds_base import Kind, Plan
from verdicts import Verdict, judge, last_line

HOLDER = re.compile(r"process|pid|another|in use|running|already")


class Rivals(Kind):
    name = "rivals"
    about = "two processes at once on one output: exactly one wins, the other names it"
    unit = "pairs"

    def __init__(self, seed):
        super().__init__(seed)
        self.undisturbed = writers.Undisturbed()

    def prepare(self, place, number):
        writer = writers.by_number(number)
        writers.copy(place, writer)
        return Plan(writer.name, "two at once", writer=writer)

    def judge(self, place, number, plan):
        writer, source = plan.writer, self.source(number, "moments")
        sound, seconds = self.undisturbed.of(place, writer)
        before = writers.inputs_state(place, writer)
        arguments = writer.arguments(writer.output)
        if source.random() < 0.5:
            results, held = self.hold(place, arguments), True
        else:
            delay = source.choice([0, 0, 0.01, source.uniform(0, 0.8) * seconds])
            results, held = self.race(place, arguments, delay), False
        verdicts = [verdict for result in results for verdict in judge(result)]
        if not verdicts:
            verdicts += self.contest(results, held)
        if any(result.code == 0 for result in results):
            verdicts += self.compare(place, writer, sound, before)
        return verdicts, 1

    def race(self, place, arguments, delay):
        """Both run as they like; one after the other, if the first is quick."""
        first = place.start(arguments, name="-1", note="at once with the next (&)")
        time.sleep(delay)
        second = place.start(arguments, name="-2", note=f"{delay * 1000:.0f} ms later")
        return [place.runner.finish(first), place.runner.finish(second)]

    def hold(self, place, arguments):
        """The second runs while the first stands still with its lock; one result, if it was too quick for that."""
        first = place.start(arguments, name="-1", note="stopped (SIGSTOP) while it holds its lock (&)")
        while not locks(place.folder) and not processes.wait(first.pid, 0.001):
            pass
        if processes.wait(first.pid, 0):
            return [place.runner.finish(first)]
        os.kill(first.pid, signal.SIGSTOP)
        try:
            held = bool(locks(place.folder))
            second = held and place.runner.finish(
                place.start(arguments, name="-2", note="while the other stands still"))
        finally:
            os.kill(first.pid, signal.SIGCONT)
        result = place.runner.finish(first)
        return [result, second] if held else [result]

    def contest(self, results, held):
        won = [result for result in results if result.code == 0]
        lost = [result for result in results if result.code != 0]
        if held and len(won) == 2:
            yield Verdict("both", "the second succeeded while the first held its lock", results[1])
        elif not won:
            yield Verdict("refused", f"none succeeded: {last_line(results[0])}", results[0])
        elif held and lost and lost[0] is results[0]:
            yield Verdict("refused", f"the holder failed: {last_line(lost[0])}", lost[0])
        elif lost and not HOLDER.search(last_line(lost[0])):
            yield Verdict("lines", f"the loser doesn't name the holder: {last_line(lost[0])}", lost[0])

    def compare(self, place, writer, sound, before):
        if writers.inputs_state(place, writer) != before:
            yield Verdict("loss", "an input changed")
        for difference in writers.differences(writer, sound, place.folder):
            yield Verdict("silent", f"after two at once: {difference}")
        left = writers.leftovers(writer, sound, place.folder)
        if left:
            yield Verdict("leftover", f"after two at once: {', '.join(left[:4])}")


def locks(folder):
    """The locks that are held in and beside outputs: each names its holder, and goes with it."""
    return [path for path in folder.rglob(".*.lock") if size(path)]


def size(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0
