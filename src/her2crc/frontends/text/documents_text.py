"""From the bytes of a text file to its characters, whatever encoding the laboratory system wrote them in.

Unicode is recognised for certain; older encodings are guessed from the bytes that only they make likely, and that is
said. Used for plain text, HTML and RTF.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from her2crc.errors import InputError
from her2crc.model.record import Issue

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
KANA = re.compile("[\u3041-\u30fa]")
HIGH_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
HIGH = re.compile(rb"[\x80-\xff]")
TURKISH = re.compile(rb"[\xd0\xdd\xde\xf0\xfd\xfe]")
"""In Windows-1254 the six letters of Turkish that Western European text has no use for."""
CONTROL = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""Characters that no report holds; the end-of-file sign of DOS (1A) and form feeds are let pass."""
MOST_CONTROL = 0.01
"""Share of such characters above which content is no text; printer codes of old systems stay below."""
LEAST_PAIRED = 0.9
"""Share of high bytes that come in pairs in Chinese of GB 18030; European letters stand alone."""
FIRST, SECOND = slice(0, None, 2), slice(1, None, 2)
"""The first and the second byte of each pair."""
LEAST_ZEROS = 0.3
"""Share of zero bytes, all on one side of the pairs, above which text without a mark is UTF-16."""


def decode_report(data: bytes, name: str) -> tuple[str, tuple[Issue, ...]]:
    """Return the characters of a text file, and a warning where the encoding was guessed.

    Raises:
        InputError: it says that it is Unicode, and is not.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _marked(data, encoding, name), ()
    encoding = guess_encoding(data)
    if encoding == "utf-8":
        return data.decode(encoding), ()
    return data.decode(encoding, "replace"), (_guessed(encoding, name),)


def guess_encoding(data: bytes) -> str:
    """Return the most likely encoding of text without a byte-order mark."""
    guesses: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
        ("utf-16-le", lambda raw: _zeros(raw[SECOND]) > LEAST_ZEROS > _zeros(raw[FIRST])),
        ("utf-16-be", lambda raw: _zeros(raw[FIRST]) > LEAST_ZEROS > _zeros(raw[SECOND])),
        ("utf-8", lambda _: True),
        ("cp932", lambda raw: bool(KANA.search(raw.decode("cp932")))),
        ("gb18030", _is_chinese),
        ("cp1254", lambda raw: bool(TURKISH.search(raw))),
    )
    for encoding, fits in guesses:
        if _decodes(data, encoding) and fits(data):
            return encoding
    return "cp1252"


def is_readable(text: str) -> bool:
    """Tell whether the characters are those of a text: letters among them, and hardly any control characters."""
    strange = len(CONTROL.findall(text)) + text.count("\ufffd")
    return strange <= MOST_CONTROL * len(text) and any(map(str.isalpha, text))


def _marked(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        said = encoding.upper().removesuffix("-SIG")
        raise InputError(
            f"The file starts as {said} text, but is damaged.", where=name, fix="Save it as UTF-8."
        ) from None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _zeros(part: bytes) -> float:
    return part.count(0) / max(1, len(part))


def _is_chinese(data: bytes) -> bool:
    high = len(HIGH.findall(data))
    return sum(map(len, HIGH_PAIR.findall(data))) >= LEAST_PAIRED * high


def _guessed(encoding: str, name: str) -> Issue:
    text = (
        f"The file is not UTF-8 and does not say its encoding; it was read as {encoding}. Check letters that are not"
        " English, or save it as UTF-8."
    )
    return Issue("warning", "encoding_guessed", text, place=name)
