"""A table of nuclei, or of totals, to the counts of each specimen.

Imports only the model and its own words. A cell that is no count is refused with its line, nucleus and column: a
nucleus with innumerable signals that is silently left out would make an amplified tumour look normal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from her2crc.errors import InputError
from her2crc.frontends.ish.columns import Header, NoHer2Column, find_header, fold, summary_words, terms
from her2crc.frontends.ish.values import Counting, Nucleus, Total
from her2crc.model.record import Issue

Rows = Sequence[tuple[int, Sequence[object]]]


def read_counts(rows: Iterable[tuple[int, Sequence[object]]], name: str, given: Mapping[str, str]) -> list[Counting]:
    """Return what was counted on each specimen, in the order of the table.

    Args:
        rows: row number and cells, the header among them.
        name: the file, for messages.
        given: the laboratory's own names of columns by ours (``her2``, ``cep17`` ...).

    Raises:
        InputError: no column of HER2 signals, no nucleus, or a cell that is no count.
        UsageError: a named column is not there.
    """
    filled = [(number, cells) for number, cells in rows if any(fold(cell) for cell in cells)]
    if not filled:
        raise NoHer2Column(name)
    header = find_header(filled, name, given)
    below = [(number, cells) for number, cells in filled if number > header.row]
    sheet = _Sheet(header, name)
    groups: dict[tuple[str, str], list[tuple[int, Sequence[object]]]] = {}
    for number, cells in below:
        groups.setdefault(sheet.specimen(cells), []).append((number, cells))
    found = [sheet.counting(key, members) for key, members in groups.items()]
    counted = [item for item in found if item.nuclei or item.totals]
    if not counted:
        raise InputError("The table has a header, but no nucleus.", where=name, fix="Add one row for each nucleus.")
    return counted


class _Sheet:
    """One table with its header."""

    def __init__(self, header: Header, name: str) -> None:
        self.at, self.facts, self.name, self.sums = header.at, header.facts, name, header.sums
        self.last: tuple[str, str] = ("", "")

    def text(self, cells: Sequence[object], column: str) -> str:
        position = self.at.get(column)
        cell = cells[position] if position is not None and position < len(cells) else None
        text = "" if cell is None else str(cell).strip()
        return "" if text.lower() in terms().blank else text

    def specimen(self, cells: Sequence[object]) -> tuple[str, str]:
        """The patient and specimen of a row; where the sheet names them once, they hold for the rows below."""
        patient = self.text(cells, "patient_id") or self.last[0]
        specimen = self.text(cells, "specimen_id") or (self.last[1] if patient == self.last[0] else "")
        self.last = (patient, specimen)
        return self.last

    def counting(self, key: tuple[str, str], rows: Rows) -> Counting:
        nuclei: list[Nucleus] = []
        totals: list[Total] = []
        left_out: list[str] = []
        issues: list[Issue] = []
        of_totals = self.of_totals(rows)
        for number, cells in rows:
            place = f"{self.name}:{number}"
            summary = self.summary(cells)
            if summary == "sum" and of_totals and not totals:
                totals += self.total(cells, place)
            elif summary:
                issues += self.check_sum(cells, place, nuclei, summary)
            elif of_totals:
                totals += self.total(cells, place)
            elif not self.is_unnamed_sum(cells, place, nuclei):
                nucleus = self.nucleus(cells, place, len(nuclei) + 1)
                nuclei += [nucleus] if isinstance(nucleus, Nucleus) else []
                left_out += [nucleus] if isinstance(nucleus, str) else []
        return Counting(
            key[0] or key[1] or "P1",
            key[1] or "S1",
            tuple(nuclei),
            tuple(totals),
            tuple(left_out),
            (*issues, *self.doubtful(nuclei)),
            named=bool(key[1]),
            facts=self.stated(rows),
        )

    def of_totals(self, rows: Rows) -> bool:
        """Tell whether rows are totals: their number of nuclei has a column, or the one row stands under a sum."""
        return "nuclei" in self.at or (self.sums and len(rows) == 1 and "nucleus" not in self.at)

    def is_unnamed_sum(self, cells: Sequence[object], place: str, nuclei: Sequence[Nucleus]) -> bool:
        """Tell whether a row without the name of a nucleus repeats the sums of those above it."""
        if self.text(cells, "nucleus") or len(nuclei) < terms().fewest_summed:
            return False
        own = self.count(cells, "her2", place, "the row"), self.count(cells, "cep17", place, "the row")
        if (own[0] or 0) < len(nuclei):  # every cell has the gene, so their sum is not less; saves summing at each row
            return False
        control = sum(item.cep17 or 0 for item in nuclei) if "cep17" in self.at else None
        return own == (sum(item.her2 for item in nuclei), control)

    def doubtful(self, nuclei: Sequence[Nucleus]) -> Iterator[Issue]:
        """Names that come again, and a single row without one: it may not be what it is taken for."""
        if not nuclei:
            return
        if "nucleus" in self.at:
            again = len(nuclei) - len({(item.name, item.region, item.observer) for item in nuclei})
            if again:
                text = (
                    f"The name of the nucleus comes again in {again} of the {len(nuclei)} rows. Rows may have been"
                    " entered twice, or the table holds several specimens: name their column, e.g."
                    " --columns specimen_id='name of the column'."
                )
                yield Issue("warning", "nuclei_repeated", text, field="nucleus", place=self.name)
        elif len(nuclei) == 1:
            text = "The one row was taken for one nucleus. If it is a total, add a column nuclei with their number."
            yield Issue("warning", "one_row", text, field="nuclei", place=nuclei[0].place)

    def summary(self, cells: Sequence[object]) -> str:
        """Return ``sum`` or ``other`` where a row is a summary of the nuclei, empty where it is not.

        The word stands in the first filled cell or in the column of the nucleus; one in a comment means nothing.
        """
        first = next((fold(cell) for cell in cells if fold(cell)), "")
        words = {first, fold(self.text(cells, "nucleus"))}
        sums, others = summary_words()
        return "sum" if words & sums else "other" if words & others else ""

    def stated(self, rows: Rows) -> dict[str, tuple[str, ...]]:
        """Return the other facts of a specimen that its rows state, each value once."""
        found: dict[str, dict[str, None]] = {}
        for _, cells in rows:
            for name, position in self.facts.items():
                text = str(cells[position]).strip() if position < len(cells) and cells[position] is not None else ""
                if text and text.lower() not in terms().blank:
                    found.setdefault(name, {})[text] = None
        return {name: tuple(values) for name, values in found.items()}

    def check_sum(self, cells: Sequence[object], place: str, nuclei: Sequence[Nucleus], kind: str) -> Iterator[Issue]:
        """A sum that the laboratory wrote must be that of the nuclei above it; one not to be read tells nothing."""
        if kind != "sum" or not nuclei:
            return
        own = {"her2": sum(item.her2 for item in nuclei), "cep17": sum(item.cep17 or 0 for item in nuclei)}
        for probe, total in own.items():
            written = self.text(cells, probe)
            if written and (number := _number(written)) is not None and number != total:
                text = (
                    f"The {probe.upper()} sum written in the sheet is not that of the {len(nuclei)} nuclei above it,"
                    f" which is {total}; the nuclei were used. A row may be missing or entered twice."
                )
                yield Issue("conflict", "sum_differs", text, field=probe, place=place)

    def nucleus(self, cells: Sequence[object], place: str, number: int) -> Nucleus | str | None:
        """Return a nucleus, its place where only one of two probes was scored, None where none was."""
        label = self.text(cells, "nucleus") or str(number)
        her2 = self.count(cells, "her2", place, f"nucleus {label}")
        cep17 = self.count(cells, "cep17", place, f"nucleus {label}")
        if her2 is None and cep17 is None:
            return None
        if her2 is None or ("cep17" in self.at and cep17 is None):
            return place
        named = bool(self.text(cells, "nucleus"))
        most = terms().most_control_in_nucleus if named else terms().most_control_unnamed
        if cep17 is not None and cep17 > most:
            what = "is too many for one nucleus; it looks like a total"
            fix = "For a total add a column nuclei; if it is one nucleus, name it in a column nucleus."
            raise self.refused(place, f"nucleus {label}", "cep17", what, fix)
        region, observer = self.text(cells, "region"), self.text(cells, "observer")
        x, y = self.measure(cells, "x", place), self.measure(cells, "y", place)
        return Nucleus(label, her2, cep17, place, region, observer, x, y)

    def total(self, cells: Sequence[object], place: str) -> list[Total]:
        her2, cep17 = self.count(cells, "her2", place, "the total"), self.count(cells, "cep17", place, "the total")
        nuclei = self.count(cells, "nuclei", place, "the total")
        if her2 is None:
            return []
        if nuclei == 0:
            raise self.refused(
                place, "the total", "nuclei", "is 0, and no nucleus holds no signal", "Write how many were counted."
            )
        return [Total(her2, cep17, nuclei, place, self.text(cells, "region"), self.text(cells, "observer"))]

    def count(self, cells: Sequence[object], column: str, place: str, who: str) -> int | None:
        text = self.text(cells, column)
        if not text:
            return None
        number = _number(text)
        if number is None:
            fix = "Write the number of signals; for a cluster, the number that the reader estimates."
            raise self.refused(place, who, column, "is not a whole number of signals", fix)
        if not 0 <= number <= terms().most_signals or number != int(number):
            fix = "One row is one nucleus; a mean or a ratio is not a count."
            raise self.refused(place, who, column, "is not a whole number of signals", fix)
        return int(number)

    def measure(self, cells: Sequence[object], column: str, place: str) -> float | None:
        text = self.text(cells, column)
        if not text:
            return None
        number = _number(text)
        if number is None:
            raise self.refused(
                place, "the nucleus", column, "is not a coordinate", "Write a number, or leave it blank."
            )
        return float(number)

    def refused(self, place: str, who: str, column: str, what: str, fix: str) -> InputError:
        return InputError(
            f"The {column} entry of {who} {what}.",
            where=place,
            why="Leaving the nucleus out would change the ratio.",
            fix=fix,
        )


def _number(text: str) -> Decimal | None:
    """Read a plain number (also ``12.0`` of a spreadsheet, and a decimal comma); None where it is not one."""
    try:
        number = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
