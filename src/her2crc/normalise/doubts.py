"""Values that are used as they were read and may mean something else: a person is told, nothing is changed.

Part of stage 2, beside the contradictions: those leave a fact unknown, a doubt does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from her2crc.criteria.library import Settings
from her2crc.model.patient import Specimen
from her2crc.model.quantity import DIPLOID
from her2crc.model.record import Issue, SpecimenRow
from her2crc.normalise.conflicts import falls_short

SHARE_OF_CELLS, SIGN = "ihc_percent", "%"
COPIES = "ngs_copies"


def doubts(rows: Sequence[SpecimenRow], specimens: Iterable[Specimen], settings: Settings) -> Iterator[Issue]:
    """Yield a warning for each value that may mean something else."""
    for specimen in specimens:
        yield from _share_without_sign(rows, specimen)
        yield from _copies_below_normal(rows, specimen, settings)


def _share_without_sign(rows: Sequence[SpecimenRow], specimen: Specimen) -> Iterator[Issue]:
    """A share of stained cells below 1 % that was written without its sign."""
    percent = specimen.ihc.ihc_percent
    if specimen.ihc.ihc_score and percent is not None and 0 < percent < 1:
        written = _rows_with(SHARE_OF_CELLS, rows, specimen)
        if written and not any(SIGN in str(row.values[SHARE_OF_CELLS]) for row in written):
            text = (
                f"{SHARE_OF_CELLS} {percent} is read as {percent} %, and no sign stands beside it: it may be a "
                "fraction of 1. If so, send the percentage."
            )
            yield Issue("warning", "percent_or_fraction", text, specimen.specimen_id, SHARE_OF_CELLS, written[0].place)


def _copies_below_normal(rows: Sequence[SpecimenRow], specimen: Specimen, settings: Settings) -> Iterator[Issue]:
    """Copies of tissue below what its normal cells give: no contradiction, since they may be those of a tumour cell."""
    copies, purity = specimen.tissue.ngs_copies, specimen.tissue.tumour_purity
    if purity is not None and falls_short(copies, purity, settings):
        written = _rows_with(COPIES, rows, specimen)
        text = (
            f"{COPIES} {copies} is less than the {DIPLOID * (1 - purity)} that normal cells give at a tumour purity of "
            f"{purity}. It may be a fold change or a log2 ratio, or already corrected for purity; else one of the two "
            "is wrong. The verdicts take it as read: ask the laboratory which it is before a negative is relied on."
        )
        place = written[0].place if written else ""
        yield Issue("warning", "copies_below_normal", text, specimen.specimen_id, COPIES, place)


def _rows_with(field: str, rows: Sequence[SpecimenRow], specimen: Specimen) -> list[SpecimenRow]:
    """Return the rows that say something of a field of this specimen."""
    return [
        row
        for at, row in enumerate(rows, 1)
        if _name(row, at) == specimen.specimen_id and str(row.values.get(field) or "").strip()
    ]


def _name(row: SpecimenRow, number: int) -> str:
    """Return the name of a row's specimen, as it is given to those without one."""
    given = row.values.get("specimen_id")
    return f"S{number}" if given is None else str(given).strip()
