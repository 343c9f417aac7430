"""Why a set says what it says of one case, in sentences that a pathologist can check against the report.

:func:`explain_set` gives the reasons as data, :func:`explain` as indented text. They are the reference
interpreter's own trace (:func:`her2crc.criteria.run.trace`), cut down to what made the difference: of a row that is
ruled out, only the comparisons that rule it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from her2crc.criteria.closure import OPPOSITE
from her2crc.criteria.fields import Field
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.nodes import (
    And,
    Compare,
    CompareRatio,
    IsNull,
    IsTrue,
    Node,
    Not,
    OneOf,
    Or,
    fields_of,
)
from her2crc.criteria.run import Facts, Step, decide, trace
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.criteria.words import NOT_REPORTED, name_field, say_value
from her2crc.model.citation import Citation

OPERATORS = {"=": "", "<>": "other than", "<": "below", "<=": "at most", ">": "above", ">=": "at least"}
ALL_OF = {True: "all of these hold", False: "not all hold; these do not", None: "open because of these"}
ONE_OF = {True: "one is enough; these hold", False: "none of these holds", None: "one would be enough; these are open"}
HOLDS = {True: "holds", False: "does not hold", None: "open"}
INDENT = "  "


class Reason(msgspec.Struct, frozen=True):
    """One part of a condition in words, whether it holds (None: open), and the parts that made it so."""

    text: str
    value: bool | None
    reasons: tuple[Reason, ...] = ()


class RowReason(msgspec.Struct, frozen=True):
    """One row, whether it holds, and why."""

    row: str
    then: str
    says: str
    value: bool | None
    reason: Reason
    cite: tuple[Citation, ...]


class Explanation(msgspec.Struct, frozen=True):
    """What one set says of one case and why.

    ``decided_by`` is the row that decided (None where none did); ``rows`` holds every row in file order, and
    ``missing`` the facts that would decide.
    """

    criteria: str
    name: str
    status: str
    applies: Reason
    decided_by: str | None
    rows: tuple[RowReason, ...]
    missing: tuple[str, ...]


def explain_set(criteria: CriteriaSet, facts: Facts, fields: Mapping[str, Field]) -> Explanation:
    """Return why a set says what it says of a case.

    Args:
        criteria: the set.
        facts: one specimen's facts by field name, derived ones included.
        fields: every field by name, for meanings and units.
    """
    outcome = decide(criteria, facts)
    say = _Sayer(facts, fields)
    return Explanation(
        criteria=criteria.id,
        name=criteria.name,
        status=outcome.status,
        applies=say.reason(criteria.applies),
        decided_by=outcome.row.id if outcome.row else None,
        rows=tuple(_row_reason(row, say) for row in criteria.rows),
        missing=missing_facts(criteria, facts, outcome, fields),
    )


def explain(criteria: CriteriaSet, facts: Facts, fields: Mapping[str, Field]) -> str:
    """Say in sentences which row decided and why, what ruled out the others, and what is missing.

    Arguments as for :func:`explain_set`.
    """
    explained = explain_set(criteria, facts, fields)
    lines = [f"{explained.name}: {explained.status.replace('_', ' ')}"]
    if not explained.rows:
        lines.append(INDENT + criteria.summary)
    elif explained.applies.value is False:
        lines.append(f"{INDENT}It judges {criteria.judges} of a {criteria.tumour} tumour and does not apply here:")
        lines += _indented(explained.applies, 2)
    else:
        lines += _rows_in_words(explained)
    if explained.missing:
        wanted = (name_field(fields[name]) for name in explained.missing)
        lines.append(f"{INDENT}Would decide: {'; '.join(wanted)}.")
    return "\n".join(lines)


def _rows_in_words(explained: Explanation) -> Iterator[str]:
    decided = [row for row in explained.rows if row.row == explained.decided_by]
    others = [row for row in explained.rows if row.row != explained.decided_by]
    yield from _section("Decided by", decided, lambda row: f"{row.row}: {row.says} [{_places(row.cite)}]")
    for title, value in (("Holds as well", True), ("Left open", None), ("Ruled out", False)):
        chosen = [row for row in others if row.value is value]
        yield from _section(title, chosen, lambda row: f"{row.row} ({row.then.replace('_', ' ')})")


def _section(title: str, rows: Sequence[RowReason], head: Callable[[RowReason], str]) -> Iterator[str]:
    if rows:
        yield f"{INDENT}{title}"
    for row in rows:
        yield f"{INDENT * 2}{head(row)}"
        yield from _indented(row.reason, 3)


def _indented(reason: Reason, depth: int) -> Iterator[str]:
    yield f"{INDENT * depth}{reason.text}{':' if reason.reasons else ''}"
    for part in reason.reasons:
        yield from _indented(part, depth + 1)


def _row_reason(row: Row, say: _Sayer) -> RowReason:
    reason = say.reason(row.when)
    return RowReason(row.id, row.then, row.says, reason.value, reason, row.cite)


def _places(cite: Iterable[Citation]) -> str:
    return "; ".join(f"{citation.ref}, {citation.place}" for citation in cite)


class _Sayer:
    """Says the parts of a traced condition in words. "Not" is said by asking for the opposite, never as a word."""

    def __init__(self, facts: Facts, fields: Mapping[str, Field]) -> None:
        self.facts, self.fields = facts, fields

    def reason(self, node: Node) -> Reason:
        """Return a condition in words, with the parts that made it what it is."""
        return self._reason(node, trace(node, self.facts), True)

    def _reason(self, node: Node, step: Step, wanted: bool) -> Reason:
        if isinstance(node, Not):
            return self._reason(node.arg, step.steps[0], not wanted)
        value = step.value if wanted or step.value is None else not step.value
        if not isinstance(node, (And, Or)):
            return Reason(f"{self._leaf(node, wanted)}; {HOLDS[value]}", value)
        below = zip(node.args, step.steps, strict=True)
        parts = tuple(self._reason(arg, part, wanted) for arg, part in below if part.value is step.value)
        if len(parts) == 1:
            return parts[0]
        together = isinstance(node, And) is wanted
        return Reason((ALL_OF if together else ONE_OF)[value], value, parts)

    def _leaf(self, node: Node, wanted: bool) -> str:
        read = "; ".join(
            f"{name_field(self.fields[name])}: {say_value(self.facts.get(name), self.fields[name])}"
            for name in fields_of(node)
        )
        return f"{read} (asked: {_asked(node, wanted)})"


def _asked(node: Node, wanted: bool) -> str:
    match node:
        case IsNull():
            return NOT_REPORTED if wanted else "reported"
        case IsTrue():
            return "yes" if wanted else "no"
        case OneOf(_, values):
            return ("" if wanted else "neither " if values[1:] else "not ") + (" or " if wanted else " nor ").join(
                values
            )
        case Compare(_, op, limit):
            return f"{OPERATORS[op if wanted else OPPOSITE[op]]} {limit}".strip()
        case CompareRatio(_, _, op, limit):
            return f"their quotient {OPERATORS[op if wanted else OPPOSITE[op]]} {limit}"
    raise TypeError(node)
