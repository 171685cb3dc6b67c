"""The loop: workers take cases in turn until the time is over."""
import os
import shutil
import threading
import time
import traceback

import kinds
import place as places
import processes
import world
from kinds_base import Skip


class Soak:
    """A run of all chosen kinds in one work folder."""

    def __init__(self, options, tally, findings):
        self.options = options
        self.tally = tally
        self.findings = findings
        self.kinds = [kind(options.seed) for kind in kinds.ALL if kind.name in options.only]
        self.deadline = time.monotonic() + options.minutes * 60
        self.errors = []

    def build_world(self):
        runner = processes.Runner(
            self.options.program, self.options.work / "scratch", self.options.timeout)
        self.world = self.options.work / "world"
        builder = places.Builder(runner)
        world.build(self.world, builder)

    def place(self, number):
        folder = self.options.work / f"worker-{number}"
        return places.Place(self.world, folder, self.options.program, self.options.timeout)

    def run(self):
        """Works until the deadline; shows progress."""
        workers = [threading.Thread(target=self.work, args=(number,), daemon=True)
                   for number in range(self.options.jobs)]
        for worker in workers:
            worker.start()
        try:
            while any(worker.is_alive() for worker in workers):
                self.tally.show(self.deadline)
                if self.tally.save(every=5):
                    self.findings.save()
                time.sleep(0.2)
        except KeyboardInterrupt:
            self.deadline = 0  # workers end their case first
            for worker in workers:
                worker.join(30)
        self.tally.save()
        self.findings.save()

    def work(self, number):
        place = self.place(number)
        # The kind that has had the least of its share of the time goes next.
        while time.monotonic() < self.deadline:
            kind = min(self.kinds, key=lambda kind: (
                self.tally.of(kind.name)["seconds"] / kinds.SHARES[kind.name]))
            try:
                self.case(place, kind, self.tally.take(kind.name))
            except Exception:  # a fault of this script; it must not end the night
                self.errors.append(traceback.format_exc())
                if len(self.errors) < 5:
                    print(self.errors[-1], flush=True)

    def case(self, place, kind, number):
        """One case from the preparation to the findings."""
        began = time.monotonic()
        place.clear()
        try:
            plan = kind.prepare(place, number)
            verdicts, inputs = kind.judge(place, number, plan)
        except Skip as reason:
            self.tally.skip(kind.name, str(reason))
            self.tally.of(kind.name)["seconds"] += 0.001
            return []
        finally:
            place.finish()
        verdicts = list(verdicts)
        steps = list(place.steps)
        seconds = time.monotonic() - began
        code = place.code
        self.tally.add(kind.name, plan.subject, inputs, int(code not in (0, None)) * inputs,
                       int(code == 0) * inputs, len(verdicts), seconds)
        for verdict in verdicts:
            self.findings.add(
                kind.name, plan.subject, f"{kind.name}/{number}", verdict, steps,
                lambda folder: self.rebuild(kind, number, folder))
        return verdicts

    def rebuild(self, kind, number, folder):
        """Makes the inputs of a case again, somewhere else."""
        own = places.Place(self.world, folder.with_name(folder.name + "-making"),
                           self.options.program, self.options.timeout)
        own.clear()
        try:
            kind.prepare(own, number)
            shutil.copytree(own.folder, folder, symlinks=True, dirs_exist_ok=True)
        except (OSError, shutil.Error, Skip):
            os.makedirs(folder, exist_ok=True)
        finally:
            own.finish()
            places.remove(folder.with_name(folder.name + "-making"))
