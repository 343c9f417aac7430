"""Every check of criteria sets in one report, and the checks on cases that need no solver.

``criteria check`` calls :func:`check_all`. Where Z3 is installed the logic of a set is proved for all patients
(:mod:`her2crc.criteria.check_z3`); otherwise it is tried on the boundary cases of the set, which is how a
laboratory's own set is checked on a plain installation. On the same cases the reference interpreter and the compiled
closure must agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, combinations
from typing import Any, NamedTuple

import msgspec

from her2crc.criteria.cases import Case, Derive, boundary_cases
from her2crc.criteria.check_z3 import prove_set
from her2crc.criteria.closure import compile_set
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.finding import (
    NOT_MONOTONE,
    OVERLAP,
    REVERSAL,
    SILENCE,
    UNREACHABLE,
    Finding,
    check_declared,
    with_example,
)
from her2crc.criteria.nodes import IsNull, walk
from her2crc.criteria.run import Outcome, decide, evaluate, is_unknown
from her2crc.criteria.sets import CriteriaSet
from her2crc.errors import KnowledgeError, MissingExtraError
from her2crc.model.quantity import Ratio
from her2crc.model.verdict import DECIDED


class CheckReport(msgspec.Struct, frozen=True):
    """How many sets were checked, how many boundary cases both executors agreed on, and what is wrong."""

    sets: int
    cases: int
    failures: tuple[Finding, ...]


class Fault(NamedTuple):
    """A fault found on a case, or on a case and the same case with one fact more or another."""

    kind: str
    text: str
    case: Case
    after: Case | None = None


class Tried(NamedTuple):
    """A boundary case and what the reference interpreter says of it."""

    case: Case
    outcome: Outcome


def check_all(sets: Sequence[CriteriaSet], fields: Mapping[str, Field], derive: Derive) -> CheckReport:
    """Check every set: its declarations, its logic, and that both executors agree on its boundary cases.

    Args:
        sets: the sets.
        fields: every field by name.
        derive: adds the derived facts to a case.
    """
    failures: list[Finding] = []
    agreed = 0
    for criteria in sets:
        tried = _try_all(criteria, fields, derive)
        differing = list(_executors_differ(criteria, fields, tried))
        agreed += len(tried) - len(differing)
        failures += [*check_declared(criteria), *_logic(criteria, fields, tried), *differing[:1]]
    return CheckReport(len(sets), agreed, tuple(failures))


def check_set(criteria: CriteriaSet, fields: Mapping[str, Field], derive: Derive) -> list[Finding]:
    """Check one set on its boundary cases, without Z3: each kind of fault with its first example.

    It looks for what :func:`her2crc.criteria.check_z3.prove_set` excludes, but only among these cases.
    """
    return [*check_declared(criteria), *_check_cases(criteria, fields, _try_all(criteria, fields, derive))]


def refuse_faulty(sets: Sequence[CriteriaSet], fields: Mapping[str, Field], derive: Derive) -> None:
    """Refuse a laboratory's own sets where one of them is faulty, before any patient is judged by it.

    Raises:
        KnowledgeError: a set contradicts itself, leaves a case out without saying so, or lacks a source.
    """
    for criteria in sets:
        for finding in check_set(criteria, fields, derive):
            raise KnowledgeError(
                f"{finding.kind}: {finding.text}",
                where=f"{criteria.origin}, set {criteria.id}",
                why="A set that contradicts itself or leaves cases out would give answers by accident.",
                fix="Mend its rows, or declare the case under `silent`.",
            )


def _logic(criteria: CriteriaSet, fields: Mapping[str, Field], tried: Sequence[Tried]) -> list[Finding]:
    with suppress(MissingExtraError):
        return prove_set(criteria, fields)
    return _check_cases(criteria, fields, tried)


def _try_all(criteria: CriteriaSet, fields: Mapping[str, Field], derive: Derive) -> list[Tried]:
    return [Tried(case, decide(criteria, case)) for case in boundary_cases(criteria, fields, derive)]


def _check_cases(criteria: CriteriaSet, fields: Mapping[str, Field], tried: Sequence[Tried]) -> list[Finding]:
    if not criteria.rows:
        return []
    applying = [item for item in tried if item.outcome.applies]
    faults = chain(_overlaps(criteria, applying), _silences(applying), _turns(criteria, fields, tried))
    return [*_first_of_each(criteria, fields, faults), *_dead_rows(criteria, applying)]


def _first_of_each(criteria: CriteriaSet, fields: Mapping[str, Field], faults: Iterable[Fault]) -> Iterator[Finding]:
    firsts: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        firsts.setdefault((fault.kind, fault.text), fault)
    for kind, text, case, after in firsts.values():
        yield with_example(criteria, kind, text, case, fields, after)


def _overlaps(criteria: CriteriaSet, tried: Iterable[Tried]) -> Iterator[Fault]:
    for case, outcome in tried:
        holding = [row for row in criteria.rows if outcome.row and evaluate(row.when, case)]
        for first, second in combinations(holding, 2):
            if first.then != second.then:
                yield Fault("overlap", OVERLAP.format(first=first, second=second), case)


def _silences(tried: Iterable[Tried]) -> Iterator[Fault]:
    for case, outcome in tried:
        if outcome.row is None and not outcome.open_rows:
            yield Fault("silence", SILENCE, case)


def _dead_rows(criteria: CriteriaSet, tried: Iterable[Tried]) -> Iterator[Finding]:
    deciding = {outcome.row.id for _, outcome in tried if outcome.row}
    for row in criteria.rows:
        if row.id not in deciding:
            yield Finding(criteria.id, "unreachable", UNREACHABLE.format(row=row))


def _turns(criteria: CriteriaSet, fields: Mapping[str, Field], tried: Sequence[Tried]) -> Iterator[Fault]:
    """Yield where changing one fact, or adding it, turns a verdict into its opposite as it must not."""
    base_fields = [name for name in tried[0].case if not fields[name].derived_from]
    for name in base_fields:
        for line in _lines(tried, name, base_fields):
            known = [item for item in line if not is_unknown(item.case[name])]
            for before in line:
                if is_unknown(before.case[name]):
                    yield from _reversals(name, before, known)
            if name in criteria.monotone and fields[name].type in NUMERIC:
                yield from _not_monotone(name, known)


def _lines(tried: Sequence[Tried], name: str, base_fields: Sequence[str]) -> Iterable[list[Tried]]:
    """Group the decided cases that differ in one field alone."""
    lines: dict[object, list[Tried]] = defaultdict(list)
    for item in tried:
        if item.outcome.status in DECIDED:
            lines[tuple(item.case[other] for other in base_fields if other != name)].append(item)
    return lines.values()


def _reversals(name: str, before: Tried, known: Sequence[Tried]) -> Iterator[Fault]:
    row = before.outcome.row
    waits = before.case[name] is None and row is not None and IsNull(name) in walk(row.when)
    if row is None or waits:
        return
    for after in known:
        if after.outcome.status != before.outcome.status:
            yield Fault("reversal", REVERSAL.format(row=row, opposite=after.outcome.status), before.case, after.case)


def _not_monotone(name: str, known: Sequence[Tried]) -> Iterator[Fault]:
    in_order = sorted(known, key=lambda item: _size(item.case[name]))
    for before, after in combinations(in_order, 2):
        if before.outcome.status == "positive" and after.outcome.status == "negative":
            yield Fault("monotone", NOT_MONOTONE.format(name=name), before.case, after.case)


def _size(value: Any) -> Any:
    return value.numerator / value.denominator if isinstance(value, Ratio) else value


def _executors_differ(criteria: CriteriaSet, fields: Mapping[str, Field], tried: Iterable[Tried]) -> Iterator[Finding]:
    compiled = compile_set(criteria)
    for case, outcome in tried:
        status = compiled.status(case)
        if status != outcome.status:
            text = f"the interpreter says {outcome.status}, the compiled closure {status}"
            yield with_example(criteria, "executors", text, case, fields)
