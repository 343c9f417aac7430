"""Tables in a text, rewritten as lines that say of each cell what it is: 'liver | HER2 IHC: 3+; HER2 FISH: amplified'.

A table is rewritten where its header names HER2 above values, where it names quantities beside rows of HER2, or where
its columns are specimens. The lines are then read as any other text, and each character keeps its place in the cell or
the header that it comes from. Tables of criteria, thresholds or many patients are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from her2crc.frontends.text.columns import (
    BARE,
    BOUND,
    COUNTED,
    DECIMAL,
    EMPTY,
    FRACTION,
    KEY,
    MARKERS,
    NUMBER,
    OF_CLASS,
    ORIGINS,
    QUANTITIES,
    SCORE,
    SHARE,
    UNIT,
    VALUES,
    WITH_PLUS,
    Column,
    is_class,
    of_content,
)
from her2crc.frontends.text.fold import Folded, Piece
from her2crc.frontends.text.grid import Cell, Grid, Row
from her2crc.frontends.text.probes import PROBES
from her2crc.frontends.text.rows import TESTS, Rows, halves, repeated
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.table_parts import EARLIER, TITLED, Parts, joined
from her2crc.frontends.text.windows import HER2

LIST = re.compile(r"\n[^\n,;: ]{1,40}[,;](?! )")
"""A line that begins with a cell of a list."""
LONGEST_LABEL = 60
"""Characters of a column's label; what is longer is a sentence."""
SCORES = 3
MATERIALS = frozenset(("tissue", "plasma"))
STATED_OF = QUANTITIES | {"prior"}
MOST_COLUMNS = 60
MOST_TITLES = 5
"""Lines that may stand above a header in the same layout."""


def read_tables(folded: Folded, scanner: Scanner) -> Folded:
    """Return the text with its tables of HER2 as lines, and without tabs."""
    low = folded.low
    if "\n" in low and ("\t" in low or "|" in low or "   " in low or _has_list(low)):
        folded = _Tables(folded, scanner).rewritten()
    return folded.with_low(folded.low.replace("\t", " ")) if "\t" in folded.low else folded


def _has_list(low: str) -> bool:
    """Tell whether a line begins with a cell of a list; most commas have a space after them: the cheap test."""
    for sign in ",;":
        at = low.find(sign)
        while at >= 0:
            if not low.startswith(" ", at + 1):
                return LIST.search(low) is not None
            at = low.find(sign, at + 1)
    return False


def _is_result(column: Column) -> bool:
    """Tell whether what may be the title of a column is a result."""
    return bool(column.kinds & {"score", "pct"}) or (
        "num" in column.kinds and not column.kinds.isdisjoint(("status", "ratio"))
    )


class _Tables(Parts):
    """The tables of one text."""

    def __init__(self, folded: Folded, scanner: Scanner) -> None:
        super().__init__(folded, scanner)
        self.grid = Grid(folded.low)
        self.rows = Rows(folded, self.grid, scanner)
        self.stains = False
        self.title: Cell | None = None

    def rewritten(self) -> Folded:
        """Return the text with every table that states something of HER2 as lines."""
        pieces: list[Piece] = []
        done = number = 0
        lines = self.grid.lines
        while number < len(lines):
            style, after = self.grid.stretch(number)
            stretch = lines[number].start, lines[after - 1].end
            self.title = (
                self.named_above(self.grid.lines[max(0, number - TITLED) : number]) if after - number > 1 else None
            )
            if after - number > 1 and (self.title is not None or HER2.search(self.low, *stretch)):
                for first, last, made in self._tables(style, number, after):
                    done = self._keep(pieces, style, number, first, done)
                    pieces += [Piece(done, lines[first].start), *made]
                    done, number = lines[last - 1].end, last
                done = self._keep(pieces, style, number, after, done)
            number = after
        return self.folded.rewritten([*pieces, Piece(done, len(self.low))]) if pieces else self.folded

    def _keep(self, pieces: list[Piece], style: str, first: int, after: int, done: int) -> int:
        """Add lines as they stand, but each row closed, and return up to where."""
        for put in self.rows.closed(style, first, after):
            pieces += [Piece(done, put.start), put]
            done = put.start
        return done

    # ---- which tables

    def _tables(self, style: str, first: int, after: int) -> Iterator[tuple[int, int, list[Piece]]]:
        """Give the tables in a stretch of lines: first line, line after the last, and what is written for them."""
        number, tried, found = first, 0, False
        self.stains = self.rows.is_of_stains(first)
        while number < after - 1 and tried < MOST_TITLES:
            tried += 1
            line = self.grid.lines[number]
            columns = self._header(self.grid.header(style, number))
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
                column = self.column(cells[0])
                if column.is_percent and not column.is_unread:
                    yield number, number + 1, [*self._labelled(column, cells[1])]

    def _header(self, cells: list[Cell]) -> list[Column]:
        """Return the columns that a line heads; none where it is no header."""
        if not len(("label", "value")) <= len(cells) <= MOST_COLUMNS or not all(
            self._can_be_label(cell) for cell in cells
        ):
            return []
        columns = [self.column(cell) for cell in cells]
        return [] if any(_is_result(column) for column in columns) else columns

    def _can_be_label(self, cell: Cell) -> bool:
        """Tell whether a cell is short, without a colon, and no number."""
        return (
            cell.end - cell.start <= LONGEST_LABEL
            and KEY.search(self.low, *cell) is None
            and DECIMAL.fullmatch(self.low, *cell) is None
            and FRACTION.search(self.low, *cell) is None
        )

    def _written(self, style: str, line: Cell, columns: list[Column], rows: list[Row]) -> list[Piece]:
        """Return the lines of a table; none where it is to stay as it is."""
        width = repeated(self.low, [column.label for column in columns])
        columns, rows = columns[:width], halves(rows, width) if width < len(columns) else rows
        body = [row.cells for row in rows if row.cells]
        if not body:
            return []
        columns = [self._scored(column, [cells[at] for cells in body]) for at, column in enumerate(columns)]
        if any(self._is_of_cohort(column, [cells[at] for cells in body]) for at, column in enumerate(columns)):
            return [Piece(line.start, line.start, " ")]
        populations = self._is_of_scores(columns, body)
        shares = [at for at, column in enumerate(columns) if column.is_percent]
        if populations and shares and "anchor" in {kind for column in columns for kind in column.kinds}:
            return self._line_of_populations(columns[0], body, shares[0])
        if populations or self._is_of_bounds(columns, body) or self._counts_patients(columns, body):
            return [Piece(line.start, line.start, " ")]
        if any(is_class(column) for column in columns):
            return []
        parts = self.lines_of_parts(columns, body)
        if parts:
            return parts
        own = [at for at, column in enumerate(columns) if "anchor" in column.kinds]
        if any(self._is_value(cells[at]) for cells in body for at in own):
            columns = [of_content(column) if at < own[0] else column for at, column in enumerate(columns)]
            lines = [[*self._line_of_specimen(columns, cells)] for cells in self.totals(columns, body)]
            return joined(self.in_time(columns, body, lines))
        if self.title is not None and self.lists_scores(columns, body):
            named = [Piece(*self.title), Piece(self.title.end, self.title.end, ": ")]
            return joined([[*named, *self._line_of_specimen(columns, cells)] for cells in body])
        antibodies = self.languages.antibody_columns
        stated = [at for at, column in enumerate(columns) if not at or not self.names(column.label, antibodies)]
        if len(stated) > len(("label", "value")) and all(
            columns[at].kinds & (ORIGINS | MATERIALS) for at in stated[1:]
        ):
            return self._lines_of_columns(
                [columns[at] for at in stated], [[cells[at] for at in stated] for cells in body]
            )
        lists = style in ("comma", "semicolon")
        graded = [self.is_graded(columns, column) for column in columns]
        if own[1:] or not (
            lists or any(graded)
            or any(column.kinds & STATED_OF or column.is_percent or column.is_unread for column in columns)
        ):  # fmt: skip
            return []
        all_own = bool(own)
        lines = [
            [*self._line_of_marker(columns, row.cells)]
            if row.cells and (all_own or HER2.search(self.low, *row.line))
            else [Piece(*row.line)]
            for row in rows
        ]
        return joined([[Piece(*line)], *lines])

    def _scored(self, column: Column, cells: list[Cell]) -> Column:
        """Return a column as one of scores where one of its cells is plainly a score."""
        if "anchor" in column.kinds and any(WITH_PLUS.fullmatch(self.low, *cell) for cell in cells):
            return column._replace(kinds=column.kinds | {"score_word"})
        return column

    def _is_of_cohort(self, column: Column, cells: list[Cell]) -> bool:
        """Tell whether a column is of many patients: one of the letter n counts them."""
        if not self.names(column.label, self.languages.cohorts):
            return False
        is_word = column.label.end - column.label.start > 1
        return is_word or any(cell.end > cell.start and BARE.fullmatch(self.low, *cell) for cell in cells)

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
        classes = [at for at, column in enumerate(columns) if is_class(column)]
        return bool(classes) and all(BARE.fullmatch(self.low, *cells[at]) for cells in body for at in classes)

    def _is_value(self, cell: Cell) -> bool:
        """Tell whether a cell holds a result, not a name."""
        kinds = self.kinds(cell)
        return not kinds & MARKERS and bool(kinds & (VALUES | {"num"}))

    # ---- what is written for them

    def _line_of_specimen(self, columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[Piece]:
        """Give the line of a row under labels of markers and quantities."""
        if self.names(cells[0], self.languages.no_results):
            return
        signed = any(self.low[cell.start : cell.end] == "+" for cell in cells)
        first = self.kinds(cells[0])
        averaged = "mean" in first
        stated = [cell for cell in cells[1:] if not EMPTY.fullmatch(self.low, *cell)]
        if "ratio" in first and len(stated) == 1:
            yield from (Piece(*cells[0]), Piece(stated[0].start, stated[0].start, ": "), Piece(*stated[0]))
            return
        last = None
        for column, cell in zip(columns, cells, strict=True):
            if not self._states(column, cell, signed):
                continue
            if last is not None:
                yield Piece(cell.start, cell.start, "; ")
            if averaged and column.kinds & PROBES and not column.kinds & QUANTITIES - PROBES - COUNTED:
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
            return BARE.fullmatch(written) is None or (UNIT in written and "cells" in column.kinds)
        scored = column.is_percent or bool(column.kinds & ({"ihc", "score_word"} | QUANTITIES))
        return scored or not (written.isdigit() and SCORE.fullmatch(written))

    def _labelled(self, column: Column, cell: Cell) -> Iterator[Piece]:
        """Give a label and its cell."""
        label = column.label
        yield Piece(*label, self.plain(label).strip())
        if {"anchor", "cep17"} <= column.kinds and not column.kinds & (QUANTITIES - {"cep17"}):
            yield Piece(label.end, label.end, " ratio")
        yield Piece(cell.start, cell.start, ": ")
        yield Piece(*cell)
        if column.is_percent and NUMBER.fullmatch(self.low, *cell):
            yield Piece(cell.end, cell.end, "%")

    def _line_of_marker(self, columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[Piece]:
        """Give the row of HER2 with the labels of its quantities."""
        stained = any(self.names(column.label, self.languages.antibody_columns) for column in columns)
        stained = (stained or self.stains) and TESTS.isdisjoint(self.kinds(Cell(cells[0].start, cells[-1].end)))
        last = None
        for column, cell in zip(columns, cells, strict=True):
            bare = NUMBER.match(self.low, *cell) is not None
            unread = column.is_unread and not ("copies" in column.kinds and "copies" in self.kinds(cell))
            bare = bare and not ("copies" in column.kinds and "copies" in self.kinds(cell))
            if unread or EMPTY.fullmatch(self.low, *cell) or (bare and "mutation" in column.kinds):
                continue
            if last is not None and "prior" in column.kinds:
                yield from self._of_earlier(column, cells[0], cell)
                continue
            graded = self.is_graded(columns, column) and SCORE.fullmatch(self.low, *cell)
            if last is not None:
                says = bare and last is cells[0] and self.is_quantity(last)
                parting = " " if self.low[cell.start : cell.end] == UNIT else ": " if says else " | "
                yield Piece(cell.start, cell.start, parting)
            labelled = bare and (column.is_percent or not column.kinds.isdisjoint(QUANTITIES))
            if graded:
                yield from (Piece(cell.start, cell.start, "ihc score: "), Piece(*cell))
            else:
                yield from self._labelled(column, cell) if labelled else (Piece(*cell),)
            if stained and last is None and "anchor" in self.kinds(cell):
                yield Piece(cell.end, cell.end, " ihc ")
            last = cell

    def _of_earlier(self, column: Column, name: Cell, cell: Cell) -> Iterator[Piece]:
        """Give a cell under 'previous result' as a statement of its own."""
        yield from (Piece(cell.start, cell.start, f". {EARLIER}"), Piece(*column.label))
        yield Piece(cell.start, cell.start, " ")
        yield from (Piece(*name), Piece(cell.start, cell.start, ": "), Piece(*cell), Piece(cell.end, cell.end, "."))

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
        return joined([made[:-1]])

    def _lines_of_columns(self, columns: Sequence[Column], body: Sequence[Sequence[Cell]]) -> list[Piece]:
        """Return a line for each column, where these are specimens, tumours or dates."""
        labels = [self._scored(self.column(cells[0]), [*cells[1:]]) for cells in body]
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
            since = [Piece(column.label.start, column.label.start, EARLIER)] if "prior" in column.kinds else []
            lines.append([*since, Piece(*column.label)])
            for label, cell in stated:
                lines[-1] += [Piece(cell.start, cell.start, "; "), *self._labelled(label, cell)]
        return joined(lines)
