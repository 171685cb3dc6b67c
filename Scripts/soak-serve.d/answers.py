"""Answers in one form, whether they came whole or as a stream, so that they can be compared."""
import json


class Answer:
    """What an answer said, without what may differ: ids, times, and how it was drafted."""

    def __init__(self):
        self.choices = {}
        self.usage = None
        self.error = None
        self.is_done = False

    def whole(self, body):
        value = json.loads(body.decode("utf-8"))
        for choice in value["choices"]:
            self._add(choice, choice.get("message"))
        self._count(value["usage"])
        self.is_done = True
        return self

    def event(self, data):
        """Takes an event of a stream."""
        if data == "[DONE]":
            self.is_done = True
            return
        value = json.loads(data)
        if "error" in value:
            self.error = value["error"]
            return
        for choice in value["choices"]:
            self._add(choice, choice.get("delta"))
        if value.get("usage"):
            self._count(value["usage"])

    def _count(self, usage):
        self.usage = (usage["prompt_tokens"], usage["completion_tokens"])

    def _add(self, choice, message):
        own = self.choices.setdefault(
            choice["index"], {"text": "", "calls": [], "reason": None, "scores": None})
        own["text"] += choice["text"] if message is None else message.get("content") or ""
        own["calls"] += [call["function"] for call in (message or {}).get("tool_calls") or []]
        own["reason"] = choice["finish_reason"] or own["reason"]
        for name, values in (choice.get("logprobs") or {}).items():
            if values is not None:
                own["scores"] = own["scores"] or {}
                own["scores"].setdefault(name, []).extend(values)

    @property
    def form(self):
        """All that must be equal."""
        choices = [self.choices[index] for index in sorted(self.choices)]
        for choice in choices:
            choice["scores"] = {
                name: values for name, values in (choice["scores"] or {}).items() if values} or None
        return {"choices": choices, "usage": self.usage}

    def is_beginning(self, form):
        """Whether the texts so far are those that an answer begins with."""
        return all(
            index < len(form["choices"]) and form["choices"][index]["text"].startswith(choice["text"])
            for index, choice in self.choices.items())


def difference(wanted, found):
    """Where two forms differ first, for a report."""
    for index, (one, other) in enumerate(zip(wanted["choices"], found["choices"])):
        for name in ("text", "reason", "calls", "scores"):
            if one[name] != other[name]:
                return f"answer {index}: {name} {short(other[name])} instead of {short(one[name])}"
    if len(wanted["choices"]) != len(found["choices"]):
        return f"{len(found['choices'])} answers instead of {len(wanted['choices'])}"
    return f"usage {found['usage']} instead of {wanted['usage']}"


def short(value):
    text = json.dumps(value)
    return text if len(text) <= 90 else text[:60] + " … " + text[-27:]
