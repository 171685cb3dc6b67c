"""What a writing command leaves, compared with an undisturbed run's."""
import json
import pathlib

import place as places
import recipes
import tensors

# What times are called in metrics, traces and manifests.
TIMES = {"seconds", "us", "prefill_us", "elapsed", "cost", "tokens_per_second", "time", "milliseconds",
         "steps_per_second", "plan", "machine"}
FOLDERS = {"target", "drafter", "place"}  # absolute paths
UNSTABLE = ("tensorboard", "report.html", "metrics.jsonl")


class Undisturbed:
    """What each writer leaves when nothing disturbs it: made once for each place, then kept."""

    def __init__(self):
        self.kept = {}

    def of(self, place, writer):
        """The folder of the sound run and its seconds."""
        key = (str(place.folder), writer.name)
        if key not in self.kept:
            folder = place.folder.with_name("sound-" + writer.name.replace(" ", "-").replace(",", ""))
            places.remove(folder)
            folder.mkdir(parents=True)
            copy(place, writer, folder)
            result = place.runner.run(writer.arguments(writer.output), folder, 120, name="-sound")
            if result.code:
                raise RuntimeError(f"the sound {writer.name} fails: {result.lines}")
            self.kept[key] = (folder, result.seconds)
        return self.kept[key]


def copy(place, writer, folder=None):
    own, place.folder = place.folder, folder or place.folder
    try:
        place.copy(*writer.inputs)
    finally:
        place.folder = own


def differences(writer, sound, folder):
    """The outputs that are not those of the sound run."""
    for file in writer.exact:
        one, other = (base / writer.output / file for base in (sound, folder))
        if places.digest(one) != places.digest(other) if other.exists() else True:
            yield f"{file} differs" if other.exists() else f"{file} is missing"
    for file in writer.tensors:
        one, other = (base / writer.output / file for base in (sound, folder))
        if not other.exists() or values(one) != values(other):
            yield f"the values of {file} differ"
    if writer.loose:
        one, other = (base / writer.output for base in (sound, folder))
        if not other.exists() or without_times(one) != without_times(other):
            yield "the trace differs in more than times"


def values(file):
    entries, _ = tensors.unpack(file.read_bytes())
    return entries


def without_times(file):
    """The lines of a trace or log, without what depends on the moment."""
    return [strip(json.loads(line)) for line in file.read_text().splitlines() if line.strip()]


def strip(value):
    if isinstance(value, dict):
        return {key: strip(inner) for key, inner in value.items()
                if key not in TIMES and not (key in FOLDERS and isinstance(inner, str))}
    return [strip(inner) for inner in value] if isinstance(value, list) else value


def leftovers(writer, sound, folder):
    """Files that the sound run hasn't: temporary ones that nobody will remove."""
    def names(base):
        return {path for path in places.tree(base) if "tensorboard" not in path}
    extra = names(folder) - names(sound)
    return sorted(path for path in extra if str(pathlib.Path(path).parent) not in extra)


def inputs_state(place, writer):
    """Digests of everything in the folder but the output."""
    outputs = {str(place.folder / writer.output), str(place.folder / (writer.output + ".part"))}
    state = places.tree(place.folder, skip=outputs)
    return {path: digest for path, digest in state.items() if pathlib.Path(path).parts[0] in {
        pathlib.Path(name).parts[0] for name in writer.inputs}}


def by_number(number):
    """Writers in turn."""
    return recipes.WRITERS[number % len(recipes.WRITERS)]
