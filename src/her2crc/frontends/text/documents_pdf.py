"""The text layer of a report in PDF, laid out in lines as on the page, so that the cells of a row stay together.

A scan has no text layer, and some programs write one that cannot be decoded: both are said, page by page, because a
result that was not read must never look like a result that is not there.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.frontends.text.documents_text import is_readable
from her2crc.model.record import Issue

WIDE_GAP = re.compile(r"(?<=\S) {3,}(?=\S)")
GAP = "   "
MARGIN = re.compile(r"^ +| +$", re.MULTILINE)
NEED_OCR = (
    "Optical character recognition (OCR) is missing: ask for the report as text, or run OCR and check what it gives."
)


def pdf_text(data: bytes, name: str) -> tuple[str, tuple[Issue, ...]]:
    """Return the text layer of a PDF, and a warning for pages without one.

    Raises:
        MissingExtraError: pypdf is not installed.
        InputError: it is damaged, locked with a password, or has no text layer that can be read.
    """
    try:
        import pypdf  # noqa: F401 - told apart here from a damaged document
    except ImportError:
        raise MissingExtraError(
            "Reading PDF documents needs pypdf, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[text]', or save the report as text.",
        ) from None
    try:
        with _silenced():
            pages, is_form = _pages(data, name)
    except Her2crcError:
        raise
    except (Exception, RecursionError):  # noqa: BLE001 - pypdf raises nearly anything on a damaged document
        raise InputError(
            "The PDF document is damaged.", where=name, fix="Copy it again from where it was made."
        ) from None
    unread = [number for number, page in enumerate(pages, 1) if not is_readable(page)]
    if len(unread) == len(pages):
        raise _no_text(any(map(str.strip, pages)), name)
    text = "\n\n".join(page for page in pages if is_readable(page))
    return text, (*_unread(unread, len(pages), name), *([_form(name)] if is_form else []))


def _pages(data: bytes, name: str) -> tuple[list[str], bool]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise InputError("The PDF document is locked with a password.", where=name, fix="Save it without one.")
    filled = any(field.get("/V") not in (None, "", "/Off") for field in (reader.get_fields() or {}).values())
    return [_page(page) for page in reader.pages], filled


def _page(page: Any) -> str:
    """Lines as they stand on the page; where its layout cannot be worked out, in the order they were written."""
    try:
        text = str(page.extract_text(extraction_mode="layout"))
    except Exception:  # noqa: BLE001 - the layout needs more of the fonts than the plain text does
        text = str(page.extract_text())
    return WIDE_GAP.sub(GAP, MARGIN.sub("", text)).strip("\n")


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep pypdf from writing pieces of a damaged document to the log."""
    logger = logging.getLogger("pypdf")
    was = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(was)


def _no_text(has_layer: bool, name: str) -> InputError:
    if has_layer:
        what = "The text layer of the PDF cannot be decoded (its fonts do not say which characters they draw)."
    else:
        what = "The PDF has no text layer: it is a scan or a picture of the report."
    return InputError(what, where=name, why="Nothing in it can be read.", fix=NEED_OCR)


def _unread(numbers: list[int], pages: int, name: str) -> Iterator[Issue]:
    if numbers:
        shown = ", ".join(map(str, numbers))
        text = (
            f"Of {pages} pages, these have no text that can be read; results on them are missing: {shown}. {NEED_OCR}"
        )
        yield Issue("warning", "pages_without_text", text, place=name)


def _form(name: str) -> Issue:
    text = "The PDF is a form with filled fields; what stands in the fields was not read: print it to PDF again."
    return Issue("warning", "form_fields_not_read", text, place=name)
