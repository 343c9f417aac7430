"""Typed findings into the flat facts that conditions read, with the derived ones computed exactly.

The derived facts are quotients kept as numerator and denominator, so that no rounding decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from her2crc.model.patient import Patient, Specimen
from her2crc.model.quantity import UNSETTLED, Ratio, Value, copies_per_tumour_cell
from her2crc.normalise.conflicts import PLASMA_READING

Facts = dict[str, Value | None]


def specimen_facts(specimen: Specimen) -> Facts:
    """Return the facts of one specimen by field name, derived ones included; unknown facts are None."""
    facts: dict[str, Any] = {}
    for part in (specimen.ihc, specimen.ish, specimen.tissue, specimen.plasma):
        facts |= msgspec.structs.asdict(part)
    facts |= {name: getattr(specimen, name) for name in ("tumour", "site", "specimen_kind", "scoring_system")}
    barred = [name for name in PLASMA_READING if name in specimen.unsettled]  # shown as stated, and not used
    derived = derive_facts(facts | dict.fromkeys(barred))
    if "ish_ratio" in specimen.unsettled and _quotient(facts, "ish_her2_signals", "ish_cep17_signals") is None:
        derived["ish_ratio"] = None  # what contradicts itself is not settled by rounded means
    for name in specimen.unsettled:
        if derived.get(name) is None:
            derived[name] = UNSETTLED
    return derived


def patient_facts(patient: Patient) -> Facts:
    """Return the patient-level facts by field name; unknown facts are None."""
    return msgspec.structs.asdict(patient.genes) | msgspec.structs.asdict(patient.history)


def derive_facts(facts: Mapping[str, Any]) -> Facts:
    """Add the derived facts to the base facts of a specimen.

    The HER2/CEP17 ratio comes from the counts, else as reported, else from the two means; a mean comes from
    signals and nuclei, else as reported. Copies per tumour cell are (copies - 2 (1 - fraction)) / fraction.
    """
    derived = dict(facts)
    derived["ish_ratio"] = _first(
        _quotient(facts, "ish_her2_signals", "ish_cep17_signals"),
        _as_ratio(facts.get("ish_ratio")),
        _quotient(facts, "ish_her2_copies", "ish_cep17_copies"),
    )
    for mean, signals in (("ish_her2_copies", "ish_her2_signals"), ("ish_cep17_copies", "ish_cep17_signals")):
        derived[mean] = _first(_quotient(facts, signals, "ish_nuclei"), _as_ratio(facts.get(mean)))
    derived["ngs_tumour_copies"] = copies_per_tumour_cell(facts.get("ngs_copies"), facts.get("tumour_purity"))
    derived["plasma_adjusted_copies"] = copies_per_tumour_cell(facts.get("plasma_copies"), facts.get("tumour_fraction"))
    return derived


def _quotient(facts: Mapping[str, Any], numerator: str, denominator: str) -> Ratio | None:
    if facts.get(numerator) is None or facts.get(denominator) is None:
        return None
    above, below = _as_ratio(facts[numerator]), _as_ratio(facts[denominator])
    if above is None or below is None or below.numerator <= 0:
        return None
    return Ratio(above.numerator * below.denominator, above.denominator * below.numerator)


def _as_ratio(value: Any) -> Ratio | None:
    if value is None or isinstance(value, Ratio):
        return value
    return Ratio(Decimal(value), Decimal(1))


def _first(*candidates: Ratio | None) -> Ratio | None:
    return next((candidate for candidate in candidates if candidate is not None), None)
