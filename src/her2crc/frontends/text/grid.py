"""The lines of a text as rows of cells: parted by tabs, bars, commas or semicolons, or aligned by spaces.

:mod:`her2crc.frontends.text.tables` says which of them are tables of HER2, and what their cells state.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SEPARATORS = {
    "tab": re.compile(r"\t"),
    "bar": re.compile(r"\|"),
    "comma": re.compile(r",(?! )"),
    "semicolon": re.compile(r";(?! )"),
    "spaces": re.compile(r" {2,}"),
}
RULE = re.compile(r"\s*|(?=[^=_-]*[=_-]{2})[\s|:=+_-]*")
"""A line that is empty or only drawn."""
DRAWN = "-=_+"
"""What a line that is only drawn, and parts no columns, begins with."""
ALL = list(SEPARATORS)
FEWEST_OF_LIST = 2
"""Commas or semicolons without a space after them that make a row of a list."""


SHIFTS = (-1, 0, 1)
"""By how much a cell can stand beside its label in a table that is drawn by hand."""


class Cell(NamedTuple):
    """Where the content of a cell stands; empty cells have no length."""

    start: int
    end: int


class Row(NamedTuple):
    """A line and its cells; a line that is only drawn has none."""

    line: Cell
    cells: list[Cell]


class Grid:
    """The lines of a text, and how they are parted into cells."""

    def __init__(self, low: str) -> None:
        self.low = low
        self.lines: list[Cell] = []
        at = 0
        for line in low.split("\n"):
            self.lines.append(Cell(at, at + len(line)))
            at += len(line) + 1
        self.styles: list[list[str] | None] = [None] * len(self.lines)
        self.parted: dict[tuple[str, int], list[Cell]] = {}

    def stretch(self, number: int) -> tuple[str, int]:
        """Return how the lines from one on are parted into columns, and the line after them."""
        for style in self._styles(number):
            after = number + 1
            while after < len(self.lines) and style in self._styles(after):
                after += 1
            if after - number > 1:
                return style, after
        return "", number + 1

    def _styles(self, number: int) -> list[str]:
        """Return how a line can be parted into cells, which is looked at once; a drawn line stands in any table."""
        known = self.styles[number]
        if known is None:
            line = self.lines[number]
            known = self.styles[number] = _styles_of(self.low[line.start : line.end].strip(" "))
        return known

    def _inner(self, start: int, end: int) -> Cell:
        """Return a stretch without the spaces around it."""
        low = self.low
        while start < end and low[start] == " ":
            start += 1
        while start < end and low[end - 1] == " ":
            end -= 1
        return Cell(start, end)

    def cells(self, style: str, line: Cell) -> list[Cell]:
        """Return the cells of a line, which is parted once: a line can be header, row and title."""
        key = style, line.start
        known = self.parted.get(key)
        if known is None:
            known = self.parted[key] = self._part(style, line)
        return known

    def _part(self, style: str, line: Cell) -> list[Cell]:
        start, end = self._inner(line.start, line.end)
        if style == "bar":
            start += self.low.startswith("|", start, end)
            end -= end > start and self.low[end - 1] == "|"
        cells, at = [], start
        for found in SEPARATORS[style].finditer(self.low, start, end):
            cells.append(self._inner(at, found.start()))
            at = found.end()
        cells.append(self._inner(at, end))
        return cells

    def header(self, style: str, number: int) -> list[Cell]:
        """Return the cells of a line as labels, the first empty where only the lines below begin at the left."""
        line, cells = self.lines[number], self.cells(style, self.lines[number])
        indent = cells[0].start - line.start
        if style != "spaces" or indent <= 1 or number + 1 >= len(self.lines):
            return cells
        below = next((row for row in self.lines[number + 1 :] if RULE.fullmatch(self.low, *row) is None), line)
        first = self.cells(style, below)[0]
        return [Cell(line.start, line.start), *cells] if first.end - below.start < indent else cells

    def rows(self, style: str, header: list[Cell], first: int, last: int) -> list[Row]:
        """Return the rows under a header, each with a cell for each of its labels."""
        rows: list[Row] = []
        for line in self.lines[first:last]:
            drawn = RULE.fullmatch(self.low, *line) is not None
            cells = [] if drawn else self._fitted(style, header, line)
            if not (cells or drawn):
                break
            rows.append(Row(line, cells))
        return rows

    def _fitted(self, style: str, header: list[Cell], line: Cell) -> list[Cell]:
        """Return the cells of a line, one for each label; none where the line is no row of the table."""
        cells, labels = self.cells(style, line), len(header)
        none = Cell(line.end, line.end)
        if len(cells) > labels and style == "bar":
            return self._merged(header, line, cells)
        if len(cells) < labels and style in ("tab", "bar"):
            return cells + [none] * (labels - len(cells))
        if len(cells) == labels:
            return cells
        return self._aligned(header, line, cells) if style == "spaces" else []

    def _merged(self, header: list[Cell], line: Cell, cells: list[Cell]) -> list[Cell]:
        """Return cells, joined where no label begins above: a bar can also stand within a cell ('positive | 3+')."""
        begin = self.low.rfind("\n", 0, header[0].start) + 1
        starts = {label.start - begin + shift for label in header for shift in SHIFTS}
        merged: list[Cell] = []
        for cell in cells:
            if merged and cell.start - line.start not in starts:
                merged[-1] = Cell(merged[-1].start, cell.end)
            else:
                merged.append(cell)
        last = len(header) - 1
        return merged if len(merged) == last + 1 else [*cells[:last], Cell(cells[last].start, cells[-1].end)]

    def _aligned(self, header: list[Cell], line: Cell, cells: list[Cell]) -> list[Cell]:
        """Return cells under the labels that they stand below; none where that is not plain."""
        begin = self.low.rfind("\n", 0, header[0].start) + 1
        placed = [Cell(line.end, line.end)] * len(header)
        for cell in self._split(header, begin, line, cells):
            start, end = cell.start - line.start + begin, cell.end - line.start + begin
            below = [at for at, label in enumerate(header) if start < label.end and label.start < end]
            below = [0] if cell.start == cells[0].start and start <= header[0].start else below
            if len(below) != 1 or placed[below[0]].start < placed[below[0]].end:
                return []
            placed[below[0]] = cell
        return placed

    def _split(self, header: list[Cell], begin: int, line: Cell, cells: list[Cell]) -> list[Cell]:
        """Return cells with those that only one space parts as two, where a label begins at that place."""
        found = []
        for cell in cells:
            at = cell.start
            for label in header:
                start = label.start - begin + line.start
                if at < start < cell.end and self.low[start - 1] == " ":
                    found.append(self._inner(at, start))
                    at = start
            found.append(Cell(at, cell.end))
        return found


def _styles_of(line: str) -> list[str]:
    """Return the styles of a line without the spaces around it."""
    if line[:1] in DRAWN and RULE.fullmatch(line) is not None:
        return ALL if line else []
    styles = []
    if "\t" in line:
        styles.append("tab")
    if "|" in line:
        styles.append("bar")
    for sign, style in ((",", "comma"), (";", "semicolon")):
        if sign in line and line.count(sign) - line.count(f"{sign} ") >= FEWEST_OF_LIST:
            styles.append(style)
    if "  " in line:
        styles.append("spaces")
    return styles
