"""A criteria set as a library of the Clinical Quality Language (CQL 1.5), for hospitals that run such an engine.

The library has a parameter for each field, a definition for each row, and two answers: ``Row`` and ``Status``. CQL's
three-valued logic is the one that the rules are written in, so rows keep their form; the tests run the libraries in
an independent engine and compare every status with :func:`her2crc.criteria.run.decide`.

Numbers are exact although common engines compute in binary floating point:

- A number meets its threshold as a literal. Both are read from decimal text to the nearest double, and up to 15
  digits that keeps order and equality.
- A quotient comes as numerator and denominator and is never divided. ``numerator - threshold * denominator`` is a
  whole number of steps of 10^-8, CQL's own precision, as long as the decimals of threshold and denominator together
  are at most 8. The error of the doubles is far below half a step (10^-9 at a million), so rounding to 8 decimals
  restores the exact value and ``6.6 / 3.0 >= 2.2`` holds.

What "stated but unusable" is to her2crc, CQL has no value for: where a row asks whether a field is reported at all,
a parameter of its own says that it is, but unusable.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from decimal import Decimal

from her2crc.criteria.fields import Field
from her2crc.criteria.finding import conditions
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
    fields_read,
    walk,
)
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.errors import UsageError
from her2crc.model.citation import Citation

CQL_TYPES = {"integer": "Integer", "decimal": "Decimal", "boolean": "Boolean"}
"""A ratio becomes two decimals; every other type is a String."""

APPLIES = "Applies"
"""The definition that says whether the set speaks of this tumour and material at all."""

CQL_DECIMALS = 8
"""Decimal places that CQL guarantees."""

WIDTH = 110


def export_cql(criteria: CriteriaSet, fields: Mapping[str, Field]) -> str:
    """Return a set as the text of a CQL library.

    Every parameter has to be given, as null where the fact is unknown: an engine may not treat a parameter that
    was left out as null (cql-execution 3.3 does not).

    Args:
        criteria: the set.
        fields: every field by name, for types and meanings.

    Raises:
        UsageError: a threshold has more decimals than CQL can hold.
    """
    write = _Writer(fields)
    parts = [
        *_head(criteria),
        f"library {_name(criteria.id)} version {_string(str(criteria.effective))}",
        "",
        *_parameters(criteria, fields),
        "context Unfiltered",
        "",
        *_comment("When this set applies: the right tumour and the right material."),
        f"define {_name(APPLIES)}:",
        write.block(criteria.applies),
        "",
    ]
    for row in criteria.rows:
        parts += [*_row(row, criteria.confidence), write.block(row.when), ""]
    return "\n".join([*parts, *_answers(criteria)]) + "\n"


def define_name(row: Row) -> str:
    """Return the name of the definition that holds a row's condition."""
    return f"Row {row.id}"


def _head(criteria: CriteriaSet) -> Iterator[str]:
    yield from _comment(criteria.name)
    yield from _comment(criteria.summary)
    yield from _comment(f"Role: {criteria.role}. Confidence: {criteria.confidence}. Review: {criteria.review_state}.")
    yield from _comment(
        f"Effective {criteria.effective} ({criteria.effective_precision}), reviewed on {criteria.reviewed_on}."
    )
    yield from _comment(f"Source: {_places(criteria.cite)}")
    yield from _comment("Give every parameter; null is unknown. Row is the row that decided, Status what it says.")


def _parameters(criteria: CriteriaSet, fields: Mapping[str, Field]) -> Iterator[str]:
    nodes = conditions(criteria)
    asked_if_reported = {leaf.field for node in nodes for leaf in walk(node) if isinstance(leaf, IsNull)}
    for name in dict.fromkeys(name for node in nodes for name in fields_read(node)):
        field = fields[name]
        unit = f" Unit: {field.unit}." if field.unit else ""
        yield from _comment(f"{field.meaning}.{unit}")
        yield from (f"parameter {_name(part)} {kind}" for part, kind in _typed(field))
        if name in asked_if_reported:
            yield from _comment(f"True where {name} was stated but cannot be used; it is null itself then.")
            yield f"parameter {_name(_unusable(name))} Boolean"
        yield ""


def _typed(field: Field) -> list[tuple[str, str]]:
    if field.type == "ratio":
        return [(_numerator(field.name), "Decimal"), (_denominator(field.name), "Decimal")]
    return [(field.name, CQL_TYPES.get(field.type, "String"))]


def _row(row: Row, confidence: str) -> Iterator[str]:
    yield from _comment(f"{row.then}: {row.says}")
    yield from _comment(f"Source: {_places(row.cite)} ({confidence})")
    yield f"define {_name(define_name(row))}:"


def _answers(criteria: CriteriaSet) -> Iterator[str]:
    outside = f"when {_name(APPLIES)} is false then"
    in_dispute = f"when {_name(APPLIES)} is null then"
    rows = [(_name(define_name(row)), row) for row in criteria.rows]
    yield from _comment("The first row that holds decides.")
    yield f"define {_name('Row')}:\n  case\n    {outside} null\n    {in_dispute} null"
    yield from (f"    when {name} then {_string(row.id)}" for name, row in rows)
    yield "    else null\n  end\n"
    yield from _comment("Where no row holds, an unknown fact that leaves one open makes the case indeterminate.")
    yield f"define {_name('Status')}:\n  case\n    {outside} 'not_covered'\n    {in_dispute} 'indeterminate'"
    yield from (f"    when {name} then {_string(row.then)}" for name, row in rows)
    yield from (f"    when {name} is null then 'indeterminate'" for name, _ in rows)
    yield "    else 'not_covered'\n  end"


class _Writer:
    """Writes conditions as CQL expressions, bracketed throughout."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def block(self, node: Node) -> str:
        """Return a condition indented, the parts of its topmost level below each other."""
        if not isinstance(node, (And, Or)):
            return f"  {self.condition(node)}"
        word = "and" if isinstance(node, And) else "or"
        return "  " + f"\n    {word} ".join(self.condition(arg) for arg in node.args)

    def condition(self, node: Node) -> str:
        """Return a condition on one line."""
        match node:
            case And(args):
                return "(" + " and ".join(self.condition(arg) for arg in args) + ")"
            case Or(args):
                return "(" + " or ".join(self.condition(arg) for arg in args) + ")"
            case Not(arg):
                return f"(not {self.condition(arg)})"
            case IsNull(field):
                first = _typed(self.fields[field])[0][0]
                return f"({_name(first)} is null and not ({_name(_unusable(field))} is true))"
            case IsTrue(field):
                return _name(field)
            case OneOf(field, values):
                return "(" + " or ".join(f"{_name(field)} = {_string(value)}" for value in values) + ")"
            case Compare(field, op, value):
                return self._compare(self.fields[field], op, value)
            case CompareRatio(numerator, denominator, op, value):
                compared = _difference(numerator, denominator, op, value)
                return f"(if {_name(denominator)} > 0 then {compared} else null)"

    def _compare(self, field: Field, op: str, value: Decimal) -> str:
        if field.type == "ratio":
            return _difference(_numerator(field.name), _denominator(field.name), op, value)
        is_whole = field.type == "integer" and value == value.to_integral_value()
        return f"({_name(field.name)} {_operator(op)} {int(value) if is_whole else _decimal(value)})"


def _difference(numerator: str, denominator: str, op: str, value: Decimal) -> str:
    difference = f"{_name(numerator)} - {_decimal(value)} * {_name(denominator)}"
    return f"(Round({difference}, {CQL_DECIMALS}) {_operator(op)} 0.0)"


def _operator(op: str) -> str:
    return "!=" if op == "<>" else op


def _decimal(value: Decimal) -> str:
    text = f"{value:f}"
    whole, _, decimals = text.partition(".")
    if len(decimals) > CQL_DECIMALS:
        raise UsageError(f"{text} has more than the {CQL_DECIMALS} decimals that CQL can hold", fix="Export as JSON.")
    return f"{whole}.{decimals or 0}"


def _name(text: str) -> str:
    return '"' + _escaped(text, '"') + '"'


def _string(text: str) -> str:
    return "'" + _escaped(text, "'") + "'"


def _escaped(text: str, mark: str) -> str:
    return text.replace("\\", "\\\\").replace(mark, "\\" + mark)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="// ", subsequent_indent="// ")


def _places(cite: tuple[Citation, ...]) -> str:
    return "; ".join(f"{citation.ref}, {citation.place}" for citation in cite)


def _numerator(name: str) -> str:
    return f"{name}_numerator"


def _denominator(name: str) -> str:
    return f"{name}_denominator"


def _unusable(name: str) -> str:
    return f"{name}_unusable"
