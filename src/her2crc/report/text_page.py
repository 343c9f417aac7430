"""The page that the text report is written on: width, colour, numbered citations, and how a line is broken.

Part of stage 5; :mod:`her2crc.report.text_sections` writes on it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from her2crc.criteria.library import Knowledge
from her2crc.model.citation import Citation
from her2crc.model.verdict import Assessment
from her2crc.report.citations import Citations
from her2crc.report.outline import TITLES
from her2crc.report.words import STATUS, clean

COLOURS = {
    "bold": "1",
    "positive": "1;36",
    "negative": "37",
    "equivocal": "33",
    "indeterminate": "35",
    "not_covered": "2",
}


class TextPage:
    """One text report while it is written.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave it.
        width: characters to a line.
        colour: whether terminal colours are added.
    """

    def __init__(self, assessment: Assessment, knowledge: Knowledge, width: int, colour: bool) -> None:
        self.assessment = assessment
        self.knowledge = knowledge
        self.width = width
        self.colour = colour
        self.citations = Citations(knowledge.references)

    def mark(self, cites: Iterable[Citation]) -> str:
        """Return the citation numbers with a space before them, empty where nothing is cited."""
        numbers = self.citations.mark(cites)
        return f" {numbers}" if numbers else ""

    def paint(self, text: str, style: str) -> str:
        """Return text in a colour of the terminal, where colours are wanted."""
        return f"\x1b[{COLOURS[style]}m{text}\x1b[0m" if self.colour else text

    def cell(self, status: str, width: int, note: str = "") -> str:
        """Return a status code padded to a width, so that colours do not shift a column."""
        code = STATUS[status].code + note
        return self.paint(code, status) + " " * (width - len(code))


def heading(page: TextPage, section: str) -> list[str]:
    """Return the title of a section of :data:`her2crc.report.outline.TITLES`, or any other, and the rule under it."""
    title = TITLES.get(section, section)
    return [page.paint(title.upper(), "bold"), "-" * len(title)]


def wrap(page: TextPage, text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Return a paragraph in lines that fit the page; lines after the first start with ``rest``, else are aligned."""
    return textwrap.wrap(
        clean(text),
        page.width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_on_hyphens=False,
    )
