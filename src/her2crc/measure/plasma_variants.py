"""Tables of plasma variants (MAF, or any with gene and allele fraction), and which of them speak for the tumour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from her2crc.errors import InputError, UsageError
from her2crc.frontends.ish.columns import fold
from her2crc.measure.ish_input import Grid
from her2crc.measure.plasma_figures import PlasmaFigures
from her2crc.measure.plasma_values import PlasmaVariant
from her2crc.model.proportion import exact_interval
from her2crc.model.record import Issue

BLANK = frozenset(("", "na", "nan", "n/a", ".", "-", "none"))
COUNTS = ("as-written", "swapped")
VAF_PERCENT = "vaf_percent"
"""A column of allele fractions whose name says that it is in percent."""


class Sample(NamedTuple):
    """One sample of a variant table; ``given`` are the copies and the fraction that the table states."""

    patient_id: str
    specimen_id: str
    variants: tuple[PlasmaVariant, ...]
    given: dict[str, str]
    issues: tuple[Issue, ...]


class _Row(NamedTuple):
    """One variant as written: variant reads and depth, or the allele fraction alone."""

    at: Mapping[str, str]
    alt: int | None
    ref: int | None
    fraction: float | None
    place: str


def is_variant_table(grid: Grid, figures: PlasmaFigures) -> bool:
    """Tell whether a table is one of variants: a gene in each row, with reads or an allele fraction."""
    found = _header(grid, figures)
    return found is not None


def read_samples(grid: Grid, name: str, figures: PlasmaFigures, certainty: float, counts: str | None) -> list[Sample]:
    """Return the samples of a variant table.

    Args:
        grid: the rows, comments and titles above the header included.
        name: the file, for messages.
        figures: words and exclusions.
        certainty: level of the interval of an allele fraction.
        counts: ``as-written`` or ``swapped``, where the user knows; else it is found from the table.

    Raises:
        InputError: no variant, or a value that is no count or fraction (with its line and column).
        UsageError: ``counts`` is neither.
    """
    if counts not in (None, *COUNTS):
        raise UsageError(f"'{counts}' is not a way to read counts.", fix=f"Choose one of {', '.join(COUNTS)}.")
    header = _header(grid, figures)
    if header is None:
        raise InputError("This is not a table of variants.", where=name, fix="Send gene with reads or allele fraction.")
    number, at = header
    rows = [_row(cells, at, f"{name}:{line}") for line, cells in grid if line > number and any(map(fold, cells))]
    rows = [row for row in rows if row.at.get("gene")]
    swapped, issue = _swapped(rows, name, figures, counts)
    samples: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        samples.setdefault((row.at.get("patient_id", ""), row.at.get("specimen_id", "")), []).append(row)
    if not samples:
        raise InputError("The table has a header, but no variant.", where=name)
    return [
        Sample(
            key[0] or key[1] or "P1",
            key[1] or "S1",
            tuple(_variant(row, swapped, figures, certainty) for row in members if _fraction(row, swapped) is not None),
            {field: values[0] for field, values in _stated(members) if len(values) == 1},
            ((issue,) if issue else ()) + tuple(_contradictions(members, name)),
        )
        for key, members in samples.items()
    ]


def _header(grid: Grid, figures: PlasmaFigures) -> tuple[int, dict[str, int]] | None:
    for number, cells in grid:
        folded = [fold(cell) for cell in cells]
        at = {
            key: folded.index(word) for key, words in figures.columns.items() for word in words[::-1] if word in folded
        }
        in_percent = next((place for place, word in enumerate(folded) if word in _percent_names(figures)), None)
        at |= {} if in_percent is None else {VAF_PERCENT: in_percent}
        if "gene" in at and {"vaf", VAF_PERCENT, "alt"} & at.keys():
            return number, at
    return None


def _percent_names(figures: PlasmaFigures) -> set[str]:
    words, signs = figures.columns["vaf"], figures.percent_words
    return {f"{word}{space}{sign}" for word in words for sign in signs for space in (" ", "")}


def _row(cells: Sequence[object], at: Mapping[str, int], place: str) -> _Row:
    text = {key: _text(cells, position) for key, position in at.items()}
    alt, ref = _count(text, "alt", place), _count(text, "ref", place)
    depth = _count(text, "depth", place)
    if ref is None and alt is not None and depth is not None:
        ref = depth - alt
        if ref < 0:
            raise _refused("The variant reads exceed the depth.", place)
    fraction = _allele_fraction(text.get("vaf", ""), place)
    if fraction is None and text.get(VAF_PERCENT):
        fraction = _allele_fraction(f"{text[VAF_PERCENT].rstrip('% ')} %", place)
    return _Row(text, alt, ref, fraction, place)


def _text(cells: Sequence[object], position: int) -> str:
    text = str(cells[position]).strip() if position < len(cells) and cells[position] is not None else ""
    return "" if text.lower() in BLANK else text


def _count(text: Mapping[str, str], column: str, place: str) -> int | None:
    written = text.get(column, "")
    if not written:
        return None
    try:
        number = float(written)
    except ValueError:
        number = -1
    if number < 0 or not number.is_integer():
        raise _refused(f"The column {column} holds what is not a number of reads.", place)
    return int(number)


def _allele_fraction(written: str, place: str) -> float | None:
    """Read 0.12, 0,12 or 12 %; a bare number above 1 is refused, since percent and fraction cannot be told apart."""
    if not written:
        return None
    try:
        number = float(written.rstrip("% ").replace(",", ".")) / (100 if written.endswith("%") else 1)
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise _refused("The allele fraction is not between 0 and 1 (write a percentage with its sign).", place)
    return number


def _refused(what: str, place: str) -> InputError:
    return InputError(
        what, where=place, why="The tumour fraction would be wrong.", fix="Correct it, or leave it blank."
    )


def _swapped(rows: Sequence[_Row], name: str, figures: PlasmaFigures, counts: str | None) -> tuple[bool, Issue | None]:
    """Tell whether reference and variant reads have changed places, and say so."""
    if counts is not None:
        return counts == "swapped", None
    counted = [(row.alt, row.ref) for row in rows if row.alt is not None and row.ref is not None and row.alt + row.ref]
    stated = [(row, row.fraction) for row in rows if row.fraction is not None and row.alt and row.ref]
    if stated:
        off = [abs((row.alt or 0) / ((row.alt or 0) + (row.ref or 0)) - vaf) for row, vaf in stated]
        other = [abs((row.ref or 0) / ((row.alt or 0) + (row.ref or 0)) - vaf) for row, vaf in stated]
        swapped = median(other) < median(off)
    else:
        middle = median(alt / (alt + ref) for alt, ref in counted) if counted else 0.0
        swapped = len(counted) >= figures.swapped_fewest and middle > figures.swapped_median
    if not swapped:
        return False, None
    text = (
        "Reference and variant reads look swapped: as written, more than half of the variants would be in more than "
        "half of the reads. They were read the other way round; check with the laboratory, or say "
        "--counts as-written."
    )
    return True, Issue("warning", "counts_look_swapped", text, field="allele_fraction", place=name)


def _fraction(row: _Row, swapped: bool) -> float | None:
    if row.alt is not None and row.ref is not None and row.alt + row.ref:
        return (row.ref if swapped else row.alt) / (row.alt + row.ref)
    return row.fraction


def _variant(row: _Row, swapped: bool, figures: PlasmaFigures, certainty: float) -> PlasmaVariant:
    fraction = _fraction(row, swapped) or 0.0
    reads = row.alt + row.ref if row.alt is not None and row.ref is not None else None
    events = (row.ref if swapped else row.alt) if reads else None
    reason, confidence = _excluded(row, fraction, figures)
    return PlasmaVariant(
        row.at["gene"],
        row.at.get("change", ""),
        fraction,
        exact_interval(events, reads, certainty) if events is not None and reads else None,
        reads,
        reason,
        confidence,
        row.place,
    )


def _excluded(row: _Row, fraction: float, figures: PlasmaFigures) -> tuple[str, str]:
    if fraction == 0:
        return figures.unseen_text, figures.unseen_confidence
    gene = row.at["gene"].upper()
    for exclusion in figures.exclusions:
        if gene in exclusion.genes:
            return exclusion.text, exclusion.confidence
    if not row.at.get("normal") and figures.looks_inherited(fraction):
        return figures.germline_text.format(percent=f"{100 * fraction:.0f} %"), figures.germline_confidence
    return "", ""


def _stated(rows: Sequence[_Row]) -> Iterator[tuple[str, list[str]]]:
    """Yield the facts of the sample that stand beside its variants, each with its different values."""
    for name in ("plasma_copies", "tumour_fraction"):
        yield name, list(dict.fromkeys(row.at[name] for row in rows if row.at.get(name)))


def _contradictions(rows: Sequence[_Row], name: str) -> Iterator[Issue]:
    for field, values in _stated(rows):
        if len(values) > 1:
            text = f"The rows of the sample give different values of {field}; the fact is unknown."
            yield Issue("conflict", "contradicting_values", text, field=field, place=name)


def highest(variants: Sequence[PlasmaVariant]) -> PlasmaVariant | None:
    """Return the used variant with the highest allele fraction; None where none speaks for the tumour."""
    used = [item for item in variants if not item.excluded]
    return max(used, key=lambda item: item.allele_fraction) if used else None
