"""A measurement of tissue as a person reads it; the other formats are those of every result."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from her2crc.measure.rules import RuleChance
from her2crc.measure.tissue import Interval, TissueMeasurement

WIDTH = 98
OUTCOME_WORDS = {"met": "met", "not_met": "not met", "cannot_decide": "cannot be decided"}


def tissue_text(item: TissueMeasurement) -> str:
    """Return a measurement as lines: the conclusion first, then the numbers, then each rule."""
    return "\n".join(_page(item)) + "\n"


def _page(item: TissueMeasurement) -> Iterator[str]:
    yield f"{item.specimen_id}  ({item.file}, {item.format})"
    yield from wrap(item.conclusion, WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from (f"  {line}" for line in (*_fold_lines(item), *_copy_lines(item), *_place_lines(item)))
    if item.caller_call:
        yield f"  call of the source      {item.caller_call}"
    if item.rules:
        yield "  Rules:"
        measured = item.fold is not None
        yield from (f"    {_rule_line(rule, measured=measured)}" for rule in item.rules if rule.role == "rule")
    for note in item.notes:
        yield from wrap(f"Note: {note}", WIDTH, initial_indent="  ", subsequent_indent="    ")


def _between(interval: Interval | None, digits: int = 2) -> str:
    return "" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _fold_lines(item: TissueMeasurement) -> Iterator[str]:
    if item.fold is None or item.log2 is None or item.log2_error is None:
        return
    bins = f"{item.bins} bins" if item.bins else "number of bins not given"
    yield f"fold change             {item.fold:.2f}  (95 %: {_between(item.fold_interval)})  log2 {item.log2:+.3f}"
    yield f"standard error of log2  {item.log2_error:.3f}  (in the sample {item.log2_error_within:.3f}, {bins};"
    yield f"                        between samples {item.log2_error_between:.3f}, {item.between_source})"


def _copy_lines(item: TissueMeasurement) -> Iterator[str]:
    if item.tumour_purity is None and not item.refused:
        yield "tumour purity           unknown, so copies per tumour cell cannot be told (--purity)"
    if item.tumour_copies is not None and item.tumour_copies_interval is None:
        yield f"copies per tumour cell  {item.tumour_copies:.1f} as its caller corrected them, no interval"
    if item.tumour_copies is None or item.tumour_copies_interval is None:
        return
    share = f"purity {100 * (item.tumour_purity or 0):.0f} %, ploidy {item.ploidy:.1f}"
    ends = _between(item.tumour_copies_interval, 1)
    yield f"copies per tumour cell  {item.tumour_copies:.1f}  (95 %: {ends}; {share})"
    if item.assumed and item.tumour_copies_interval_wide:
        words = " and ".join({"tumour_purity": "purity", "ploidy": "ploidy"}[name] for name in item.assumed)
        wide = _between(item.tumour_copies_interval_wide, 1)
        yield f"                        {wide} if the {words}, given without an interval, are as unsure as declared"
    limit = item.limit_of_detection_copies
    yield f"limit of detection      {limit:.1f} copies per tumour cell at this purity and noise"


def _place_lines(item: TissueMeasurement) -> Iterator[str]:
    if item.chromosome_17_relative is not None:
        yield f"against chromosome 17   {item.chromosome_17_relative:.2f}-fold the rest of it (this is not HER2/CEP17)"
    if item.stretch is not None:
        place = f"chr17:{item.stretch.start}-{item.stretch.end} ({item.build or 'build not shown'})"
        extent = f", {item.extent}" if item.extent else ""
        yield f"stretch                 {item.stretch.megabases:.2f} Mb, {place}{extent}"
    gained = [f"{near.gene} {near.fold:.1f}" for near in item.neighbours if near.gained]
    if gained:
        yield f"gained with it          {', '.join(gained)} (fold change)"


def _rule_line(rule: RuleChance, *, measured: bool) -> str:
    """Return a rule as a line; without a measured number there is no chance to speak of."""
    words = OUTCOME_WORDS[rule.outcome]
    chance = f"chance of being met {100 * rule.probability:.0f} %" if measured else ""
    if rule.outcome == "cannot_decide":
        missing = f"needs {', '.join(rule.missing)}" if rule.missing else ""
        more = "; ".join(part for part in (chance, missing) if part)
        return f"{rule.set:<22}{words} ({rule.status.replace('_', ' ')})" + (f": {more}" if more else "")
    return f"{rule.set:<22}{words}" + (f", chance {100 * rule.probability:.1f} %" if measured else "")
