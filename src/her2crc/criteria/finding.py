"""What is wrong with a criteria set, and the checks that need neither solver nor cases.

The first step of ``criteria check``; :mod:`her2crc.criteria.check` adds boundary cases and
:mod:`her2crc.criteria.check_z3` proofs. Whoever finds a fault reports it as a :class:`Finding`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import Node, fields_read
from her2crc.criteria.run import Facts, decide, show_value
from her2crc.criteria.sets import CriteriaSet
from her2crc.criteria.words import describe_case
from her2crc.model.citation import Citation
from her2crc.model.verdict import DECIDED

VERDICTS = (*DECIDED, "equivocal")

OVERLAP = "rows {first.id} ({first.then}) and {second.id} ({second.then}) both hold"
SILENCE = "no row covers this case, and no silent row says so"
UNREACHABLE = "row {row.id} never decides"
NOT_MONOTONE = "more of {name} turns positive into negative"
REVERSAL = "one more result turns row {row.id} ({row.then}) into {opposite}"


class Finding(msgspec.Struct, frozen=True):
    """One fault of a set.

    ``kind`` is one of ``overlap silence unreachable empty_case monotone reversal executors citation date says``;
    ``text`` says it with a patient as an example, ``example`` gives that patient's facts (None: not reported).
    """

    criteria: str
    kind: str
    text: str
    example: dict[str, str | None] = {}


def check_declared(criteria: CriteriaSet) -> list[Finding]:
    """Check what needs no case: citations, dates, sentences, and that a patient without findings gets no verdict."""
    return [Finding(criteria.id, kind, text) for kind, text in _declared(criteria)]


def with_example(
    criteria: CriteriaSet, kind: str, text: str, facts: Facts, fields: Mapping[str, Field], after: Facts | None = None
) -> Finding:
    """Return a finding whose text ends in an example patient.

    Args:
        criteria: the set.
        kind: the kind of fault.
        text: what is wrong, without a full stop.
        facts: the example, by field name.
        fields: every field by name.
        after: the same patient with one more or another fact, where it takes two cases to show the fault.
    """
    names = case_fields(criteria, fields)
    shown = {name: show_value(facts.get(name)) for name in names}
    if after is None:
        return Finding(criteria.id, kind, f"{text}. Example: {describe_case(facts, names, fields)}.", shown)
    changed = [name for name in names if facts.get(name) != after.get(name)]
    said = f"{describe_case(facts, names, fields)}; then {describe_case(after, changed, fields)}"
    return Finding(criteria.id, kind, f"{text}. Example: {said}.", shown | _arrows(facts, after, changed))


def case_fields(criteria: CriteriaSet, fields: Mapping[str, Field]) -> tuple[str, ...]:
    """Return the fields that make up a case of a set: those it reads, and those that these are derived from."""
    read = [name for node in conditions(criteria) for name in fields_read(node)]
    return tuple(dict.fromkeys(name for each in read for name in (*fields[each].derived_from, each)))


def conditions(criteria: CriteriaSet) -> tuple[Node, ...]:
    """Return every condition of a set: when it applies, then its rows in order."""
    return (criteria.applies, *(row.when for row in criteria.rows))


def _declared(criteria: CriteriaSet) -> Iterator[tuple[str, str]]:
    status = decide(criteria, {}).status
    if status in VERDICTS:
        yield "empty_case", f"a patient without any finding is called {status}"
    if criteria.reviewed_on < criteria.effective:
        yield "date", f"it was reviewed on {criteria.reviewed_on}, before it took effect on {criteria.effective}"
    yield from _cited(criteria.cite, "the set")
    if not criteria.summary.strip():
        yield "says", "the summary is empty"
    for row in criteria.rows:
        yield from _cited(row.cite, f"row {row.id}")
        if not row.says.strip():
            yield "says", f"row {row.id} does not say in words what the source says"


def _cited(cite: tuple[Citation, ...], whose: str) -> Iterator[tuple[str, str]]:
    if not cite:
        yield "citation", f"{whose} cites no source"
    for citation in cite:
        if not citation.place.strip():
            yield "citation", f"{whose} cites {citation.ref} without saying where in it"


def _arrows(before: Facts, after: Facts, changed: list[str]) -> dict[str, str | None]:
    return {name: f"{show_value(before.get(name))} -> {show_value(after.get(name))}" for name in changed}
