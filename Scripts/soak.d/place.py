"""A worker's place: a folder of scratch files in which one case at a time is prepared and run."""
import hashlib
import os
import pathlib
import shutil
import signal

import findings
import processes
import verdicts


NOBODY = 65534  # a user without rights


class Builder:
    """Runs the program for `world.build`."""

    def __init__(self, runner):
        self.runner = runner
        self.cache = pathlib.Path(runner.environment()["XDG_CACHE_HOME"])
        status = os.stat(runner.program)
        self.mark = f"{status.st_size} {status.st_mtime_ns}"  # another build makes other files

    def run(self, arguments, folder):
        return self.runner.run(arguments, folder, seconds=120)

    def interrupted(self, arguments, folder, condition):
        """Sends Ctrl-C as soon as a condition holds."""
        process = self.runner.start(arguments, folder)
        while not condition() and not processes.wait(process.pid, 0.001):
            pass
        return self.runner.interrupt(process, signal.SIGINT, 0)


class Place:
    """Copies sound inputs to a fresh folder, and runs commands there."""

    def __init__(self, world, folder, program, seconds):
        self.world = world
        self.runner = processes.Runner(program, folder / "scratch", seconds)
        self.folder = folder / "case"
        self.steps = []
        self.cases = 0
        self.code = None  # of the latest command
        self.cleanups = []  # what undoes a case, such as unmounting

    def clear(self):
        """An empty folder for the next case."""
        self.finish()
        self.cases += 1
        if self.cases % 1000 == 0:  # pass times of models that never come again
            shutil.rmtree(self.cache, ignore_errors=True)
        self.steps, self.code = [], None
        remove(self.folder)
        self.folder.mkdir(parents=True)

    def finish(self):
        """Undoes what a case did to the machine."""
        while self.cleanups:
            self.cleanups.pop()()

    def copy(self, *names):
        for name in names:
            source, target = self.world / name, self.folder / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)

    def run(self, arguments, seconds=None, environment=None, prefix=(), note="", stdin="", **options):
        """Runs a command; `stdin` names a file of the folder."""
        self.note(arguments, environment, prefix, note, stdin)
        if stdin and (self.folder / stdin).is_file():
            with open(self.folder / stdin, "rb") as file:
                return self.ran(arguments, seconds, environment, prefix, stdin=file, **options)
        return self.ran(arguments, seconds, environment, prefix, **options)

    def ran(self, arguments, seconds, environment, prefix, **options):
        result = self.runner.run(
            arguments, self.folder, seconds, environment=environment, prefix=prefix, **options)
        self.code = result.code
        return result

    def start(self, arguments, name="", note="", environment=None, **options):
        self.note(arguments, environment, (), note)
        return self.runner.start(
            arguments, self.folder, name=name, environment=environment, **options)

    def note(self, arguments, environment, prefix, note, stdin=""):
        self.steps.append(findings.Step(
            arguments, self.runner.environment(environment), prefix, note, stdin))

    @property
    def cache(self):
        """The folder of measured pass times."""
        return pathlib.Path(self.runner.environment()["XDG_CACHE_HOME"])

    def judged(self, arguments, bounds=verdicts.Bounds(), **options):
        """Runs a command; its result, and what is wrong with how it ended."""
        result = self.run(arguments, **options)
        return result, verdicts.judge(result, bounds)

    def as_nobody(self, owner=NOBODY):
        """Options by which a command runs as a user whom permissions bind; root gives files away first."""
        if os.getuid() != 0:
            return {}
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, owner, owner, follow_symlinks=False)
        for above in list(self.folder.parents)[:3]:
            if above != pathlib.Path("/") and above.stat().st_uid == os.getuid():
                above.chmod(above.stat().st_mode | 0o055)
        return {"user": NOBODY, "group": NOBODY,
                "environment": {"XDG_CACHE_HOME": str(self.folder / "cache")}}


def remove(path):
    """Removes a tree, whatever its permissions."""
    if not path.exists() and not path.is_symlink():
        return
    for root, folders, _ in os.walk(path):
        for name in folders:
            inner = os.path.join(root, name)
            if not os.path.islink(inner):
                os.chmod(inner, 0o755)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def tree(folder, skip=()):
    """Every file, link and folder below a folder, with a digest of what it holds."""
    result = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(root, name) not in skip]
        for name in folders + files:
            path = os.path.join(root, name)
            if path not in skip:
                result[os.path.relpath(path, folder)] = digest(path)
    return result


def digest(path):
    if os.path.islink(path):
        return "-> " + os.readlink(path)
    if os.path.isdir(path):
        return "folder"
    if not os.path.isfile(path):
        return "device"
    with open(path, "rb") as file:
        return hashlib.sha1(file.read()).hexdigest()
