"""Rows of tables that are read as they stand: each is a statement of its own, and so is each of its pairs.

No value goes from one row to the next, nor over the name of another gene in the same row. Rows of a table that
:mod:`her2crc.frontends.text.tables` rewrites are closed there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.columns import DATED
from her2crc.frontends.text.fold import Folded, Piece
from her2crc.frontends.text.grid import Cell, Grid, Row
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.windows import HER2

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED = frozenset(("anchor", "marker"))
STATED = frozenset(("score", "pct", "times", "status", "absent", "present", "noun", "num", "sign", "variant"))
FEWEST = {"tab": 2, "bar": 2, "spaces": 3}
"""Cells from which on a line is a row, by what parts them: two cells that spaces part can be columns of a page."""
FEWEST_PAIRED = 4
"""Cells of two pairs of a name and its value."""
SYMBOL = re.compile(r"[A-Z][A-Z0-9-]{1,8}[A-Z0-9]")
"""A name written like that of a gene."""
ENDS = (".", ":", ";", ",", "。", "-")
"""What the end of a row need not be closed after, or goes on after."""
EMPTY_ENDS = (" -", "|-", "\t-")
"""The last cell of a row that is empty, and no hyphen."""
QUANTITIES = frozenset(("ratio", "mean", "per_cell", "percent", "counted", "copies"))
TESTS = frozenset(("ihc", "ish", "tissue", "plasma", "digital", "cep17", "ratio", "copies", "mutation"))
"""What a row can say itself that it is of."""
OF_OTHERS = TESTS - {"ihc"} | STATED
"""What no title of a panel of stains says."""
BARE = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")
TITLE_REACH, LONGEST_TITLE = 4, 60
"""Lines over a table, less one, that can be its title, and the characters of one."""
LONGEST_NAME = 24
"""Characters of a cell that only names a gene."""


class Rows:
    """The rows of one text that stay as they are."""

    def __init__(self, folded: Folded, grid: Grid, scanner: Scanner) -> None:
        self.folded, self.low, self.grid, self.scanner = folded, folded.low, grid, scanner
        self.of_stains: dict[int, bool] = {}

    def closed(self, style: str, first: int, after: int) -> list[Piece]:
        """Return what is put into the lines of a stretch: where a pair begins, and at the end of a row."""
        fewest = FEWEST.get(style)
        if fewest is None:
            return []
        made: list[Piece] = []
        lines = self.grid.lines
        stains = self.is_of_stains(first)
        for number in range(first, after):
            cells = self.grid.cells(style, lines[number])
            if len(cells) < len(("label", "value")):
                continue
            put = self.labelled(cells, stains)
            if len(cells) >= fewest or DATED.fullmatch(self.low, cells[0].start, cells[0].end):
                put += [Piece(cells[at].start, cells[at].start, ". ") for at in self.pairs(cells)[1:]]
                end = cells[-1].end
                if number + 1 < after and self.begins_row(lines[number + 1]) and not self.goes_on(cells[0].start, end):
                    put.append(Piece(end, end, "."))
            made += sorted(put, key=_start) if len(put) > 1 else put
        return made

    def labelled(self, cells: Sequence[Cell], stains: bool) -> list[Piece]:
        """Return what says of a row what it is: a colon before its number, and in a panel of stains the method."""
        label, value = cells[0], cells[1]
        if HER2.search(self.low, label.start, cells[-1].end) is None:
            return []
        number = BARE.fullmatch(self.low, value.start, value.end) is not None
        if number and not self.kinds(label).isdisjoint(QUANTITIES) and self.low[label.end - 1] not in ":=":
            return [Piece(label.end, label.end, ":")]
        if stains and self.kinds(Cell(label.start, cells[-1].end)).isdisjoint(TESTS):
            said = " ihc: " if number else " ihc "
            return [Piece(cell.end, cell.end, said) for cell in cells if "anchor" in self.kinds(cell)][:1]
        return []

    def is_of_stains(self, first: int) -> bool:
        """Tell whether the line above a table is the title of a panel of stains, of which each row then is one."""
        known = self.of_stains.get(first)
        if known is None:
            known = self.of_stains[first] = self._is_under_stains(first)
        return known

    def _is_under_stains(self, first: int) -> bool:
        for at in range(first - 1, max(-1, first - TITLE_REACH), -1):
            line = self.grid.lines[at]
            title = self.low[line.start : line.end].strip().partition("  ")[0]
            if not title:
                continue
            if len(title) > LONGEST_TITLE:
                return False
            start = self.low.index(title, line.start)
            kinds = self.kinds(Cell(start, start + len(title)))
            return "ihc" in kinds and kinds.isdisjoint(OF_OTHERS)
        return False

    def goes_on(self, start: int, end: int) -> bool:
        """Tell whether the end of a row is none, or is marked as one."""
        written = self.low[start:end].rstrip(" |")
        return end <= start or (written.endswith(ENDS) and not written.endswith(EMPTY_ENDS))

    def begins_row(self, line: Cell) -> bool:
        """Tell whether a line begins with what can be the first cell of a row, not with the rest of a cell."""
        written = self.low[line.start : line.end]
        start = line.start + len(written) - len(written.lstrip(" |"))
        return start < line.end and not self.folded.original(start, start + 1).islower()

    def pairs(self, cells: Sequence[Cell]) -> list[int]:
        """Return at which cells a pair of a name and what is said of it begins: 'ERBB2 | amplified | KRAS | no'."""
        begins = [0]
        if len(cells) < FEWEST_PAIRED or not self.is_name(cells[0]):
            return begins
        for at in range(1, len(cells) - 1):
            if at - begins[-1] > 1 and self.is_name(cells[at]) and self.states(cells[at - 1]):
                begins.append(at)
        return begins

    def is_name(self, cell: Cell) -> bool:
        """Tell whether a cell is the name of a gene, and nothing else."""
        if not 0 < cell.end - cell.start <= LONGEST_NAME:
            return False
        kinds = self.kinds(cell)
        if kinds:
            return not kinds.isdisjoint(NAMED) and kinds.isdisjoint(STATED)
        return SYMBOL.fullmatch(self.folded.original(cell.start, cell.end)) is not None

    def states(self, cell: Cell) -> bool:
        """Tell whether a cell holds a result."""
        return cell.end == cell.start or not self.kinds(cell).isdisjoint(STATED)

    def kinds(self, cell: Cell) -> set[str]:
        """Return the kinds of the items of a cell."""
        if cell.end == cell.start:
            return set()
        return set(self.scanner.items(self.folded, cell.start, cell.end).kinds)


def _start(piece: Piece) -> int:
    return piece.start


def repeated(low: str, labels: Sequence[Cell]) -> int:
    """Return after how many columns the labels of a header come again, as in 'gene | finding | gene | finding'."""
    written = [low[label.start : label.end] for label in labels]
    if written[0].isalpha():
        for width in range(2, len(written) // 2 + 1):
            if written == written[:width] * (len(written) // width):
                return width
    return len(written)


def halves(rows: Sequence[Row], width: int) -> list[Row]:
    """Return the rows of a table whose labels come several times as rows of the labels once."""
    parts: list[Row] = []
    for row in rows:
        cells = row.cells
        if not cells:
            parts.append(row)
            continue
        for first in range(0, len(cells), width):
            part = cells[first : first + width]
            stated = [cell for cell in part if cell.end > cell.start]
            if stated:
                parts.append(Row(Cell(stated[0].start, stated[-1].end), part))
    return parts
