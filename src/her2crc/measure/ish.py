"""``measure ish``: counted signals to ratio, copies and amplified nuclei with intervals, and what each rule says.

Part of measuring, above the flow: counts come from the front end, rules from the knowledge base, and the specimen goes
back into ``assess`` as counts, never as rounded numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from her2crc.criteria.library import Knowledge
from her2crc.criteria.run import decide
from her2crc.errors import InputError, UsageError
from her2crc.frontends.ish.values import Counting
from her2crc.measure.ish_figures import figures
from her2crc.measure.ish_input import named_columns, read_countings
from her2crc.measure.ish_notes import caveats_of, counting_rules
from her2crc.measure.ish_numbers import Counted, counted_nuclei, counted_totals, numbers_of, of_observer, parts_of
from her2crc.measure.ish_rules import REFLEX, judge_counts
from her2crc.measure.ish_spread import spread_of
from her2crc.measure.ish_values import IshMeasurement, IshRule, Part
from her2crc.model.quantity import Value
from her2crc.model.record import Issue
from her2crc.normalise import derive_facts
from her2crc.normalise.values import UnusableError, read_value

METHOD = {
    "nuclei": "log-Student, skewness-corrected (decision 0021); share: exact binomial",
    "totals": "log-normal, signals taken as independent",
}


def measure_ish(
    source: str | Path,
    knowledge: Knowledge,
    *,
    columns: Mapping[str, str] | None = None,
    mapping: str | Path | None = None,
    given: Mapping[str, str] | None = None,
) -> tuple[IshMeasurement, ...]:
    """Measure every specimen of a table of nuclei or of totals.

    Args:
        source: CSV, TSV or Excel file, or ``-`` (standard input).
        knowledge: the rules.
        columns: the laboratory's own names of columns by ours, e.g. ``{"her2": "Rot", "cep17": "Gruen"}``.
        mapping: a YAML file with the same under ``columns``.
        given: other facts of the specimen, as in the specimen table, e.g. ``{"ihc_score": "2"}``.

    Raises:
        InputError: no table, or a cell that is no count (with its line, nucleus and column).
        UsageError: a column that was named is not there, or ``given`` names no field.
        KnowledgeError: the mapping file is wrong.
    """
    facts = read_given(given or {}, knowledge)
    countings = read_countings(source, named_columns(columns, mapping))
    return tuple(measure_counting(item, knowledge, facts) for item in countings)


def _own_facts(
    counting: Counting, knowledge: Knowledge, given: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return the facts of a specimen: of its own rows where they state one, else as given for all."""
    facts, issues = dict(given), []
    place = counting.counts()[0].place
    for name, values in counting.facts.items():
        try:
            typed = [read_given({name: value}, knowledge)[name] for value in values]
        except UsageError as error:
            text = f"{error.what} The value is not used."
            issues.append(Issue("error", "value_not_used", text, field=name, place=place))
            facts.pop(name, None)
            continue
        facts[name] = typed[0] if len(set(typed)) == 1 else None
        if len(set(typed)) > 1:
            text = f"The rows of the specimen give different values of {name}; the fact is unknown."
            issues.append(Issue("conflict", "contradicting_values", text, field=name, place=place))
    return {name: value for name, value in facts.items() if value is not None}, tuple(issues)


def read_given(given: Mapping[str, str], knowledge: Knowledge) -> dict[str, Value | None]:
    """Return typed facts from ``name=value``.

    Raises:
        UsageError: no such field, or a value that it cannot have.
    """
    facts: dict[str, Any] = {}
    for name, text in given.items():
        field = knowledge.fields.get(name)
        if field is None or (field.derived_from and field.group != "ish"):
            raise UsageError(f"'{name}' is not a field.", fix="The fields are those of the specimen table.")
        try:
            facts[name] = read_value(field, text)
        except UnusableError as error:
            raise UsageError(f"{name} {error}.") from None
    return facts


def measure_counting(counting: Counting, knowledge: Knowledge, given: Mapping[str, Any]) -> IshMeasurement:
    """Measure one specimen.

    Raises:
        InputError: no HER2 signal was counted at all.
    """
    figure = figures()
    counted = counted_nuclei(counting) if counting.nuclei else counted_totals(counting, figure)
    if not counted.her2:
        raise InputError(
            "No HER2 signal was counted in any nucleus.",
            where=counting.counts()[0].place,
            why="Every cell has the gene: the hybridisation failed or the column is another one. It is not a negative.",
            fix="Check the columns, or repeat the test.",
        )
    own, issues = _own_facts(counting, knowledge, given)
    numbers = numbers_of(counted, figure)
    exact = derive_facts(counted.facts())
    rules = judge_counts(exact, own, counted.evidence, knowledge, figure) if counted.nuclei else ()
    regions = parts_of(counting, "region", figure)
    observers = parts_of(counting, "observer", figure)
    differ = _observers_differ(counting, observers, rules, own, knowledge)
    return IshMeasurement(
        patient_id=counting.patient_id,
        specimen_id=counting.specimen_id,
        source="nuclei" if counting.nuclei else "totals",
        probes="single" if counted.cep17 is None else "dual",
        nuclei=counted.nuclei,
        her2_signals=counted.her2,
        cep17_signals=counted.cep17,
        ratio=numbers.ratio,
        her2_copies=numbers.her2_copies,
        cep17_copies=numbers.cep17_copies,
        amplified_nuclei=numbers.amplified_nuclei,
        certainty=figure.certainty,
        method=METHOD["nuclei" if counting.nuclei else "totals"],
        rules=rules,
        counting_rules=counting_rules(counting, figure),
        spread=spread_of(counting.nuclei, figure) if counting.nuclei else None,
        regions=regions,
        observers=observers,
        observers_agree=None if len(observers) <= 1 else not differ,
        caveats=caveats_of(counting, counted, numbers, differ, figure),
        issues=(*counting.issues, *issues),
        specimen=_specimen(counting, counted, own),
        points=tuple((item.her2, item.cep17, item.region) for item in counting.nuclei if item.cep17 is not None),
    )


def _observers_differ(
    counting: Counting,
    observers: Sequence[Part],
    rules: Sequence[IshRule],
    given: Mapping[str, Any],
    knowledge: Knowledge,
) -> str:
    """Say how the observers differ: in what a rule says, or in ratios whose intervals do not meet; empty if not."""
    if len(observers) <= 1:
        return ""
    ratios = ", ".join(f"{item.name} {item.ratio.value:.2f}" for item in observers if item.ratio)
    spans = [item.ratio.interval for item in observers if item.ratio and item.ratio.interval]
    apart = bool(spans) and max(low for low, _ in spans) > min(high for _, high in spans)
    sets = [rule.set for rule in rules if len(set(_statuses(rule, counting, given, knowledge))) > 1]
    if not sets and not apart:
        return ""
    under = f"; they would be called differently under {', '.join(sets)}" if sets else ""
    return f"ratio {ratios}{under}"


def _statuses(rule: IshRule, counting: Counting, given: Mapping[str, Any], knowledge: Knowledge) -> list[str]:
    """What a rule says of each observer's own count; staining of 2+ is taken where it is not given."""
    names = dict.fromkeys(item.observer for item in counting.counts())
    statuses = []
    for name in names:
        counted = of_observer(counting, name)
        facts = derive_facts({**REFLEX, **given, **counted.facts()})
        statuses.append(decide(knowledge.criteria[rule.set], facts).status)
    return statuses


def _specimen(counting: Counting, counted: Counted, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the row of the specimen table: whole counts, so that ``assess`` computes exactly."""
    row = {"patient_id": counting.patient_id, "specimen_id": counting.specimen_id}
    row |= {name: str(value) for name, value in given.items()}
    for name, value in counted.facts().items():
        row[name] = _plain(value)
    return row


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
