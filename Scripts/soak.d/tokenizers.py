"""A SentencePiece model of the 256 bytes (sentencepiece_model.proto), so that a text has as many
tokens as bytes."""
import struct

BEGIN, END, MASK, VOCABULARY = 1, 2, 3, 261
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def varint(value):
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def sentencepiece(pieces):
    """The serialized model of pieces, which are (text, kind)."""
    model = b""
    for index, (text, kind) in enumerate(pieces):
        score = varint(2 << 3 | 5) + struct.pack("<f", -float(index))
        model += message(1, message(1, text.encode()) + score + number(3, kind))
    has_bytes = any(kind == BYTE for _, kind in pieces)
    model += message(2, number(3, 2) + number(24, 0) + number(35, int(has_bytes)))
    return model + message(3, message(1, b"identity") + number(3, 0) + number(4, 0))


SPECIAL = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]


def bytes_model(size=VOCABULARY):
    """Four special tokens, the bytes, the mark that stands for a space, and words up to a size."""
    pieces = SPECIAL + [("<mask>", CONTROL)]
    pieces += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    words = [(f"w{number}", NORMAL) for number in range(size - VOCABULARY)]
    return sentencepiece(pieces + [("\u2581", NORMAL)] + words)


def letters_model(size):
    """A vocabulary of a given small size without bytes, for the models of Tests/Fixtures."""
    letters = [("\u2581", NORMAL)] + [(chr(97 + i), NORMAL) for i in range(26)]
    letters += [(chr(65 + i), NORMAL) for i in range(26)] + [(chr(33 + i), NORMAL) for i in range(30)]
    return sentencepiece((SPECIAL + letters)[:size])
