"""Values of one specimen that contradict each other beyond rounding: reported, and the fact becomes unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from her2crc.criteria.library import Settings
from her2crc.model.dilution import is_impossible
from her2crc.model.quantity import DIPLOID, Ratio, quotient_matches, ratio_matches
from her2crc.model.record import Issue

Contradiction = tuple[Issue, tuple[str, ...]]
PLASMA_READING = ("plasma_copies", "tumour_fraction")
"""Copies, and the share of tumour in what they were read in."""


def contradictions(facts: Mapping[str, Any], specimen_id: str, settings: Settings) -> Iterator[Contradiction]:
    """Yield each contradiction of a specimen's facts, with the fields that become unknown by it."""
    for check in (_ratio_and_counts, _ratio_and_means, _means_and_counts, _no_control_signals, _material):
        for text, fields in check(facts):
            yield Issue("conflict", check.__name__.lstrip("_"), text, specimen_id, fields[0]), fields
    for text, fields in _call_and_copies(facts, settings):
        yield Issue("conflict", "call_and_copies", text, specimen_id, fields[0]), fields


def _ratio_and_counts(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    reported, exact = facts.get("ish_ratio"), _quotient(facts, "ish_her2_signals", "ish_cep17_signals")
    if reported is not None and exact is not None and not ratio_matches(reported, exact):
        text = (
            f"The reported HER2/CEP17 ratio {reported} does not agree with the counts "
            f"{exact.numerator}/{exact.denominator} = {exact.rounded(3)}; the ratio is unknown."
        )
        yield text, ("ish_ratio", "ish_her2_signals", "ish_cep17_signals", "ish_cep17_copies")


def _ratio_and_means(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if _quotient(facts, "ish_her2_signals", "ish_cep17_signals") is not None:
        return
    ratio, her2, cep17 = facts.get("ish_ratio"), facts.get("ish_her2_copies"), facts.get("ish_cep17_copies")
    if ratio is None or her2 is None or cep17 is None or quotient_matches(ratio, her2, cep17):
        return
    text = (
        f"The reported HER2/CEP17 ratio {ratio} does not agree with the means {her2}/{cep17} beyond rounding; "
        "the ratio is unknown."
    )
    yield text, ("ish_ratio", "ish_cep17_copies")


def _means_and_counts(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for mean, signals in (("ish_her2_copies", "ish_her2_signals"), ("ish_cep17_copies", "ish_cep17_signals")):
        reported, exact = facts.get(mean), _quotient(facts, signals, "ish_nuclei")
        if reported is not None and exact is not None and not ratio_matches(reported, exact):
            text = (
                f"The reported mean {mean} {reported} does not agree with {exact.numerator} signals in "
                f"{exact.denominator} nuclei = {exact.rounded(3)}; the mean is unknown."
            )
            yield text, (mean, "ish_nuclei")


def _no_control_signals(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for control in ("ish_cep17_signals", "ish_cep17_copies"):
        if facts.get(control) == 0:
            yield (
                f"{control} is 0: without control signals no ratio can be formed; the ratio is unknown.",
                ("ish_ratio",),
            )


def _call_and_copies(facts: Mapping[str, Any], settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    call, copies = facts.get("ngs_call"), facts.get("ngs_copies")
    if copies is None:
        return
    too_few = call == "amplified" and copies <= settings.low_gain
    too_many = call == "not_amplified" and copies >= settings.amplified_everywhere
    if too_few or too_many:
        text = (
            f"The call '{call}' and {copies} copies contradict each other by every published cut; the call is unknown."
        )
        yield text, ("ngs_call",)


def _material(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    kind, site = facts.get("specimen_kind"), facts.get("site")
    if None not in (kind, site) and (kind == "plasma") != (site == "plasma"):
        text = f"The site '{site}' and the specimen kind '{kind}' contradict each other; both are unknown."
        yield text, ("specimen_kind", "site")


def unexplained_reading(
    facts: Mapping[str, Any], specimen_id: str, place: str, settings: Settings
) -> tuple[Issue, ...]:
    """Return the conflict of plasma copies that no number of copies in the tumour explains at its fraction."""
    copies, fraction = (facts.get(name) for name in PLASMA_READING)
    if fraction is None or not falls_short(copies, fraction, settings):
        return ()
    text = (
        f"{copies} copies in plasma at a tumour fraction of {fraction} cannot be: the normal DNA alone gives "
        f"{DIPLOID * (1 - fraction)}, and the noise ({settings.copies_cv:.0%} of copies, {settings.fraction_cv:.0%} of "
        "the fraction) does not explain the difference. One of the two is wrong, so neither decides anything. Ask the "
        "laboratory (a 0 may stand for a failed reading, a fold change for copies) and send the corrected values."
    )
    return (Issue("conflict", "unexplained_reading", text, specimen_id, PLASMA_READING[0], place),)


def falls_short(copies: Decimal | None, fraction: Decimal | None, settings: Settings) -> bool:
    """Tell whether copies are, beyond the declared noise, fewer than the normal cells give alone."""
    if copies is None or fraction is None or copies >= DIPLOID * (1 - fraction):
        return False
    read, share, level = float(copies), float(fraction), float(settings.contradiction_level)
    return is_impossible(read, float(settings.copies_cv) * read, share, float(settings.fraction_cv) * share, level)


def _quotient(facts: Mapping[str, Any], numerator: str, denominator: str) -> Ratio | None:
    above, below = facts.get(numerator), facts.get(denominator)
    if above is None or not below:
        return None
    return Ratio(Decimal(above), Decimal(below))
