"""Kills and signals at random moments in every command that writes."""
import signal

import writers
from kinds_base import Kind, Plan
from verdicts import Bounds, Verdict, judge, last_line

# How often each is sent: a power failure is the hardest.
SIGNALS = [(signal.SIGKILL, 4), (signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGHUP, 1)]


class Kill(Kind):
    name = "kill"
    about = "SIGKILL, SIGTERM, SIGINT and SIGHUP at random moments; the command is run again to its end"
    unit = "signals"

    def __init__(self, seed):
        super().__init__(seed)
        self.undisturbed = writers.Undisturbed()

    def prepare(self, place, number):
        writer = writers.by_number(number)
        writers.copy(place, writer)
        return Plan(writer.name, "signals", writer=writer)

    def judge(self, place, number, plan):
        writer, source = plan.writer, self.source(number, "moments")
        sound, seconds = self.undisturbed.of(place, writer)
        before = writers.inputs_state(place, writer)
        arguments, verdicts, sent = writer.arguments(writer.output), [], 0
        for _ in range(source.randrange(1, 5)):
            result, found = self.disturb(place, arguments, source, seconds)
            verdicts += found
            sent += bool(result.sent)
            finished = (writer.loose or not writer.resumes) and (
                place.folder / writer.output).exists()
            if not result.sent or finished:
                break
        if verdicts or finished and result.code == 130:  # Ctrl-C keeps what there was so far
            return verdicts, max(1, sent)
        if finished and writer.loose:  # is refused, and takes away what the killed one left
            again = place.run(arguments, seconds=30, note="once more")
            verdicts += judge(again)
        if not finished:
            last = place.run(arguments, seconds=30, note="to the end")
            verdicts += judge(last)
            if not verdicts and last.code:
                verdicts.append(Verdict("refused", f"can't go on: {last_line(last)}", last))
            finished = not last.code
        if finished and not verdicts:
            verdicts += self.compare(place, writer, sound, before)
        return verdicts, max(1, sent)

    def disturb(self, place, arguments, source, seconds):
        number = source.choices([pair[0] for pair in SIGNALS], [pair[1] for pair in SIGNALS])[0]
        delay = source.uniform(0, 1.05) * seconds
        process = place.start(
            arguments, note=f"{signal.Signals(number).name} after {delay * 1000:.0f} ms of about "
            f"{seconds * 1000:.0f} ms")
        result = place.runner.interrupt(process, number, delay)
        codes = {0, 130} if number == signal.SIGINT else {0, 129, 130, 143}
        return result, judge(result, Bounds(codes=frozenset(codes)))

    def compare(self, place, writer, sound, before):
        if writers.inputs_state(place, writer) != before:
            yield Verdict("loss", "an input changed")
        for difference in writers.differences(writer, sound, place.folder):
            yield Verdict("silent", f"after signals: {difference}")
        left = writers.leftovers(writer, sound, place.folder)
        if left:
            yield Verdict("leftover", f"after signals: {', '.join(left[:4])}")
