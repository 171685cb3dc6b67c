"""NaN and infinity in every tensor of target and drafter, for every way to decode and to train."""
import json

import recipes
import tensors
from kind_damage import ids
from kinds_base import Kind, Plan
from recipes import THREADS
from verdicts import Verdict, judge, last_line

SAMPLINGS = [[], ["--temperature", "1", "--seed", "5"],
             ["--temperature", "0.8", "--top-p", "0.9", "--seed", "6"]]
DECODERS = ["plain", "drafter", "drafter-tokens", "suffix", "jacobi", "causal"]
TRAININGS = ["distill data", "distill", "distill, tokens", "force", "pretrain --init-from", "convert"]
VALUES = ["nan", "inf", "-inf"]
DRAFTERS = ["drafter", "drafter-heads", "drafter-tokens", "drafter-own", "small"]


class Poison(Kind):
    name = "poison"
    about = "NaN and infinity in every tensor of target and drafter, with every decoder and training"

    def __init__(self, seed):
        super().__init__(seed)
        self.names, self.sound = {}, {}

    def tensors(self, place, folder, file="model.safetensors"):
        if (folder, file) not in self.names:
            entries, _ = tensors.unpack((place.world / folder / file).read_bytes())
            self.names[folder, file] = [
                name for name, entry in entries.items() if entry[0] in tensors.WILD]
        return self.names[folder, file]

    def prepare(self, place, number):
        """A third each: targets that decode, drafters, and trainings."""
        source = self.source(number)
        place.copy("target", "documents.jsonl")
        group, turn = number % 3, number // 3
        if group == 0:
            return self.poisoned_target(place, source, turn)
        if group == 1:
            return self.poisoned_drafter(place, source, turn)
        return self.poisoned_training(place, source, turn)

    def poison(self, place, source, folder, turn, file="model.safetensors"):
        """Every tensor in its turn, with one value or all of them wild."""
        names = self.tensors(place, folder, file)
        name, value = names[turn % len(names)], source.choice(VALUES)
        index = source.choice([None, 0, source.randrange(1 << 20)])
        path = place.folder / folder / file
        path.write_bytes(tensors.poisoned(path.read_bytes(), name, value, index))
        where = "all values" if index is None else "one value"
        return f"{value} in {where} of {name} of {folder}"

    def poisoned_target(self, place, source, turn):
        decoder = DECODERS[source.randrange(len(DECODERS))]
        folder = source.choice(["target", "target", "target-int8", "target-bf16"])
        names = DRAFTERS if decoder not in ("plain", "suffix", "jacobi") else []
        place.copy(folder, *names)
        note = self.poison(place, source, folder, turn)
        options = source.choice(SAMPLINGS) + source.choice([[], [], ["--weights", "int8"]])
        return Plan(f"target, {decoder}", note, role="target", decoder=decoder, folder=folder,
                    arguments=decode(decoder, folder) + options)

    def poisoned_drafter(self, place, source, turn):
        folder = DRAFTERS[turn % len(DRAFTERS)]
        place.copy(folder)
        note = self.poison(place, source, folder, turn // len(DRAFTERS))
        options = source.choice(SAMPLINGS) + source.choice(
            [[], ["--draft-length", "3"], ["--drafter-weights", "f32"], ["--recycling"]])
        arguments = recipes.generate("--prompt", "abcabcabc", drafter=folder, tokens=24) + options
        return Plan(f"drafter {folder}", note, role="drafter", arguments=arguments, folder=folder)

    def poisoned_training(self, place, source, turn):
        training = TRAININGS[turn % len(TRAININGS)]
        turn //= len(TRAININGS)
        if training == "pretrain --init-from":
            place.copy("pretrained", "tokenizer.model")
            note = self.poison(place, source, "pretrained", turn, "checkpoint.safetensors")
        else:
            note = self.poison(place, source, "target", turn)
        return Plan(training, note, role="training", arguments=train(training), folder="target")

    def judge(self, place, number, plan):
        result = place.run(plan.arguments, note=plan.note)
        verdicts = judge(result)
        if not verdicts and result.code == 0:
            check = {"target": self.check_target, "drafter": self.check_drafter,
                     "training": self.check_training}[plan.role]
            verdicts += check(place, plan, result)
        elif not verdicts and not says_where(last_line(result)):
            verdicts.append(Verdict("mute", f"doesn't say where: {last_line(result)}", result))
        return verdicts, 1

    def check_target(self, place, plan, result):
        """Success is right only where the value is never used, and then the text is the sound one."""
        got = ids(result)
        if got == self.sound_ids(place, plan.arguments):
            return
        words = "tokens of 0 alone" if got and set(got[0]) <= {0} else "another text"
        yield Verdict("silent", f"decodes from {kind_of(plan.note)}, and gives {words}", result)

    def check_drafter(self, place, plan, result):
        if ids(result) != self.sound_ids(place, plan.arguments):
            yield Verdict("silent", f"a drafter with {kind_of(plan.note)} changes the text", result)

    def check_training(self, place, plan, result):
        if plan.subject != "convert":
            yield Verdict("silent", f"{plan.subject} goes on from {kind_of(plan.note)}", result)
            return
        again = place.run(decode("plain", "out"), note="the converted model")
        if again.code == 0 and ids(again) != self.sound_ids(
                place, decode("plain", "target-int8")):
            yield Verdict("silent", f"convert hides {kind_of(plan.note)}", again)

    def sound_ids(self, place, arguments):
        """The plain text of the sound target."""
        words = [word for word in arguments]
        if "--drafter" in words:
            words[words.index("--drafter") + 1] = "none"
        for name, count in [("--draft-length", 2), ("--recycling", 1), ("--drafter-weights", 2)]:
            if name in words:
                start = words.index(name)
                del words[start:start + count]
        key = json.dumps(words)
        if key not in self.sound:
            self.sound[key] = ids(place.runner.run(words, place.world, name="-sound"))
        return self.sound[key]


def decode(decoder, folder):
    if decoder == "jacobi":
        return ["generate", "--target", folder, "--decoder", "jacobi", "--prompt", "abcabcabc",
                "--max-tokens", "24", "--json", *THREADS]
    drafter = {"plain": "none", "causal": "small"}.get(decoder, decoder)
    return recipes.generate("--prompt", "abcabcabc", target=folder, drafter=drafter, tokens=24)


def train(training):
    if training == "distill data":
        return recipes.distill_data("out")
    if training == "distill":
        return recipes.distill("out", steps=4)
    if training == "distill, tokens":
        return recipes.distill("out", "--kind", "tokens", steps=4)
    if training == "force":
        return recipes.force("out", steps=4)
    if training == "convert":
        return recipes.convert("out")
    return recipes.pretrain("out", "--init-from", "pretrained", steps=3)


def kind_of(note):
    """The value, as alike for all tensors."""
    return "NaN" if note.startswith("nan") else "infinity"


def says_where(line):
    words = line.lower()
    return any(word in words for word in [
        "nan", "infinit", "not finite", "not a number", "isn't finite", "no number", "finite"])
