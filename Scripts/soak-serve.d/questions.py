"""Sound requests, drawn by a seed: all lengths and settings."""
import dataclasses
import json
import random

CHAT_TEMPLATE = """{% for m in messages %}// {{ m.role }}: {{ m.content }}
{% endfor %}{% if add_generation_prompt %}func {% endif %}"""

LETTERS = "äß 漢字 🙂 \u200d\u202e\t\"\\ {}\n"


@dataclasses.dataclass(frozen=True)
class Question:
    """A request that has one right answer."""
    number: int
    path: str
    fields: dict

    @property
    def is_long(self):
        return self.fields["max_tokens"] > 300

    def body(self, stream):
        fields = dict(self.fields)
        if stream:
            fields |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(fields).encode()


def draw(count, seed, texts, longest):
    """`count` requests over beginnings of some texts, so that they share them.

    longest: characters of a prompt at most.
    """
    return [question(number, random.Random(f"{seed}/{number}"), texts, longest)
            for number in range(count)]


def question(number, dice, texts, longest):
    text = texts[min(dice.randrange(len(texts)), dice.randrange(len(texts)))]
    prompt = text[:length(dice, longest)]
    if dice.random() < 0.3:
        prompt += dice.choice(["\n", "  ", "let ", "// ", LETTERS, "}\n\n"])
    fields = {"max_tokens": dice.choice([1, 2, 8, 16, 40, 80, 120])}
    # Every eighth takes more memory than is reserved for an output, and more than buffers hold.
    is_long = number % 8 == 7
    if is_long:
        fields |= {"max_tokens": dice.choice([400, 700]), "ignore_eos": True}
    sampling(fields, dice)
    if not is_long and dice.random() < 0.25:
        fields["stop"] = dice.choice(["\n", ["}", "\n\n"], "return", [" = ", "(", "self"]])
    if dice.random() < 0.2:
        fields["n"] = dice.choice([2, 2, 3, 4])
    if dice.random() < 0.2:
        fields["ignore_eos"] = True
    if is_long:
        fields.pop("n", None)
    if dice.random() < 0.35:
        return chat(number, fields, prompt, dice)
    return completion(number, fields, prompt, dice)


def length(dice, longest):
    kind = dice.random()
    if kind < 0.3:
        return dice.randint(1, 60)
    if kind < 0.85:
        return dice.randint(60, max(61, longest // 5))
    return dice.randint(longest // 5, longest)


def sampling(fields, dice):
    if dice.random() < 0.45:
        fields["temperature"] = 0
    else:
        fields |= {"temperature": round(dice.uniform(0.2, 1.4), 2), "seed": dice.randrange(1 << 31)}
        for name, least, most in [("top_p", 0.5, 1), ("min_p", 0, 0.2)]:
            if dice.random() < 0.3:
                fields[name] = round(dice.uniform(least, most), 2)
        if dice.random() < 0.3:
            fields["top_k"] = dice.choice([1, 5, 40])
    for name, least, most in [("presence_penalty", -1, 2), ("frequency_penalty", -1, 2),
                              ("repetition_penalty", 1, 1.5)]:
        if dice.random() < 0.15:
            fields[name] = round(dice.uniform(least, most), 2)
    if dice.random() < 0.1:
        fields["logit_bias"] = {str(dice.randrange(3, 500)): dice.choice([-100, -5, 3.5])}


def chat(number, fields, prompt, dice):
    fields["messages"] = [{"role": "user", "content": prompt}]
    if dice.random() < 0.4:
        fields["messages"].insert(0, {"role": "system", "content": "Write Swift. " * dice.randint(1, 40)})
    if dice.random() < (0.8 if fields["max_tokens"] > 300 else 0.3):
        most = 20 if fields["max_tokens"] > 300 else dice.choice([0, 2, 5])
        fields |= {"logprobs": True, "top_logprobs": most}
    return Question(number, "/v1/chat/completions", fields)


def completion(number, fields, prompt, dice):
    fields["prompt"] = prompt
    if dice.random() < 0.15:
        fields["prompt"] = [prompt, prompt[:9] or "a", "func "][:dice.randint(2, 3)]
        fields.pop("n", None)
    if dice.random() < (0.8 if fields["max_tokens"] > 300 else 0.3):
        fields["logprobs"] = 20 if fields["max_tokens"] > 300 else dice.choice([0, 1, 5])
    if dice.random() < 0.15:
        fields["echo"] = True
    if dice.random() < 0.1:
        fields["prediction"] = {"type": "content", "content": prompt[-200:] or "a"}
    return Question(number, "/v1/completions", fields)
