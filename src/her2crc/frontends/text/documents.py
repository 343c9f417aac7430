"""From a document of any kind to the text of a report: the step before :mod:`her2crc.frontends.text.extract`.

Offsets of findings refer to this text, not to the bytes of the file. Each kind has its module and brings its library
along only when such a document comes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from her2crc.errors import InputError, MissingExtraError
from her2crc.frontends.text.documents_docx import docx_text
from her2crc.frontends.text.documents_html import html_text
from her2crc.frontends.text.documents_pdf import pdf_text
from her2crc.frontends.text.documents_text import decode_report, is_readable
from her2crc.frontends.text.findings import Reading
from her2crc.model.record import Issue

Found = tuple[str, tuple[Issue, ...]]
STRUCK = re.compile(rb"\\strike(?!0)")
MOST_BYTES = 200_000_000
"""Bytes that a document may unpack to, as for every other packed file."""


MOST_FONTS = 100_000
"""Characters of the table of fonts in RTF; it is searched in a time that grows with the square of its length."""


class Report(msgspec.Struct, frozen=True):
    """The text of one report, and whose it is as far as the file says.

    ``text`` is what offsets refer to; ``place`` names the file (and line) in messages; ``issues`` holds what a person
    must know of the document, such as pages that could not be read.
    """

    report_id: str
    text: str
    place: str
    patient_id: str | None = None
    specimen_id: str | None = None
    date: str | None = None
    issues: tuple[Issue, ...] = ()


class ReadReport(NamedTuple):
    """A report and what was read of it."""

    report: Report
    reading: Reading


def document_text(data: bytes, kind: str, name: str) -> Found:
    """Return the text of a document, and what a person must know of it.

    Args:
        data: the content of the file.
        kind: ``report_text``, ``report_docx``, ``report_pdf``, ``report_html`` or ``report_rtf``.
        name: the file, for messages.

    Raises:
        MissingExtraError: the library for this kind is not installed.
        InputError: it is damaged, locked, too large, or holds no text.
    """
    text, issues = READERS[kind](data, name)
    if not text.strip():
        raise InputError(
            "The document holds no text.",
            where=name,
            why="A picture of a report cannot be read: optical character recognition (OCR) is missing.",
            fix="Ask for the report as text, or run OCR and check what it gives.",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n"), issues


def _docx(data: bytes, name: str) -> Found:
    return docx_text(data, name, MOST_BYTES)


def _rtf(data: bytes, name: str) -> Found:
    try:
        from striprtf.striprtf import font_table_group, rtf_to_text
    except ImportError:
        raise MissingExtraError(
            "Reading RTF needs striprtf, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[text]', or save the report as text.",
        ) from None
    source = data.replace(b"\\field{", b"\\field {").decode("latin-1")  # its search for links takes for ever otherwise
    try:
        fonts = font_table_group(source)  # type: ignore[no-untyped-call] # has no types
        if len(fonts) > MOST_FONTS:
            raise ValueError("no font table is that long")
        text: str = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call] # has no types
    except Exception:  # noqa: BLE001 - striprtf raises nearly anything on a damaged document
        raise InputError("The RTF document is damaged.", where=name, fix="Save it again, or save it as text.") from None
    return text, (_struck_out(name),) if STRUCK.search(data) else ()


def _struck_out(name: str) -> Issue:
    text = "The document has struck-out text, which was read as if it stood: check that no result is a withdrawn one."
    return Issue("warning", "struck_out_text", text, place=name)


def _text(data: bytes, name: str) -> Found:
    text, issues = decode_report(data, name)
    if not is_readable(text):
        raise InputError("The file holds no readable text.", where=name, fix="Save the report as UTF-8 text.")
    return text, issues


READERS: dict[str, Callable[[bytes, str], Found]] = {
    "report_text": _text,
    "report_docx": _docx,
    "report_pdf": pdf_text,
    "report_html": html_text,
    "report_rtf": _rtf,
}
