"""A measurement of plasma, set in lines for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from her2crc.measure.ish_text import WIDTH, show_cites, show_issue, show_outcome
from her2crc.measure.plasma_figures import plasma_figures
from her2crc.measure.plasma_values import PlasmaEstimate, PlasmaMeasurement
from her2crc.measure.rules import RuleChance
from her2crc.model.dilution import Bounds


def plasma_text(found: PlasmaMeasurement) -> str:
    """Return the report of one sample."""
    lines = [f"{found.patient_id}, {found.specimen_id}: HER2 in plasma", "", f"Observed copies: {_observed(found)}", ""]
    if found.variants:
        lines += ["Variants", *_variants(found), ""]
    for estimate in found.estimates:
        lines += [*_estimate(estimate), ""]
    if found.rules and len(found.estimates) > 1:
        lines += ["Rules, all in all", *_rules(found.rules), ""]
    needed = ", ".join(f"{100 * share:.0f} % under {name}" for name, share in found.smallest_fraction.items())
    if needed:
        figures = plasma_figures()
        reach = f"{figures.reference_copies} copies per tumour cell reach the cut from a tumour fraction of {needed}."
        lines += _wrap(f"{reach}{show_cites(figures.reference_cite)}")
    lines += ["", "Plasma against tissue, published (exact 95 % intervals)"]
    for item in found.agreement:
        low, high = item.interval
        lines += _wrap(
            f"{item.label}: {item.events} of {item.total} ({low} to {high} %){show_cites(item.cite)}. {item.note}"
        )
    lines += ["", "Keep in mind"]
    for note in found.notes:
        lines += _wrap(note)
    for issue in found.issues:
        lines += _wrap(show_issue(issue))
    return "\n".join(lines).rstrip() + "\n"


def _observed(found: PlasmaMeasurement) -> str:
    if found.plasma_copies is None or found.copies_interval is None:
        return "not known"
    low, high = found.copies_interval
    return f"{found.plasma_copies:g} ({low:.2f} to {high:.2f}; noise {100 * found.copies_cv:.0f} %, {found.cv_basis})"


def _variants(found: PlasmaMeasurement) -> Iterator[str]:
    for item in sorted(found.variants, key=lambda variant: -variant.allele_fraction):
        span = f" ({100 * item.interval[0]:.1f} to {100 * item.interval[1]:.1f} %)" if item.interval else ""
        used = f"not used: it {item.excluded} ({item.confidence})" if item.excluded else "used"
        yield from _wrap(f"{item.gene} {item.change} {100 * item.allele_fraction:.1f} %{span}: {used}")


def _estimate(item: PlasmaEstimate) -> Iterator[str]:
    span = item.fraction_interval
    shown = "" if item.tumour_fraction is None else f": {_percent(item.tumour_fraction)} %"
    yield f"{item.text}{shown}" + (f" ({_percent(span[0])} to {_percent(span[1])} %)" if span else "")
    if item.adjusted_copies is not None:
        yield f"  copies per tumour cell {item.adjusted_copies:.1f} ({_bounds(item.adjusted_interval)})"
    for name, copies in item.invisible_below.items():
        yield f"  would have stayed invisible under {name}: fewer than {copies:.1f} copies per tumour cell"
    if item.limit_of_detection_copies is not None:
        yield f"  seen in spite of noise from {item.limit_of_detection_copies:.1f} copies per tumour cell"
    yield from _rules(item.rules)


def _percent(share: float) -> str:
    """Write a share in percent; a small one is not written as none."""
    shown = f"{100 * share:.1f}"
    return shown if float(shown) or not share else f"{100 * share:.2g}"


def _bounds(interval: Bounds | None) -> str:
    if interval is None or interval[0] is None or interval[1] is None:
        return "no bound"
    return f"{interval[0]:.1f} to {interval[1]:.1f}"


def _rules(rules: tuple[RuleChance, ...]) -> Iterator[str]:
    for rule in rules:
        missing = f"; would decide: {', '.join(rule.missing)}" if rule.missing else ""
        yield from _wrap(f"{rule.set}: {show_outcome(rule)}{missing}. {rule.why}{show_cites(rule.cite)}")


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
