"""Whether the commands that get damaged inputs succeed with sound ones; otherwise damage proves little."""
import kind_damage
import recipes
from subjects import SUBJECTS


def failures(place):
    """Every sound command that fails: what it is about, its words, its last line."""
    for name, arguments, options in commands(place):
        result = place.run(arguments, **options)
        if result.code:
            yield name, arguments, result.lines[-1] if result.lines else f"exit code {result.code}"


def commands(place):
    """All writers, then all readers of every subject, each in a fresh folder."""
    for writer in recipes.WRITERS:
        place.clear()
        place.copy(*writer.inputs)
        yield writer.name, writer.arguments(writer.output), {}
    for subject in SUBJECTS:
        for inputs, file in subject.files:
            top = file.split("/")[0]
            for _, _, command in subject.commands:
                place.clear()
                place.copy(*inputs)
                kind_damage.make_part(place, subject)
                arguments = command(top)
                yield subject.name, arguments, {"stdin": top} if arguments[-1] == "-" else {}
