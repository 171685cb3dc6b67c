"""Ways in which files get damaged, as functions of their bytes and a source of random numbers.

Each gives the damaged bytes, or None where it doesn't apply; `damage` chooses among those that suit
a file and says in words what was done.
"""
import json
import re
import struct
import subprocess

from pieces import PIECES

WILD_NUMBERS = [
    "-1", "0", "1", "2", "-0.0", "1e308", "1e999", "-1e999", "NaN", "Infinity", "-Infinity",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
    "18446744073709551616", "4294967296", "2147483648", "1e18", "1e-320", "0.5", "3", "7", "1000000",
    "100000000000", "01", "+1", "0x10", "1_000",
]
WILD_VALUES = ['"x"', '""', "null", "true", "[]", "{}", "[[]]", '["a",1]', '"\\ud800"', '"\\u0000"',
               '{"a":{"a":{}}}', '"' + "y" * 3000 + '"']


# --- Bytes.

def flip_bit(data, source):
    result = bytearray(data)
    result[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return result


def change_byte(data, source):
    result = bytearray(data)
    result[source.randrange(len(data))] = source.randrange(256)
    return result


def flip_bits(data, source):
    result = bytearray(data)
    for _ in range(source.choice([2, 5, 30])):
        result[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return result


def zero_run(data, source):
    start = source.randrange(len(data))
    result = bytearray(data)
    end = min(len(data), start + source.choice([1, 4, 64, 1000]))
    result[start:end] = bytes(end - start)
    return result


def fill_run(data, source):
    start = source.randrange(len(data))
    result = bytearray(data)
    end = min(len(data), start + source.choice([1, 4, 64, 1000]))
    result[start:end] = b"\xff" * (end - start)
    return result


def truncate(data, source):
    return data[:source.choice([source.randrange(len(data)), max(0, len(data) - source.randrange(1, 20)),
                                min(len(data), source.randrange(64))])]


def cut_front(data, source):
    return data[source.choice([1, 2, 7, 8, source.randrange(len(data))]):]


def double_tail(data, source):
    return data + data[-source.choice([1, 8, 100, len(data)]):]


def remove_run(data, source):
    start = source.randrange(len(data))
    return data[:start] + data[start + source.choice([1, 2, 8, 60]):]


def copy_run(data, source):
    start, place = source.randrange(len(data)), source.randrange(len(data) + 1)
    return data[:place] + data[start:start + source.choice([1, 8, 60, 500])] + data[place:]


def swap_halves(data, source):
    middle = source.randrange(len(data))
    return data[middle:] + data[:middle]


def insert_noise(data, source):
    place = source.randrange(len(data) + 1)
    return data[:place] + bytes(source.randrange(256) for _ in range(source.choice([1, 4, 40]))) \
        + data[place:]


def byte_order_mark(data, source):
    return source.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]) + data


def empty(data, source):
    return b""


def blanks(data, source):
    return source.choice([b" ", b"\n", b"\n\n\n", b"\0", b"\0" * 4096])


BYTES = [flip_bit, change_byte, flip_bits, zero_run, fill_run, truncate, cut_front, double_tail,
         remove_run, copy_run, swap_halves, insert_noise, byte_order_mark, empty, blanks]


# --- JSON and other text.

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
VALUE = re.compile(rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)')
MEMBER = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)\s*,?')


def replace(data, match, text, group=0):
    return data[:match.start(group)] + text.encode() + data[match.end(group):]


def pick(pattern, data, source):
    matches = list(pattern.finditer(data[:200_000]))
    return source.choice(matches) if matches else None


def wild_number(data, source):
    match = pick(NUMBER, data, source)
    return match and replace(data, match, source.choice(WILD_NUMBERS))


def near_number(data, source):
    match = pick(NUMBER, data, source)
    if not match or not match[0].lstrip(b"-").isdigit():
        return None
    value = int(match[0])
    return replace(data, match, str(source.choice(
        [value + 1, value - 1, -value, value * 2, value * 1000, value // 2, value + 2**32])))


def wild_value(data, source):
    match = pick(VALUE, data, source)
    return match and replace(data, match, source.choice(WILD_VALUES + WILD_NUMBERS), 1)


def remove_member(data, source):
    match = pick(MEMBER, data, source)
    return match and replace(data, match, "")


def double_member(data, source):
    match = pick(MEMBER, data, source)
    if not match:
        return None
    other = match[0] if match[0].endswith(b",") else match[0] + b","
    return data[:match.start()] + other + data[match.start():]


def rename_member(data, source):
    match = pick(MEMBER, data, source)
    return match and replace(data, match, source.choice(["", "x", "__metadata__", "\\u0000"]), 1)


def swap_values(data, source):
    first, second = pick(VALUE, data, source), pick(VALUE, data, source)
    if not first or not second or first.start() >= second.start():
        return None
    return (data[:first.start(1)] + second[1] + data[first.end(1):second.start(1)] + first[1]
            + data[second.end(1):])


def deep_nesting(data, source):
    match = pick(VALUE, data, source)
    depth = source.choice([60, 600, 5000, 200_000])
    nested = source.choice([b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth,
                            b"[" * depth])
    return match and data[:match.start(1)] + nested + data[match.end(1):]


def swap_lines(data, source):
    lines = data.split(b"\n")
    first, second = source.randrange(len(lines)), source.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def remove_line(data, source):
    lines = data.split(b"\n")
    lines.pop(source.randrange(len(lines)))
    return b"\n".join(lines)


def double_line(data, source):
    lines = data.split(b"\n")
    place = source.randrange(len(lines))
    return b"\n".join(lines[:place] + [lines[place]] + lines[place:])


def long_line(data, source):
    place = source.randrange(len(data) + 1)
    return data[:place] + source.choice([b"a", b" ", b"\\", b'"', b"\xe2\x96\x81"]) * 100_000 + data[place:]


def wild_text(data, source):
    match = pick(re.compile(rb'"((?:[^"\\]|\\.)*)"'), data, source)
    return match and replace(data, match, source.choice(
        ["", " ", "\\n", "\\ud83d", "\\u0000", "{{", "{% for x in range(10**9) %}", "\u00e9" * 50, "../x",
         "/", "\u2581"]), 1)


TEXT = [wild_number, near_number, wild_value, remove_member, double_member, rename_member, swap_values,
        deep_nesting, wild_text]
LINES = [swap_lines, remove_line, double_line, long_line]


# --- Templates of chats.

def template_piece(data, source):
    """A hostile piece inside the template, between its own parts more often than not."""
    places = [match.start() for match in re.finditer(rb"\{[{%]", data)] or [0]
    place = source.choice(places + [source.randrange(len(data) + 1)])
    return data[:place] + source.choice(PIECES).encode("utf-8", "surrogatepass") + data[place:]


def quoted_piece(data, source):
    """The same inside the JSON string of a template."""
    piece = json.dumps(source.choice(PIECES))[1:-1].encode()
    places = [match.start() for match in re.finditer(rb"\{[{%]", data)]
    if not places:
        return None
    place = source.choice(places)
    return data[:place] + piece + data[place:]


TEMPLATES = [template_piece]


# --- Safetensors: the header, with a length that fits it, so that the checks behind it are reached.

def header(data, source):
    length = struct.unpack("<Q", data[:8])[0]
    if not 0 < length <= len(data) - 8:
        return None
    text = data[8:8 + length]
    changed = source.choice(TEXT + [flip_bit, change_byte, remove_run])(text, source)
    if changed is None:
        return None
    changed = bytes(changed)
    if source.random() < 0.5 and len(changed) <= length:  # the data stay aligned
        changed += b" " * (length - len(changed))
    return struct.pack("<Q", len(changed)) + changed + data[8 + length:]


def header_length(data, source):
    length = struct.unpack("<Q", data[:8])[0]
    wrong = source.choice([0, 1, 7, 8, length - 1, length + 1, length * 2, len(data), len(data) - 8,
                           len(data) - 7, 100_000_000, 100_000_001, 2**31, 2**32, 2**63 - 1, 2**63,
                           2**64 - 1, 2**64 - 8])
    return struct.pack("<Q", wrong % 2**64) + data[8:]


def shape(data, source):
    """A shape with another product, the same product, or a product beyond 64 bits."""
    length = struct.unpack("<Q", data[:8])[0]
    match = pick(re.compile(rb'"shape":\s*\[([^\]]*)\]'), data[8:8 + length], source)
    if not match:
        return None
    sizes = [int(size) for size in match[1].split(b",") if size.strip()]
    new = source.choice([sizes[::-1], sizes + [1], [1] + sizes, [], [0], [-size for size in sizes],
                         [2**32, 2**32], [2**63 - 1], [size + 1 for size in sizes], sizes * 2,
                         [2**16] * 5, [1] * 2000])
    text = replace(data[8:8 + length], match, ",".join(map(str, new)), 1)
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


SAFETENSORS = [header, header, header_length, shape]


# --- What stands in place of a file.

def directory(path, source):
    path.unlink()
    path.mkdir()


def dangling(path, source):
    path.unlink()
    path.symlink_to("/nowhere/at/all")


def loop(path, source):
    path.unlink()
    path.symlink_to(path.name)


def missing(path, source):
    path.unlink()


def fifo(path, source):
    """A device that gives nothing; a pipe without a writer would make any reader wait."""
    path.unlink()
    path.symlink_to(source.choice(["/dev/null", "/proc/self/maps"]))


def forbidden(path, source):
    path.chmod(0)


PLACES = [directory, dangling, loop, missing, fifo, forbidden]


# --- The choice.

def kinds_for(name, data):
    if name.endswith(".safetensors"):
        return BYTES + SAFETENSORS * 4
    if name.endswith((".zst", ".model", ".u16", ".bin")):
        return BYTES
    if name.endswith(".jinja"):
        return BYTES + (TEMPLATES * 3 + LINES) * 4
    is_lines = name.endswith((".jsonl", ".txt", ".part"))
    templates = [quoted_piece] if name in ("tokenizer_config.json", "chat_template.json") else []
    return BYTES + templates * 8 + TEXT * 4 + (LINES * 3 if is_lines else [])


def attempt(kind, data, source):
    """One damage, where it applies to data that may be damaged already."""
    try:
        return kind(data, source)
    except (ValueError, IndexError, struct.error):
        return None


def recompressed(data, source, inside):
    """Damage under a compression whose checksum is right."""
    plain = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True).stdout
    if not plain:
        return None
    changed = attempt(source.choice(inside), plain, source)
    return changed and subprocess.run(
        ["zstd", "-cq", source.choice(["--check", "--no-check"])], input=bytes(changed),
        capture_output=True).stdout


def inner_name(name):
    """What a compressed file holds, for the choice of mutations."""
    return name[:-4] if name.endswith(".zst") else None


def splice(path, source, others):
    """The beginning of a file and the end of another of its sort."""
    own, other = path.read_bytes(), source.choice(others).read_bytes()
    path.write_bytes(own[:source.randrange(len(own) + 1)] + other[source.randrange(len(other) + 1):])
    return "spliced"


def damage(path, source, others=()):
    """Damages a file in place, in one way or several, and says how."""
    if others and source.random() < 0.04:
        return splice(path, source, others)
    if source.random() < 0.03:
        kind = source.choice(PLACES)
        kind(path, source)
        return kind.__name__
    data, done = path.read_bytes(), []
    for _ in range(source.choice([1, 1, 1, 1, 2, 3])):
        changed = None
        if inner_name(path.name) and data[:4] == b"\x28\xb5\x2f\xfd" and source.random() < 0.5:
            changed = recompressed(data, source, kinds_for(inner_name(path.name), data))
            label = "inside zstd"
        elif data:
            kind = source.choice(kinds_for(path.name, data))
            changed, label = attempt(kind, data, source), kind.__name__
        if changed is not None:
            data = bytes(changed)
            done.append(label)
    path.write_bytes(data)
    return ", ".join(done) or "nothing"


def same_json(one, other):
    """Whether two files mean the same, so that a change is harmless."""
    try:
        return json.loads(one) == json.loads(other)
    except (ValueError, RecursionError):
        return False
