"""Two processes at once on one output."""
import re
import time

import processes
import writers
from kinds_base import Kind, Plan
from verdicts import Verdict, judge, last_line

HOLDER = re.compile(r"process|pid|another|in use|running|already")
# The share of an undisturbed run in which both must have been there: the first gives its output free
# before it ends, and the second asks for it some time after its start.
OVERLAP = 0.5


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
        delay = source.choice([0, 0, 0.01, source.uniform(0, 0.8) * seconds])
        first = place.start(arguments, name="-1", note="at once with the next (&)")
        time.sleep(delay)
        second = place.start(arguments, name="-2", note=f"{delay * 1000:.0f} ms later")
        results = [place.runner.finish(first), place.runner.finish(second)]
        verdicts = [verdict for result in results for verdict in judge(result)]
        overlap = first.begun + results[0].seconds - second.begun
        if not verdicts and overlap > max(0.05, OVERLAP * seconds) * processes.patience():
            verdicts += self.contest(results)
        if any(result.code == 0 for result in results):
            verdicts += self.compare(place, writer, sound, before)
        return verdicts, 1

    def contest(self, results):
        won = [result for result in results if result.code == 0]
        lost = [result for result in results if result.code != 0]
        if len(won) == 2:
            yield Verdict("both", "both processes succeeded while they ran at once", results[1])
        elif not won:
            yield Verdict("refused", f"neither succeeded: {last_line(results[0])}", results[0])
        elif not HOLDER.search(last_line(lost[0])):
            yield Verdict("lines", f"the loser doesn't name the holder: {last_line(lost[0])}", lost[0])

    def compare(self, place, writer, sound, before):
        if writers.inputs_state(place, writer) != before:
            yield Verdict("loss", "an input changed")
        for difference in writers.differences(writer, sound, place.folder):
            yield Verdict("silent", f"after two at once: {difference}")
        left = writers.leftovers(writer, sound, place.folder)
        if left:
            yield Verdict("leftover", f"after two at once: {', '.join(left[:4])}")
