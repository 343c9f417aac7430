"""Section "purity": what the share of tumour cells does to negatives of sequencing.

Part of the report on a cohort. Copies are an average over all cells, so amplification fades where few of them are
tumour; a low reading at low purity is no negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Count, Figure, Section, Share, Table
from her2crc.cohort.report.disclosure import for_statistics
from her2crc.cohort.report.load import Cohort
from her2crc.cohort.report.settings import settings
from her2crc.cohort.report.statistics import trend
from her2crc.cohort.report.tables import status_cells

if TYPE_CHECKING:
    import polars

PERCENT = 100
DILUTED = ("6", "10", "20")
"""Copies per tumour cell of the worked example: a dilution, not a threshold."""


def purity_section(cohort: Cohort) -> Section:
    """Show calls and verdicts of sequenced tissue by tumour purity."""
    from polars import col

    sequenced = cohort.specimens.filter(col("has_ngs") | col("tumour_purity").is_not_null())
    known = sequenced.filter(col("tumour_purity").is_not_null())
    title = "Purity and the negatives of sequencing"
    if not len(known):
        return Section("purity", title, impossible="No sequenced specimen has a tumour purity.")
    bands = _bands(known)
    return Section(
        "purity",
        title,
        lead=(
            (
                "A reading averages tumour and normal cells: reading = purity \u00d7 copies + (1 \u2212 purity) "
                "\u00d7 2. At low purity an amplified tumour reads low, so a specimen without a call there is not a "
                "negative one. If purity had no influence, the share with amplification would be the same in every "
                "band.",
            ),
            (
                "Of ",
                Count(len(sequenced)),
                " specimens of sequenced tissue the purity is known of ",
                Count(len(known)),
                ". Amplified, of those: ",
                Share(_amplified(known), len(known)),
                ".",
            ),
        ),
        tables=(_calls(cohort, bands, known), _dilution(), *_verdicts(cohort, bands)),
    )


def _bands(known: polars.DataFrame) -> list[tuple[str, polars.DataFrame]]:
    """Bands of purity, upper end included; the first from 0 on."""
    from polars import col

    found, low = [], 0.0
    for end in settings().purity_bands:
        high = float(end)
        above = col("tumour_purity") > low if low else col("tumour_purity") >= low
        inside = known.filter(above & (col("tumour_purity") <= high))
        found.append(
            (f"{'over ' + format(low * PERCENT, '.0f') + ' to ' if low else 'up to '}{high * PERCENT:.0f} %", inside)
        )
        low = high
    return found


def _amplified(frame: polars.DataFrame) -> int:
    return int((frame["ngs_call"] == "amplified").sum())


def _calls(cohort: Cohort, bands: list[tuple[str, polars.DataFrame]], known: polars.DataFrame) -> Table:
    events, totals = [_amplified(some) for _, some in bands], [len(some) for _, some in bands]
    all_events = sum(events)
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            Share(found_here, len(some)),
            Share(found_here, all_events),
            *_rest(some),
        )
        for (name, some), found_here in zip(bands, events, strict=True)
    ]
    rows.append(("all with known purity", Share(all_events, len(known)), None, *_rest(known)))
    hits, sizes = (for_statistics(counts, cohort.below) for counts in (events, totals))
    filled = [place for place, size in enumerate(sizes) if size]
    if sum(hits) and len(filled) > 1:
        found = trend([hits[at] for at in filled], [sizes[at] for at in filled], [float(at) for at in filled])
        rows.append(
            (
                "trend over the bands, p (Cochran-Armitage)",
                Figure(found.p, 3, (*events, *totals), significant=True),
                *(None,) * len(_rest(known)),
                None,
            )
        )
    return Table(
        "calls",
        "Laboratory calls of amplification, by tumour purity",
        (
            "purity",
            "called amplified, of specimens in the band",
            "of all called amplified",
            "called equivocal",
            "called not amplified",
            "no call",
        ),
        tuple(rows),
        note=f"{settings().purity_band_basis} No call is unknown: the laboratory reported nothing on the gene.",
    )


def _rest(frame: polars.DataFrame) -> tuple[Count, Count, Count]:
    """Every specimen of a band that is not called amplified, by what is said of it."""
    said = [int((frame["ngs_call"] == call).sum()) for call in ("equivocal", "not_amplified")]
    return Count(said[0]), Count(said[1]), Count(frame["ngs_call"].null_count())


def _dilution() -> Table:
    """Arithmetic only: what tumours with some copies read at the upper end of each band."""
    ends = [float(end) for end in settings().purity_bands]
    rows = [
        (f"{copies} copies per tumour cell", *(f"{end * float(copies) + (1 - end) * 2:.1f}" for end in ends))
        for copies in DILUTED
    ]
    return Table(
        "dilution",
        "What a tumour reads, by purity (arithmetic, no data)",
        ("tumour", *(f"{end * PERCENT:.0f} %" for end in ends)),
        tuple(rows),
    )


def _verdicts(cohort: Cohort, bands: list[tuple[str, polars.DataFrame]]) -> tuple[Table, ...]:
    rule = settings().methods["ngs"].set
    if rule not in cohort.rules:  # not out on the day of the knowledge
        return ()
    rows = tuple((name, *status_cells(some, rule)) for name, some in bands)
    if not any(cell.total for row in rows for cell in row if isinstance(cell, Share)):
        return ()
    table = Table(
        "verdicts",
        f"What {cohort.rules[rule].name} says, by tumour purity",
        (
            "purity",
            "positive, of decided",
            "at least, of all covered",
            "at most, of all covered",
            "equivocal",
            "indeterminate",
            "not covered",
        ),
        rows,
        note="Low readings at low purity are indeterminate under this rule: amplification is not excluded.",
    )
    return (table,)
