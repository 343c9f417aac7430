"""Values that are used as they were read and may mean something else: a person is told, nothing is changed.

Part of stage 2, beside the contradictions: those leave a fact unknown, a doubt does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from her2crc.model.patient import Specimen
from her2crc.model.record import Issue, SpecimenRow

SHARE_OF_CELLS, SIGN = "ihc_percent", "%"


def doubts(rows: Sequence[SpecimenRow], specimens: Iterable[Specimen]) -> Iterator[Issue]:
    """Yield a warning for each stained specimen with a share of cells below 1 % that was written without its sign."""
    for specimen in specimens:
        percent = specimen.ihc.ihc_percent
        if specimen.ihc.ihc_score and percent is not None and 0 < percent < 1:
            written = [row for at, row in enumerate(rows, 1) if _name(row, at) == specimen.specimen_id and _says(row)]
            if written and not any(SIGN in str(row.values[SHARE_OF_CELLS]) for row in written):
                text = (
                    f"{SHARE_OF_CELLS} {percent} is read as {percent} %, and no sign stands beside it: it may be a "
                    "fraction of 1. If so, send the percentage."
                )
                yield Issue(
                    "warning", "percent_or_fraction", text, specimen.specimen_id, SHARE_OF_CELLS, written[0].place
                )


def _name(row: SpecimenRow, number: int) -> str:
    """Return the name of a row's specimen, as it is given to those without one."""
    given = row.values.get("specimen_id")
    return f"S{number}" if given is None else str(given).strip()


def _says(row: SpecimenRow) -> bool:
    return bool(str(row.values.get(SHARE_OF_CELLS) or "").strip())
