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
DRAWN = ("-", "=", "_", "+")
"""What a line that is only drawn, and parts no columns, begins with."""


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

    def stretch(self, number: int) -> tuple[str, int]:
        """Return how the lines from one on are parted into columns, and the line after them."""
        for style in SEPARATORS:
            after = number
            while after < len(self.lines) and self._is_row(style, self.lines[after]):
                after += 1
            if after - number > 1:
                return style, after
        return "", number + 1

    def _is_row(self, style: str, line: Cell) -> bool:
        separator, (start, end) = SEPARATORS[style], self._inner(line)
        if self.low.startswith(DRAWN, start) and RULE.fullmatch(self.low, start, end) is not None:
            return end > start
        found = separator.search(self.low, start, end)
        if found is not None and style in ("comma", "semicolon"):
            found = separator.search(self.low, found.end(), end)
        return found is not None

    def _inner(self, line: Cell) -> Cell:
        """Return a stretch without the spaces around it."""
        stretch = self.low[line.start : line.end]
        start = line.start + len(stretch) - len(stretch.lstrip(" "))
        return Cell(start, max(start, line.start + len(stretch.rstrip(" "))))

    def cells(self, style: str, line: Cell) -> list[Cell]:
        """Return the cells of a line."""
        start, end = self._inner(line)
        if style == "bar":
            start += self.low.startswith("|", start, end)
            end -= end > start and self.low[end - 1] == "|"
        cells, at = [], start
        for found in SEPARATORS[style].finditer(self.low, start, end):
            cells.append(self._inner(Cell(at, found.start())))
            at = found.end()
        return [*cells, self._inner(Cell(at, end))]

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
            return [*cells[: labels - 1], Cell(cells[labels - 1].start, cells[-1].end)]
        if len(cells) < labels and style in ("tab", "bar"):
            return cells + [none] * (labels - len(cells))
        if len(cells) == labels:
            return cells
        return self._aligned(header, line, cells) if style == "spaces" else []

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
                    found.append(self._inner(Cell(at, start)))
                    at = start
            found.append(Cell(at, cell.end))
        return found
