"""What programs do with the `openai` client, against a server of this project."""

import json
import sys

import openai

BASE, KEY = sys.argv[1:3]
client = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=2)
MODEL = client.models.list().data[0].id
ASK = [{"role": "user", "content": "Sum the elements of an array."}]


def same(name, found, wanted):
    if found != wanted:
        sys.exit(f"openai: {name}: {found!r} instead of {wanted!r}")


def refused(name, kind, call):
    try:
        call()
    except kind as error:
        return error
    sys.exit(f"openai: {name}: no {kind.__name__}")


def chat(**more):
    return client.chat.completions.create(model=MODEL, messages=ASK, max_tokens=24, **more)


# A whole answer, and the same as a stream.
whole = chat(temperature=0)
choice = whole.choices[0]
same("role", choice.message.role, "assistant")
same("reason", choice.finish_reason, "length")
same("tokens", whole.usage.completion_tokens, 24)
same("sum", whole.usage.total_tokens, whole.usage.prompt_tokens + 24)
chunks = list(chat(temperature=0, stream=True, stream_options={"include_usage": True}))
same("first role", chunks[0].choices[0].delta.role, "assistant")
pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
same("stream", "".join(pieces), choice.message.content)
same("last reason", [c for c in chunks if c.choices][-1].choices[0].finish_reason, "length")
same("usage of the stream", chunks[-1].usage.completion_tokens, 24)

# Seeds repeat, and answers to one prompt differ.
one, two = (chat(seed=5, temperature=1.2, n=3) for _ in range(2))
texts = [c.message.content for c in one.choices]
same("seeds", texts, [c.message.content for c in two.choices])
same("answers", len(set(texts)), 3)
same("fingerprints", one.system_fingerprint, two.system_fingerprint)

# Log-probabilities.
scored = chat(temperature=0, logprobs=True, top_logprobs=3).choices[0].logprobs.content
same("scores", len(scored), 24)
for token in scored:
    same("most probable", token.token, token.top_logprobs[0].token)
    same("how many", len(token.top_logprobs), 3)

# A stop text ends an answer before it.
middle = choice.message.content[5:8]
stopped = chat(temperature=0, stop=[middle]).choices[0]
same("stop", stopped.message.content, choice.message.content.split(middle)[0])
same("stop's reason", stopped.finish_reason, "stop")

# Completions, of texts and of ids.
texts = ["func ", "struct "]
completions = client.completions.create(model=MODEL, prompt=texts, max_tokens=8, temperature=0)
same("completions", len(completions.choices), 2)
echoed = client.completions.create(model=MODEL, prompt=texts[0], max_tokens=8, temperature=0, echo=True)
same("echo", echoed.choices[0].text, texts[0] + completions.choices[0].text)

# A predicted output changes nothing but the time.
predicted = chat(temperature=0, prediction={"type": "content", "content": choice.message.content})
same("prediction", predicted.choices[0].message.content, choice.message.content)
details = predicted.usage.completion_tokens_details
same("predicted tokens", details.accepted_prediction_tokens > 0, True)

# Every kind of error has its class.
wrong = refused("temperature", openai.BadRequestError, lambda: chat(temperature=-1))
same("parameter", wrong.param, "temperature")
refused("model", openai.NotFoundError,
        lambda: client.chat.completions.create(model="gpt-9", messages=ASK))
refused("key", openai.AuthenticationError,
        lambda: openai.OpenAI(base_url=BASE, api_key="wrong").models.list())
refused("tools", openai.BadRequestError,
        lambda: chat(tools=[{"type": "function", "function": {"name": "f"}}]))
refused("format", openai.BadRequestError, lambda: chat(response_format={"type": "yaml"}))
schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["n"]}
held = chat(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
same("format", json.loads(held.choices[0].message.content)["n"] in range(1, 10), True)

# A stream that is left early hurts nobody.
stream = client.chat.completions.create(model=MODEL, messages=ASK, stream=True, max_tokens=1000)
next(iter(stream))
stream.close()
same("afterwards", chat(temperature=0).choices[0].message.content, choice.message.content)
print("openai", openai.__version__, "is served")
