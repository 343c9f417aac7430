"""Bytes of an HL7 v2 file into messages of segments: framing, character sets, separators, escapes.

First step of :mod:`her2crc.read.hl7v2`. The library ``hl7`` takes a message apart by its own separators (MSH-1 and 2).
It is not used to undo escapes: what it cannot decode it writes, with the patient's text, into the log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from her2crc.errors import InputError, MissingExtraError
from her2crc.read.source import UTF16, decode

BREAKS = re.compile(rb"[\r\n\x0b\x1c]+")
"""Ends of segments as found in files (CR, LF, both), and the frame of the transfer protocol (MLLP)."""
HEADER = re.compile(r"MSH([^\w\s])([^\w\s])([^\w\s])([^\w\s])?([^\w\s])?[^\w\s]?\1")
USUAL_MARKS = "|^~\\&"
HEADER_BYTES, ENVELOPE = b"MSH", (b"FHS", b"BHS", b"BTS", b"FTS")
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}(?![A-Za-z0-9 ])")
LAYOUT = re.compile(r"[HN]|\.[a-z]{2}[+-]?\d*")
CONTINUATION = "ADD"
DEFAULT_CHARACTER_SET, FALLBACK = "UTF-8", "latin-1"
CHARACTER_SET_FIELD = 18

Component = tuple[str, ...]
Repetition = tuple[Component, ...]


class Segment(NamedTuple):
    """One segment: its repetitions of components of sub-components, by field; ``broken`` where it may be incomplete."""

    name: str
    place: str
    fields: tuple[tuple[Repetition, ...], ...] = ()
    broken: bool = False

    def repetitions(self, field: int) -> tuple[Repetition, ...]:
        """Return what stands in a field, counted from 1; blank repetitions are left out."""
        found = self.fields[field] if field < len(self.fields) else ()
        return tuple(item for item in found if any(any(part) for part in item))

    def text(self, field: int, component: int = 1) -> str:
        """Return a component of the first repetition of a field, both counted from 1; empty where there is none."""
        found = self.repetitions(field)
        return component_text(found[0], component) if found else ""

    def identifier(self, field: int, component: int = 1) -> str:
        """Return the first sub-component: the identifier without the authority that gave it."""
        found = self.repetitions(field)
        parts = found[0][component - 1 : component] if found else ()
        return parts[0][0].strip() if parts else ""


class Message(NamedTuple):
    """One message; ``fault`` names the remark about its header, ``character_set`` one that did not fit."""

    place: str
    segments: tuple[Segment, ...]
    fault: str = ""
    character_set: str = ""


def component_text(repetition: Repetition, component: int = 1) -> str:
    """Return a component, counted from 1, with its sub-components; a null (``""``) counts as nothing."""
    if component > len(repetition):
        return ""
    text = "&".join(repetition[component - 1]).strip()
    return "" if text == '""' else text


def read_messages(data: bytes, name: str, character_sets: Mapping[str, str]) -> list[Message]:
    """Take a file apart into messages, in order. What stands around them (FHS, BHS, MLLP frames) is left out.

    Raises:
        MissingExtraError: the library is not installed.
        InputError: there is no message in the file.
    """
    try:
        import hl7  # noqa: F401 - told apart here, before the first message
    except ImportError:
        raise MissingExtraError(
            "Reading HL7 v2 needs the package hl7, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[hl7]'.",
        ) from None
    if data.startswith(UTF16):
        data = decode(data, name)[0].encode()
    chunks: list[list[bytes]] = []
    for line in BREAKS.split(data.removeprefix(b"\xef\xbb\xbf")):
        if line.lstrip().startswith(HEADER_BYTES):
            chunks.append([line.lstrip()])
        elif line.strip() and chunks and not line.startswith(ENVELOPE):
            chunks[-1].append(line)
    if not chunks:
        raise InputError("The file holds no HL7 v2 message (MSH).", where=name, fix="Export whole messages.")
    return [_read_message(lines, f"{name}:message {n}", character_sets) for n, lines in enumerate(chunks, 1)]


def _read_message(lines: list[bytes], place: str, character_sets: Mapping[str, str]) -> Message:
    header = HEADER.match(lines[0].decode(FALLBACK))
    if header is None or not _are_distinct(header):
        return Message(place, (), fault="hl7_header")
    text, misfit = _decode(lines, header.group(1), character_sets)
    return Message(place, tuple(_segments(text, place)), character_set=misfit)


def _are_distinct(header: re.Match[str]) -> bool:
    """Tell whether the separators differ, with the usual ones in the place of those that are not declared."""
    marks = [mark or usual for mark, usual in zip(header.groups(), USUAL_MARKS, strict=True)]
    return len(set(marks)) == len(marks)


def _decode(lines: list[bytes], separator: str, character_sets: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the lines as text, and the character set that is declared where it does not fit."""
    fields = lines[0].decode(FALLBACK).split(separator)
    declared = fields[CHARACTER_SET_FIELD - 1].strip() if len(fields) >= CHARACTER_SET_FIELD else ""
    first = re.split(r"[^\w /.-]", declared)[0].strip().upper()
    first = first or DEFAULT_CHARACTER_SET
    codec = character_sets.get(first, "")
    try:
        return [line.decode(codec) for line in lines], ""
    except (UnicodeError, LookupError):
        return [line.decode(FALLBACK) for line in lines], first if codec else "given"


def _segments(lines: list[str], place: str) -> list[Segment]:
    import hl7

    whole: list[str] = []
    broken: set[int] = set()
    for line in lines:
        if SEGMENT.match(line) and not line.startswith(CONTINUATION):
            whole.append(line)
        else:
            broken.add(len(whole) - 1)  # the first line is always the header
    message = hl7.parse("\r".join(whole))
    undo = _Escapes(message.esc, message.separators)
    found: list[Segment] = []
    numbers: Counter[str] = Counter()
    for at, segment in enumerate(message):
        name = str(segment[0])
        numbers[name] += 1
        fields = tuple(tuple(_repetition(item, undo) for item in field) for field in segment)
        found.append(Segment(name, f"{place}, {name} {numbers[name]}", fields, at in broken))
    return found


def _repetition(item: Any, undo: _Escapes) -> Repetition:
    components = [item] if isinstance(item, str) else item
    return tuple(tuple(map(undo, [part] if isinstance(part, str) else part)) for part in components)


class _Escapes:
    """Undoes the escapes of separators and hexadecimal characters; lay-out becomes a blank, the rest stays as it is."""

    def __init__(self, mark: str, separators: str) -> None:
        self._marks = dict(zip("FRST", separators[1:], strict=False)) | {"E": mark}
        self._escape = re.compile(re.escape(mark) + r"([^\s" + re.escape(mark) + r"]{1,64})" + re.escape(mark))

    def __call__(self, text: str) -> str:
        return self._escape.sub(self._character, text)

    def _character(self, found: re.Match[str]) -> str:
        written = found.group(1)
        if written in self._marks:
            return self._marks[written]
        if LAYOUT.fullmatch(written):
            return " "
        try:
            return bytes.fromhex(written[1:]).decode(FALLBACK) if written.startswith("X") else found.group()
        except ValueError:
            return found.group()
