"""Values of one specimen that contradict each other beyond rounding: reported, and the fact becomes unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from her2crc.criteria.library import Settings
from her2crc.model.quantity import Ratio, quotient_matches, ratio_matches
from her2crc.model.record import Issue

Contradiction = tuple[Issue, tuple[str, ...]]


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


def _quotient(facts: Mapping[str, Any], numerator: str, denominator: str) -> Ratio | None:
    above, below = facts.get(numerator), facts.get(denominator)
    if above is None or not below:
        return None
    return Ratio(Decimal(above), Decimal(below))
