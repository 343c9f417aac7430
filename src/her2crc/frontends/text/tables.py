"""Tables in a text, rewritten as lines that say of each cell what it is: 'liver | HER2 IHC: 3+; HER2 FISH: amplified'.

A table is rewritten where its header names HER2 above values, where it names quantities beside rows of HER2, or where
its columns are specimens. The lines are then read as any other text, and each character keeps its place in the cell or
the header that it comes from. Tables of criteria, thresholds or many patients are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from her2crc.frontends.text.fold import Folded, Piece
from her2crc.frontends.text.grid import Cell, Grid, Row
from her2crc.frontends.text.item_patterns import DATE
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.windows import HER2

SIGNS_OF_TABLE = ("\t", "|", "   ")
LIST = re.compile(r"\n[^\n,;: ]{1,40}[,;](?! )")
"""With the signs, what a text with a table holds: the cheap test."""
LONGEST_LABEL = 60
"""Characters of a column's label; what is longer is a sentence."""
SCALE = re.compile(r"0\s?(?:-|to|/|,)\s?(?:1\+?,\s?2\+?,\s?)?3")
UNIT = "%"
SCORES = 3
MOST_COLUMNS = 60
MOST_TITLES = 5
"""Lines that may stand above a header in the same layout."""
EMPTY = re.compile(r"[\s.,;:*/_-]*|n\.?\s?/?a\.?|nan|null|none")
BARE = re.compile(rf"(?!{DATE})[^a-z\u0370-\U0010ffff]*")
"""A value that says nothing without a label."""
KEY = re.compile(r":(?:\s|$)")
NUMBER = re.compile(r"(?:[<>]=?|[≤≥~])?\s?\d{1,3}(?:[.,]\d{1,3})?(?:\s?-\s?\d{1,3}(?:[.,]\d{1,3})?)?")
SHARE = re.compile(NUMBER.pattern + r"\s?%?")
SCORE = re.compile(r"[0-3]\s?\+?")
WITH_PLUS = re.compile(r"[0-3]\s?\+")
OF_CLASS = re.compile(r"(?:(?:her-?2|ihc|score)[ :-]{1,2}){0,3}[0-3]\s?\+?(?![^\s/|(+])")
"""A score that stands for all results like it: '0/1+', '2+/ISH+'."""
BOUND = re.compile(r"(?:[<>]=?|[≤≥])\s?(\d+(?:[.,]\d+)?)")
INNER = re.compile(r"\((?![^()]*(?:her|erb))[^()]*\d[^()]*\)|[\"'_]")
"""What of a label only describes its values: '(0-3+)'; and what stands for a space."""
STATES = frozenset(("status", "sign"))
VALUES = frozenset(("score", "pct", "times", "status", "sign", "absent", "present", "noun", "elsewhere", "iscn"))
QUANTITIES = frozenset(
    ("percent", "copies", "ratio", "fold", "snr", "mean", "per_cell", "cep17", "signals", "counted", "total")
)
UNREAD = frozenset(("log2", "fraction", "criterion", "general", "serum", "other_probe", "no_result"))
"""What a column can be of that gives no result."""
OWN = frozenset(("ihc", "ish", "tissue", "plasma", "digital", "score_word")) | QUANTITIES
ORIGINS = frozenset(("site", "tumour", "date", "prior", "current", "part", "specimen"))
PROBES = frozenset(("anchor", "cep17"))
MARKERS = frozenset(("anchor", "marker"))
NAMED = OWN | MARKERS


class Column(NamedTuple):
    """A column: where its label stands, and what the label can mean."""

    label: Cell
    kinds: frozenset[str]
    is_percent: bool

    @property
    def is_named(self) -> bool:
        """Tell whether the label says what its values are."""
        return self.is_percent or not self.kinds.isdisjoint(NAMED)

    @property
    def is_unread(self) -> bool:
        """Tell whether the column gives no result: a locus, a reference range, an allele fraction."""
        return not self.kinds.isdisjoint(UNREAD) and "anchor" not in self.kinds


def read_tables(folded: Folded, scanner: Scanner) -> Folded:
    """Return the text with its tables of HER2 as lines, and without tabs."""
    low = folded.low
    if "\n" in low and (any(sign in low for sign in SIGNS_OF_TABLE) or LIST.search(low) is not None):
        folded = _Tables(folded, scanner).rewritten()
    return folded.with_low(folded.low.replace("\t", " ")) if "\t" in folded.low else folded


class _Tables:
    """The tables of one text."""

    def __init__(self, folded: Folded, scanner: Scanner) -> None:
        self.folded, self.low, self.scanner, self.languages = folded, folded.low, scanner, scanner.languages
        self.grid = Grid(folded.low)

    def rewritten(self) -> Folded:
        """Return the text with every table that states something of HER2 as lines."""
        pieces: list[Piece] = []
        done = number = 0
        lines = self.grid.lines
        while number < len(lines):
            style, after = self.grid.stretch(number)
            stretch = lines[number].start, lines[after - 1].end
            if after - number > 1 and HER2.search(self.low, *stretch):
                for first, last, made in self._tables(style, number, after):
                    pieces += [Piece(done, lines[first].start), *made]
                    done = lines[last - 1].end
            number = after
        return self.folded.rewritten([*pieces, Piece(done, len(self.low))]) if pieces else self.folded

    # ---- which tables

    def _tables(self, style: str, first: int, after: int) -> Iterator[tuple[int, int, list[Piece]]]:
        """Give the tables in a stretch of lines: first line, line after the last, and what is written for them."""
        number, tried, found = first, 0, False
        while number < after - 1 and tried < MOST_TITLES:
            tried += 1
            line = self.grid.lines[number]
            columns = self._header(self.grid.cells(style, line))
            rows = self.grid.rows(style, [column.label for column in columns], number + 1, after) if columns else []
            made = self._written(style, line, columns, rows) if rows else []
            if made:
                found = True
                yield number, number + 1 + len(rows), made
                number, tried = number + len(rows), 0
            number += 1
        if not found:
            yield from self._shares(style, first, after)

    def _shares(self, style: str, first: int, after: int) -> Iterator[tuple[int, int, list[Piece]]]:
        """Give the lines of a label and its number where the label says that it is a percentage: '% positive | 70'."""
        for number in range(first, after):
            cells = self.grid.cells(style, self.grid.lines[number])
            if len(cells) == len(("label", "value")) and SHARE.fullmatch(self.low, *cells[1]):
                column = self._column(cells[0])
                if column.is_percent and not column.is_unread:
                    yield number, number + 1, [*self._labelled(column, cells[1])]

    def _header(self, cells: list[Cell]) -> list[Column]:
        """Return the columns that a line heads; none where it is no header."""
        if len(cells) > MOST_COLUMNS:
            return []
        columns = [self._column(cell) for cell in cells if cell.end - cell.start <= LONGEST_LABEL]
        if len(columns) < max(len(cells), len(("label", "value"))) or any(
            column.kinds & {"score", "pct"} or KEY.search(self.low, *column.label) for column in columns
        ):
            return []
        return columns

    def _column(self, label: Cell) -> Column:
        plain = self._plain(label)
        kinds = self._kinds_of(plain, label.start)
        kinds |= {"no_result"} if self._names(label, self.languages.no_results) else set()
        kinds |= {"score_word"} if SCALE.search(self.low, *label) else set()
        return Column(label, frozenset(kinds), UNIT in self.low[label.start : label.end] or "percent" in kinds)

    def _plain(self, label: Cell) -> str:
        """Return a label with spaces for what only describes its values."""
        return INNER.sub(lambda found: " " * len(found[0]), self.low[label.start : label.end])

    def _names(self, label: Cell, words: frozenset[str]) -> bool:
        return not words.isdisjoint(self._plain(label).replace("-", " ").split())

    def _kinds(self, cell: Cell) -> set[str]:
        return self._kinds_of(self.low[cell.start : cell.end], cell.start)

    def _kinds_of(self, written: str, at: int) -> set[str]:
        """Return the kinds of items in what is written for a stretch of the text that begins at a place."""
        own = self.folded.rewritten([Piece(at, at + len(written), written)])
        return set(self.scanner.items(own, 0, len(written)).kinds)

    def _written(self, style: str, line: Cell, columns: list[Column], rows: list[Row]) -> list[Piece]:
        """Return the lines of a table; none where it is to stay as it is."""
        body = [row.cells for row in rows if row.cells]
        if not body:
            return []
        columns = [self._scored(column, [cells[at] for cells in body]) for at, column in enumerate(columns)]
        if any(self._names(column.label, self.languages.cohorts) for column in columns):
            return [Piece(line.start, line.start, " ")]
        populations = self._is_of_scores(columns, body)
        shares = [at for at, column in enumerate(columns) if column.is_percent]
        if populations and shares and "anchor" in {kind for column in columns for kind in column.kinds}:
            return self._line_of_populations(columns[0], body, shares[0])
        if populations or self._is_of_bounds(columns, body) or self._counts_patients(columns, body):
            return [Piece(line.start, line.start, " ")]
        if any(_is_class(column) for column in columns):
            return []
        own = [at for at, column in enumerate(columns) if "anchor" in column.kinds]
        if any(self._is_value(cells[at]) for cells in body for at in own):
            columns = [_of_content(column) if at < own[0] else column for at, column in enumerate(columns)]
            lines = [[*self._line_of_specimen(columns, cells)] for cells in body]
            return _joined(lines)
        if len(columns) > len(("label", "value")) and all(column.kinds & ORIGINS for column in columns[1:]):
            return self._lines_of_columns(columns, body)
        lists = style in ("comma", "semicolon")
        if own[1:] or not (
            lists or any(column.kinds & QUANTITIES or column.is_percent or column.is_unread for column in columns)
        ):
            return []
        all_own = bool(own)
        lines = [
            [*self._line_of_marker(columns, row.cells)]
            if row.cells and (all_own or HER2.search(self.low, *row.line))
            else [Piece(*row.line)]
            for row in rows
        ]
        return _joined([[Piece(*line)], *lines])

    def _scored(self, column: Column, cells: list[Cell]) -> Column:
        """Return a column as one of scores where one of its cells is plainly a score."""
        if "anchor" in column.kinds and any(WITH_PLUS.fullmatch(self.low, *cell) for cell in cells):
            return column._replace(kinds=column.kinds | {"score_word"})
        return column

    def _is_of_scores(self, columns: list[Column], body: list[list[Cell]]) -> bool:
        """Tell whether a table says something of each score: the scores stand in its first column."""
        first = [self.low[cells[0].start : cells[0].end] for cells in body if OF_CLASS.match(self.low, *cells[0])]
        if not (any("+" in cell for cell in first) or columns[0].kinds & {"score_word", "ihc", "anchor"}):
            return False
        known = "anchor" in columns[0].kinds and not any("class_of" in column.kinds for column in columns)
        return len(set(first)) >= SCORES - (not known)

    def _is_of_bounds(self, columns: list[Column], body: list[list[Cell]]) -> bool:
        """Tell whether a table lists thresholds."""
        bounds = [
            BOUND.fullmatch(self.low, *cell)
            for cells in body
            for column, cell in zip(columns, cells, strict=True)
            if not column.is_unread
        ]
        return sum(found is not None and found[1] in self.languages.thresholds for found in bounds) > 1

    def _counts_patients(self, columns: list[Column], body: list[list[Cell]]) -> bool:
        """Tell whether a table counts the patients of each result: 'HER2 positive' above numbers."""
        classes = [at for at, column in enumerate(columns) if _is_class(column)]
        return bool(classes) and all(BARE.fullmatch(self.low, *cells[at]) for cells in body for at in classes)

    def _is_value(self, cell: Cell) -> bool:
        """Tell whether a cell holds a result, not a name."""
        kinds = self._kinds(cell)
        return not kinds & MARKERS and bool(kinds & (VALUES | {"num"}))

    # ---- what is written for them

    def _line_of_specimen(self, columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[Piece]:
        """Give the line of a row under labels of markers and quantities."""
        if self._names(cells[0], self.languages.no_results):
            return
        signed = any(self.low[cell.start : cell.end] == "+" for cell in cells)
        averaged = "mean" in self._kinds(cells[0])
        last = None
        for column, cell in zip(columns, cells, strict=True):
            if not self._states(column, cell, signed):
                continue
            if last is not None:
                yield Piece(cell.start, cell.start, "; ")
            if averaged and column.kinds & PROBES and not column.kinds & QUANTITIES - PROBES:
                yield from (Piece(*cells[0]), Piece(cells[0].end, cells[0].end, " "))
            yield from self._labelled(column, cell) if column.is_named else self._plain_cell(column, cell)
            last = cell

    def _plain_cell(self, column: Column, cell: Cell) -> Iterator[Piece]:
        """Give a cell that speaks for itself; a single letter with its label, such as that of a part."""
        if cell.end - cell.start == 1:
            yield Piece(*column.label)
            yield Piece(cell.start, cell.start, " ")
        yield Piece(*cell)

    def _states(self, column: Column, cell: Cell, signed: bool) -> bool:
        """Tell whether a cell says something: a bare number needs a label, a minus a plus in another cell."""
        written = self.low[cell.start : cell.end]
        if column.is_unread or (EMPTY.fullmatch(written) and not (signed and written == "-")):
            return False
        if not column.is_named:
            return BARE.fullmatch(written) is None
        scored = column.is_percent or bool(column.kinds & ({"ihc", "score_word"} | QUANTITIES))
        return scored or not (written.isdigit() and SCORE.fullmatch(written))

    def _labelled(self, column: Column, cell: Cell) -> Iterator[Piece]:
        """Give a label and its cell."""
        label = column.label
        yield Piece(*label, self._plain(label).strip())
        if {"anchor", "cep17"} <= column.kinds and not column.kinds & (QUANTITIES - {"cep17"}):
            yield Piece(label.end, label.end, " ratio")
        yield Piece(cell.start, cell.start, ": ")
        yield Piece(*cell)
        if column.is_percent and NUMBER.fullmatch(self.low, *cell):
            yield Piece(cell.end, cell.end, "%")

    def _line_of_marker(self, columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[Piece]:
        """Give the row of HER2 with the labels of its quantities."""
        last = None
        for column, cell in zip(columns, cells, strict=True):
            bare = NUMBER.match(self.low, *cell) is not None
            if column.is_unread or EMPTY.fullmatch(self.low, *cell) or (bare and "mutation" in column.kinds):
                continue
            if last is not None:
                yield Piece(cell.start, cell.start, " " if self.low[cell.start : cell.end] == UNIT else " | ")
            labelled = bare and (column.is_percent or not column.kinds.isdisjoint(QUANTITIES))
            yield from self._labelled(column, cell) if labelled else (Piece(*cell),)
            last = cell

    def _line_of_populations(self, column: Column, body: Sequence[Sequence[Cell]], share: int) -> list[Piece]:
        """Return the line of a table of scores and of how many cells have each: 'HER2: 3+ 60%, 2+ 40%'."""
        made = [Piece(column.label.start, column.label.end, "her2:")]
        for cells in body:
            percent = cells[share]
            if NUMBER.match(self.low, *percent) is None:
                continue
            made += [Piece(cells[0].start, cells[0].start, " "), Piece(*cells[0])]
            made += [Piece(percent.start, percent.start, " "), Piece(*percent)]
            if NUMBER.fullmatch(self.low, *percent):
                made.append(Piece(percent.end, percent.end, "%"))
            made.append(Piece(percent.end, percent.end, ","))
        return _joined([made[:-1]])

    def _lines_of_columns(self, columns: Sequence[Column], body: Sequence[Sequence[Cell]]) -> list[Piece]:
        """Return a line for each column, where these are specimens, tumours or dates."""
        labels = [self._column(cells[0]) for cells in body]
        if not any("anchor" in label.kinds for label in labels):
            return []
        lines: list[list[Piece]] = []
        for at, column in enumerate(columns[1:], 1):
            stated = [
                (label, cells[at]) for label, cells in zip(labels, body, strict=True)
                if label.is_named and self._states(label, cells[at], signed=False)
            ]  # fmt: skip
            if column.is_unread or not stated:
                continue
            lines.append([Piece(*column.label)])
            for label, cell in stated:
                lines[-1] += [Piece(cell.start, cell.start, "; "), *self._labelled(label, cell)]
        return _joined(lines)


def _of_content(column: Column) -> Column:
    """Return a column before that of HER2 as one of the tumour's share, where it is one of a share."""
    return column._replace(kinds=column.kinds | {"fraction"}) if column.is_percent else column


def _is_class(column: Column) -> bool:
    """Tell whether a column is of all with one result: 'HER2-positive'."""
    return "anchor" in column.kinds and not column.kinds.isdisjoint(STATES)


def _joined(lines: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Return lines as sentences, one under the other."""
    made: list[Piece] = []
    for line in filter(None, lines):
        if made:
            made.append(Piece(line[0].start, line[0].start, "\n"))
        made += [*line, Piece(line[-1].end, line[-1].end, ".")]
    return made
