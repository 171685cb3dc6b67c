"""Requests that are wrong, and the status that each must be answered with."""
import json

from wire import request

CHAT, COMPLETE = "/v1/chat/completions", "/v1/completions"


def fields(**own):
    return json.dumps({"prompt": "a", "max_tokens": 2} | own).encode()


# name, path, body, status, `param` of the error or None
BODIES = [
    ("no JSON", COMPLETE, b"{", 400, None),
    ("no JSON", CHAT, b'{"messages": [}', 400, None),
    ("no JSON", COMPLETE, b"", 400, None),
    ("no object", COMPLETE, b"[1, 2]", 400, None),
    ("deep JSON", COMPLETE, b"[" * 100_000, 400, None),
    ("bad UTF-8", COMPLETE, b'{"prompt": "\xff\xfe", "max_tokens": 2}', 400, None),
    ("bad UTF-8", COMPLETE, b'{"prompt": "\xed\xa0\x80", "max_tokens": 2}', 400, None),
    ("half a pair", COMPLETE, b'{"prompt": "\\ud83d", "max_tokens": 2}', None, None),
    ("wrong type", COMPLETE, fields(prompt=7), 400, "prompt"),
    ("wrong type", COMPLETE, fields(max_tokens="many"), 400, "max_tokens"),
    ("wrong type", COMPLETE, fields(temperature=[1]), 400, "temperature"),
    ("wrong type", COMPLETE, fields(stream="yes"), 400, "stream"),
    ("wrong type", COMPLETE, fields(stop={"a": 1}), 400, "stop"),
    ("wrong type", CHAT, b'{"messages": "hello"}', 400, "messages"),
    ("out of range", COMPLETE, fields(temperature=-1), 400, "temperature"),
    ("out of range", COMPLETE, fields(n=100_000), 400, "n"),
    ("out of range", COMPLETE, fields(prompt=[1, 999_999_999]), 400, "prompt"),
    ("out of range", COMPLETE, fields(max_tokens=-5), 400, "max_tokens"),
    ("out of range", COMPLETE, b'{"prompt": "a", "temperature": 1e999}', 400, None),
    ("refused field", COMPLETE, fields(suffix="x"), 400, "suffix"),
    ("too long", COMPLETE, fields(prompt="a b " * 40_000), 400, "prompt"),
    ("no such model", COMPLETE, fields(model="gpt-9"), 404, "model"),
]

# name, the whole request, status
REQUESTS = [
    ("no such path", request("GET", "/v2/nothing"), 404),
    ("wrong method", request("GET", COMPLETE), 405),
    ("wrong method", request("DELETE", "/health"), 405),
    ("no type", request("POST", COMPLETE, fields(), {"Content-Type": "text/plain"}), 415),
    ("compressed", request("POST", COMPLETE, fields(), {"Content-Encoding": "gzip"}), 415),
    ("too large", request("POST", COMPLETE, b"", {"Content-Length": "99999999999"}), 413),
    ("another's host", request("POST", COMPLETE, fields(), {"Host": "evil.example:8080"}), 403),
    ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", 400),
    ("no HTTP", b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
]


def is_error(body, status, parameter):
    """What is wrong with the body of an error, or None."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"status {status} without OpenAI's error: {body[:80]!r}"
    if not isinstance(error.get("message"), str) or "\n" in error["message"] or "type" not in error:
        return f"an error without its message: {body[:120]!r}"
    if parameter and error.get("param") != parameter:
        return f"the error names {error.get('param')!r}, not {parameter!r}"
    return None
