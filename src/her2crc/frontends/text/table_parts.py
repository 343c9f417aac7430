"""What the columns and rows of a table are to each other: parts of one specimen and their total, or samples in time.

Of parts the total is the result; where they differ and have no total, none of them is. Of samples in time the last is
the present one. Used by :mod:`her2crc.frontends.text.tables`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from her2crc.frontends.text.columns import (
    BARE,
    COUNT,
    COUNTED,
    MARKERS,
    NAMED,
    NUMBERS,
    ORIGINS,
    OWN,
    PLACES,
    VALUES,
    WITH_PLUS,
    Column,
    Labels,
    is_date,
)
from her2crc.frontends.text.fold import Piece
from her2crc.frontends.text.grid import Cell
from her2crc.frontends.text.numbers import MONTHS, read_date
from her2crc.frontends.text.windows import HER2

TITLED, LONGEST_TITLE = 2, 60
"""Lines over a table that can be its title, and the characters of one."""
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
NUMBERED = re.compile(r"[\s.:#-]{0,3}\d{1,2}$|[\s.:#-]{1,3}[a-h]$")
"""What parts of one kind are told apart by: 'area 1', 'observer b'."""
EARLIER = "prior "
"""The word that is put before a row of an earlier sample."""
RANGE = "-"


def label_of(low: str, label: Cell) -> str:
    """Return a label without the brackets and signs around its words."""
    return low[label.start : label.end].split("(")[0].strip(" :.*")


def whole_at(low: str, columns: Sequence[Column], wholes: frozenset[str]) -> int:
    """Return which column is the total of the parts beside it, or their mean; 0 where none is, or it is not plain."""
    words = [set(label_of(low, column.label).replace("/", " ").split()) for column in columns]
    found = [at for at, own in enumerate(words) if at and own & wholes]
    means = [at for at in found if "mean" in columns[at].kinds]
    found = means if len(means) == 1 else found
    return found[0] if len(found) == 1 and words[found[0]] <= wholes else 0


def parts_of(low: str, labels: Sequence[Cell]) -> list[int]:
    """Return the columns whose labels are one word and a number or letter each: 'area 1', 'area 2'."""
    stems: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        written = label_of(low, label)
        counted = NUMBERED.search(written)
        if at and counted is not None:
            stems.setdefault(written[: counted.start()], []).append(at)
    return max(stems.values(), key=len, default=[])


def line_of_whole(
    low: str, cells: Sequence[Cell], whole: int, parts: Sequence[int], mean: Sequence[Cell] = ()
) -> list[Piece]:
    """Return the line of a row: its label and its total; of parts that differ, without a total, their range.

    A range is no value, and is shown to a person. ``mean`` is the label of the total where that is one of a mean.
    """
    values = [cells[whole]] if whole else [cells[at] for at in parts if cells[at].end > cells[at].start]
    if len({low[cell.start : cell.end] for cell in values}) > 1:
        numbers = [cell for cell in values if COUNT.fullmatch(low, cell.start, cell.end)]
        values = [numbers[0], numbers[-1]] if len(numbers) == len(values) else []
    else:
        values = values[:1]
    values = [cell for cell in values if any(letter.isalnum() for letter in low[cell.start : cell.end])]
    if not values:
        return []
    made = [Piece(cells[0].start, cells[0].end)]
    for label in mean:
        made += [Piece(cells[0].end, cells[0].end, " "), Piece(label.start, label.end)]
    made.append(Piece(cells[0].end, cells[0].end, ": "))
    made.append(Piece(values[0].start, values[0].end))
    for cell in values[1:]:
        made += [Piece(cell.start, cell.start, RANGE), Piece(cell.start, cell.end)]
    return made


def earlier(written: Sequence[str]) -> list[bool]:
    """Tell of each date of a column, in small letters, whether it is before the last; of none where it is not plain."""
    orders = [dates for dates in (_dates(written, days_first) for days_first in (True, False)) if all(dates)]
    latest = {tuple(date < max(dates) for date in dates) for dates in orders}
    return list(latest.pop()) if len(latest) == 1 else [False] * len(written)


def _dates(written: Sequence[str], days_first: bool) -> list[str]:
    """Return dates as ISO text, of one precision each; an empty one where a month would be none."""
    dates = []
    for date in written:
        found = SLASHED.fullmatch(date)
        if found is None:
            dates.append(read_date(date) or "")
            continue
        first, second, year = found.groups()
        day, month = (first, second) if days_first else (second, first)
        dates.append(f"{year}-{int(month):02}-{int(day):02}" if int(month) <= len(MONTHS) else "")
    return dates if len({len(date) for date in dates}) == 1 else [""]


class Parts(Labels):
    """Reads tables of parts and of samples in time."""

    def totals(self, columns: list[Column], body: list[list[Cell]]) -> list[list[Cell]]:
        """Return the rows of a table of counts without those that its row of totals sums up."""
        counts = any(column.kinds & COUNTED for column in columns)
        whole = counts and any(self.names(cells[0], self.languages.wholes) for cells in body)
        return [cells for cells in body if not (whole and BARE.fullmatch(self.low, *cells[0]))]

    def in_time(self, columns: list[Column], body: list[list[Cell]], lines: list[list[Piece]]) -> list[list[Piece]]:
        """Return the lines of rows that only their dates tell apart, those before the last marked as earlier."""
        stated = [(cells, line) for cells, line in zip(body, lines, strict=False) if line]
        dated = [at for at, column in enumerate(columns) if stated and is_date(self.low, [c[at] for c, _ in stated])]
        places = [{kind for c, _ in stated for kind in self.kinds(c[at])} & PLACES for at in range(len(columns))]
        origins = [
            at for at, column in enumerate(columns) if at not in dated and (column.kinds & ORIGINS or places[at])
        ]
        alike = all(len({self.low[cells[at].start : cells[at].end] for cells, _ in stated}) == 1 for at in origins)
        if len(dated) != 1 or len(lines) != len(body) or not alike:
            return lines
        dates = [self.low[cells[dated[0]].start : cells[dated[0]].end] for cells, _ in stated]
        for (_, line), is_earlier in zip(stated, earlier(dates), strict=True):
            if is_earlier:
                line.insert(0, Piece(line[0].start, line[0].start, EARLIER))
        return lines

    def named_above(self, lines: Sequence[Cell]) -> Cell | None:
        """Return the title over a table, where that is of the stain of HER2 and states no result."""
        above = next((line for line in reversed(lines) if self.low[line.start : line.end].strip()), None)
        if above is None or above.end - above.start > LONGEST_TITLE or HER2.search(self.low, *above) is None:
            return None
        kinds = self.kinds(above)
        return above if "ihc" in kinds and kinds.isdisjoint(VALUES | {"num", "marker", "criterion"}) else None

    def lists_scores(self, columns: Sequence[Column], body: Sequence[Sequence[Cell]]) -> bool:
        """Tell whether a table gives the scores of samples: not what scores mean, and not the stains of a panel."""
        scored = [
            at for at, column in enumerate(columns)
            if at and ("score_word" in column.kinds or self.names(column.label, self.languages.graded))
        ]  # fmt: skip
        stated = any(WITH_PLUS.fullmatch(self.low, *cells[at]) for cells in body for at in scored)
        return stated and not any(self.kinds(cells[0]) & MARKERS for cells in body)

    def is_graded(self, columns: Sequence[Column], column: Column) -> bool:
        """Tell whether a column is one of scores: by its label, or as that of the results beside one of antibodies."""
        if self.names(column.label, self.languages.graded):
            return True
        is_result = self.languages.sections.get(label_of(self.low, column.label)) == "result"
        return is_result and any(self.names(other.label, self.languages.antibody_columns) for other in columns)

    def differ(self, body: list[list[Cell]], parts: list[int]) -> bool:
        """Tell whether columns without a name of their own give different numbers of one quantity."""
        for cells in body:
            numbers = {
                self.low[cells[at].start : cells[at].end] for at in parts if COUNT.fullmatch(self.low, *cells[at])
            }
            if len(numbers) > 1 and self.kinds(cells[0]) & NUMBERS:
                return True
        return False

    def lines_of_parts(self, columns: list[Column], body: list[list[Cell]]) -> list[Piece]:
        """Return the lines of a table whose columns are the parts of one specimen: of each row the total."""
        labels = [column.label for column in columns]
        whole = whole_at(self.low, columns, self.languages.wholes)
        parts = parts_of(self.low, labels)
        others = [at for at in range(1, len(columns)) if at != whole and at not in parts]
        if whole:
            parts = [at for at in range(1, len(columns)) if at != whole]
        else:
            parts = parts if len(parts) > 1 else [at for at in others if not columns[at].is_unread]
            others = [] if self.differ(body, parts) else others
        sums = [at for at in parts if self.names(labels[at], self.languages.wholes)]
        named = any(columns[at].kinds & (NAMED | ORIGINS - {"part"}) for at in parts if at not in sums)
        mean = labels[whole : whole + 1] if "mean" in columns[whole].kinds else []
        if named or not parts or (not whole and (others or len(parts) == 1)):
            return []
        if not any(self.kinds(cells[0]) & (OWN | MARKERS) for cells in body):
            return []
        return joined([line_of_whole(self.low, cells, whole, parts, mean) for cells in body])


def joined(lines: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Return lines as sentences, one under the other."""
    made: list[Piece] = []
    for line in filter(None, lines):
        if made:
            made.append(Piece(line[0].start, line[0].start, "\n"))
        made += [*line, Piece(line[-1].end, line[-1].end, ".")]
    return made
