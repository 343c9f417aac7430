"""Where two criteria sets say different things, each kind of difference with one example patient.

Both sets are run over the boundary cases of the two together, so that a value between the threshold of the one and
that of the other is tried. Cases on which the same row of the first meets the same row of the second are one kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from her2crc.criteria.cases import Case, Derive, boundary_cases
from her2crc.criteria.closure import Compiled, compile_set, status_of
from her2crc.criteria.fields import Field
from her2crc.criteria.finding import case_fields
from her2crc.criteria.nodes import And
from her2crc.criteria.run import is_unknown, show_value
from her2crc.criteria.sets import CriteriaSet
from her2crc.criteria.words import describe_case
from her2crc.model.verdict import DECIDED

MOST_SHOWN = 12
"""More kinds of difference than this are not read."""


class Difference(msgspec.Struct, frozen=True):
    """One kind of difference: what either set says, by which row (None: no row decided), and an example patient.

    ``cases`` is the number of boundary cases of this kind; ``example`` is the patient in words, ``facts`` as values.
    """

    first: str
    second: str
    first_row: str | None
    second_row: str | None
    cases: int
    example: str
    facts: dict[str, str | None]


def diff_sets(first: CriteriaSet, second: CriteriaSet, fields: Mapping[str, Field], derive: Derive) -> list[Difference]:
    """Return the kinds of difference between two sets, positive against negative first, at most ``MOST_SHOWN``.

    Args:
        first: the one set.
        second: the other set.
        fields: every field by name.
        derive: adds the derived facts to a case.
    """
    together = _together(first, second)
    counts, examples = _differing(first, second, boundary_cases(together, fields, derive))
    names = case_fields(together, fields)
    found = [
        _difference(first, second, kind, counts[kind], examples[kind], names, fields)
        for kind in sorted(counts, key=lambda kind: _rank(first, second, kind, counts[kind]))
    ]
    return found[:MOST_SHOWN]


Kind = tuple[int, int]
"""What the two compiled sets return: a row's number, or why no row decided."""


def _together(first: CriteriaSet, second: CriteriaSet) -> CriteriaSet:
    """Return a set that reads what both read; only its boundary cases are used."""
    return msgspec.structs.replace(first, applies=And((first.applies, second.applies)), rows=first.rows + second.rows)


def _differing(
    first: CriteriaSet, second: CriteriaSet, cases: Iterable[Case]
) -> tuple[Counter[Kind], dict[Kind, Case]]:
    compiled = compile_set(first), compile_set(second)
    counts: Counter[Kind] = Counter()
    examples: dict[Kind, Case] = {}
    for case in cases:
        one, other = (_code(item, case) for item in compiled)
        kind = (one, other)
        if status_of(one, compiled[0].statuses) != status_of(other, compiled[1].statuses):
            counts[kind] += 1
            if kind not in examples or _known(case) < _known(examples[kind]):
                examples[kind] = case
    return counts, examples


def _code(compiled: Compiled, case: Case) -> int:
    return compiled.decide(*[case.get(name) for name in compiled.fields])


def _known(case: Case) -> tuple[int, int]:
    """Return how long a case is to tell: its facts that are stated at all, and among them the unusable ones."""
    stated = [value for value in case.values() if value is not None]
    return len(stated), sum(is_unknown(value) for value in stated)


def _rank(first: CriteriaSet, second: CriteriaSet, kind: Kind, cases: int) -> tuple[int, bool, int]:
    """Sort opposite verdicts first, then a verdict against none, then the rest; common kinds before rare ones."""
    statuses = _status(first, kind[0]), _status(second, kind[1])
    return -sum(status in DECIDED for status in statuses), "not_covered" in statuses, -cases


def _status(criteria: CriteriaSet, code: int) -> str:
    return status_of(code, tuple(row.then for row in criteria.rows))


def _row(criteria: CriteriaSet, code: int) -> str | None:
    return criteria.rows[code].id if code >= 0 else None


def _difference(
    first: CriteriaSet,
    second: CriteriaSet,
    kind: Kind,
    cases: int,
    case: Case,
    names: tuple[str, ...],
    fields: Mapping[str, Field],
) -> Difference:
    return Difference(
        first=_status(first, kind[0]),
        second=_status(second, kind[1]),
        first_row=_row(first, kind[0]),
        second_row=_row(second, kind[1]),
        cases=cases,
        example=describe_case(case, names, fields),
        facts={name: show_value(case.get(name)) for name in names},
    )
