"""What a kind of torment is."""
import random


class Kind:
    """Prepares numbered cases and judges how the program takes them.

    A case is a function of the seed and its number alone, so that it can be made again.
    """
    name = ""
    about = ""
    unit = "inputs"

    def __init__(self, seed):
        self.seed = seed

    def source(self, number, purpose=""):
        return random.Random(f"{self.seed}/{self.name}/{number}/{purpose}")

    def prepare(self, site, number):
        """Fills the site's folder; says what the case is about (a plan with `subject`, `note`)."""
        raise NotImplementedError

    def judge(self, site, number, plan):
        """Runs the case; gives its verdicts and how many inputs it was."""
        raise NotImplementedError


class Plan:
    """One case: what it is about, what was done, and whatever its kind wants to know."""

    def __init__(self, subject, note, **own):
        self.subject = subject
        self.note = note
        self.__dict__.update(own)


class Skip(Exception):
    """A case that can't be tried on this machine; says why."""
