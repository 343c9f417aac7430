"""The text of a report in Word (.docx): header, paragraphs and tables in reading order, footer.

python-docx opens the package; the body is walked element by element, because forms keep their answers where a list of
paragraphs does not show them (content controls, text boxes, symbols). Struck-out and deleted text is no statement.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.model.record import Issue

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SKIPPED = frozenset((f"{WORD}del", f"{WORD}moveFrom", f"{WORD}sdtPr", f"{WORD}instrText", f"{WORD}pPr"))
FALLBACK = "Fallback"
"""A second copy of a text box, for old programs."""
BLANK_LINES = re.compile(r"\n{3,}")
CELL_BETWEEN = " | "
STRUCK = ("strike", "dstrike", "vanish")
OFF = ("0", "false", "off")
TICKED, EMPTY = "[x]", "[ ]"
SYMBOLS = {
    **dict.fromkeys(("F0FE", "F0FD", "F0FC", "F052", "F053", "F054", "F056"), TICKED),
    **dict.fromkeys(("F0A8", "F06F", "F0A3", "F071"), EMPTY),
}
"""Boxes in the symbol fonts of Word (Wingdings)."""


def docx_text(data: bytes, name: str, most_bytes: int) -> tuple[str, tuple[Issue, ...]]:
    """Return the text of a Word document, and what a person must know of it.

    Raises:
        MissingExtraError: python-docx is not installed.
        InputError: it is damaged, or unpacks to more than ``most_bytes``.
    """
    try:
        from docx import Document
    except ImportError:
        raise MissingExtraError(
            "Reading Word documents needs python-docx, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[text]', or save the report as text.",
        ) from None
    try:
        _refuse_too_large(data, name, most_bytes)
        walk = _Walk()
        lines = [line for part in _parts(Document(io.BytesIO(data))) for line in walk.lines(part)]
    except Her2crcError:
        raise
    except Exception:  # noqa: BLE001 - python-docx raises nearly anything on a damaged document
        raise InputError(
            "The Word document is damaged.", where=name, fix="Save it again in Word, or save it as text."
        ) from None
    text = BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
    return text, (_struck_out(name),) if walk.struck else ()


def _refuse_too_large(data: bytes, name: str, most_bytes: int) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(item.file_size for item in archive.infolist()) > most_bytes:
            limit = most_bytes // 1_000_000
            raise InputError(f"The file unpacks to more than {limit} MB.", where=name, fix="Save the text alone.")


def _parts(document: Any) -> Iterator[Any]:
    """Yield the elements of the first header that each section shows, the body, and the footers."""
    seen: set[str] = set()
    for part in ("header", "body", "footer"):
        if part == "body":
            yield document.element.body
            continue
        for section in document.sections:
            for kind in (f"first_page_{part}", part):
                holder = getattr(section, kind)
                if not holder.is_linked_to_previous and (shown := "".join(holder._element.itertext())) not in seen:
                    seen.add(shown)
                    yield holder._element


class _Walk:
    """Goes through a document; ``struck`` tells whether text was left out because it is struck out or hidden."""

    def __init__(self) -> None:
        self.struck = False

    def lines(self, element: Any) -> Iterator[str]:
        """Yield the lines below an element; a row of a table is one line."""
        for child in element:
            tag = child.tag
            if tag in SKIPPED or not isinstance(tag, str):
                continue
            if tag == f"{WORD}p":
                yield from self._paragraph(child)
            elif tag == f"{WORD}tr":
                yield CELL_BETWEEN.join(" ".join(filter(None, self.lines(cell))) for cell in _cells(child))
            else:
                yield from self.lines(child)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        boxes: list[str] = []
        text = "".join(self._inline(paragraph, boxes))
        yield from map(str.strip, text.split("\n"))
        yield from boxes

    def _inline(self, element: Any, boxes: list[str]) -> Iterator[str]:
        """Yield the pieces of a paragraph; the lines of a text box inside it go to ``boxes``."""
        for child in element:
            tag = child.tag
            if not isinstance(tag, str) or tag in SKIPPED or tag.endswith(FALLBACK):
                continue
            if tag == f"{WORD}r" and _is_struck(child):
                self.struck = self.struck or any(item.text for item in child.iter(f"{WORD}t"))
            elif tag == f"{WORD}txbxContent":
                boxes += self.lines(child)
            else:
                yield _piece(child)
                yield from self._inline(child, boxes)


def _piece(element: Any) -> str:
    """Return what one element writes: text, a break, or a box of a form."""
    match element.tag.removeprefix(WORD):
        case "t":
            return element.text or ""
        case "tab" | "ptab":
            return "\t"
        case "br" | "cr":
            return "\n"
        case "noBreakHyphen":
            return "-"
        case "sym":
            return SYMBOLS.get((element.get(f"{WORD}char") or "").upper(), "")
        case "checkBox":
            return TICKED if _is_ticked(element) else EMPTY
    return ""


def _cells(row: Any) -> Iterator[Any]:
    """Yield the cells of a row, also those inside content controls."""
    return (item for item in row.iter(f"{WORD}tc") if next(item.iterancestors(f"{WORD}tr")) is row)


def _is_on(element: Any) -> bool:
    return element is not None and (element.get(f"{WORD}val") or "1").lower() not in OFF


def _is_struck(run: Any) -> bool:
    about = run.find(f"{WORD}rPr")
    return about is not None and any(_is_on(about.find(f"{WORD}{name}")) for name in STRUCK)


def _is_ticked(box: Any) -> bool:
    checked = box.find(f"{WORD}checked")
    return _is_on(box.find(f"{WORD}default") if checked is None else checked)


def _struck_out(name: str) -> Issue:
    text = "Text that is struck out or hidden in the document was not read: check that it was meant to be withdrawn."
    return Issue("warning", "struck_out_text", text, place=name)
