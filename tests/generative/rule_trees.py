"""Hypothesis strategies: random conditions of every kind, random rule sets, and random facts about them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import And, Compare, CompareRatio, IsNull, IsTrue, Node, Not, OneOf, Or
from her2crc.criteria.sets import STATUSES, CriteriaSet, Row
from her2crc.model.citation import Citation
from her2crc.model.quantity import UNSETTLED, Ratio, Value

CODES = ("low", "high", "dog's", "o''clock", 'say "so"')
CLOSED = ("left", "right")
FIELDS = {
    field.name: field
    for field in (
        Field("score", "specimen", "g", "integer", "Score", minimum=Decimal(0), maximum=Decimal(3)),
        Field("signals", "specimen", "g", "integer", "Signals", minimum=Decimal(0)),
        Field("copies", "specimen", "g", "decimal", "Copies", unit="copies"),
        Field("percent", "specimen", "g", "decimal", "Percent", unit="%"),
        Field("quotient", "specimen", "g", "ratio", "Quotient"),
        Field("grade", "specimen", "g", "text", "Grade"),
        Field("side", "specimen", "g", "code", "Side", values=dict.fromkeys(CLOSED, ())),
        Field("done", "specimen", "g", "boolean", "Done"),
    )
}
COUNTS = ("score", "signals", "copies", "percent")
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")

numbers = st.sampled_from(tuple(map(Decimal, ("0", "1", "2", "2.0", "2.2", "2.5", "3", "50", "0.07", "6.6"))))
compares = st.builds(Compare, st.sampled_from((*COUNTS, "quotient")), st.sampled_from(OPERATORS), numbers)
quotients = st.builds(
    CompareRatio, st.sampled_from(COUNTS), st.sampled_from(COUNTS), st.sampled_from(OPERATORS), numbers
)
grades = st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True).map(tuple)
sides = st.lists(st.sampled_from(CLOSED), min_size=1, max_size=2, unique=True).map(tuple)
codes = st.builds(OneOf, st.just("grade"), grades) | st.builds(OneOf, st.just("side"), sides)
leaves = compares | quotients | codes | st.just(IsTrue("done")) | st.builds(IsNull, st.sampled_from(tuple(FIELDS)))


def _joined(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(below, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, below)


trees: st.SearchStrategy[Node] = st.recursive(leaves, _joined, max_leaves=8)

whole = st.integers(min_value=0, max_value=7)
decimals = numbers | st.decimals(min_value=0, max_value=100, places=2)
denominators = st.sampled_from(tuple(map(Decimal, ("1", "3.0", "0.7", "41"))))
ratios = st.builds(lambda value, below: Ratio(value * below, below), decimals, denominators)
KNOWN: dict[str, st.SearchStrategy[Value]] = {
    "score": st.integers(min_value=0, max_value=3),
    "signals": whole,
    "copies": decimals,
    "percent": decimals,
    "quotient": ratios | decimals,
    "grade": st.sampled_from((*CODES, "other")),
    "side": st.sampled_from(CLOSED),
    "done": st.booleans(),
}
facts = st.fixed_dictionaries({name: st.none() | st.just(UNSETTLED) | known | known for name, known in KNOWN.items()})


ALWAYS: Node = Or((IsNull("score"), Not(IsNull("score"))))


def made_up_set(applies: Node, rows: list[tuple[Node, str]]) -> CriteriaSet:
    cite = (Citation("r", "p"),)
    return CriteriaSet(
        id="made_up",
        name="Made up",
        role="rule",
        tumour="colorectal",
        judges="tissue",
        method="any",
        confidence="primary",
        effective=date(2020, 1, 1),
        effective_precision="day",
        reviewed_on=date(2020, 1, 2),
        review_state="submitted",
        summary="Made up.",
        cite=cite,
        applies=applies,
        rows=tuple(Row(f"row_{at}", when, "", then, "Says so.", cite) for at, (when, then) in enumerate(rows)),
    )


rule_sets = st.builds(made_up_set, trees, st.lists(st.tuples(trees, st.sampled_from(STATUSES)), max_size=4))
