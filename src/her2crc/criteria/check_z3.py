"""Proof that a criteria set has no overlap, no undeclared silence, no dead row and no reversal, for every patient.

The deep half of ``criteria check``. A field becomes three Z3 variables: its value, whether it is known and whether
it is absent; neither known nor absent is "stated but unusable" (:data:`her2crc.model.quantity.UNSETTLED`). A
condition becomes two formulas, "is true" and "is false", as in :mod:`her2crc.criteria.closure`, so that unknown
falls out. What Z3 finds is read back as a patient.

A derived fact is a quotient whose formula is not known here: it is unknown where a base fact is not known, may be
where a base fact is zero, and is otherwise free. That admits more cases than there are, so a proof holds a
fortiori. Only its growth with its first base fact is assumed (as in :mod:`her2crc.criteria.cases`).
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.finding import (
    NOT_MONOTONE,
    OVERLAP,
    REVERSAL,
    SILENCE,
    UNREACHABLE,
    Finding,
    case_fields,
    conditions,
    with_example,
)
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
    walk,
)
from her2crc.criteria.run import COMPARE, Facts
from her2crc.criteria.sets import CriteriaSet
from her2crc.errors import MissingExtraError
from her2crc.model.quantity import UNSETTLED, Ratio, Value
from her2crc.model.verdict import DECIDED

UNNAMED = "another value"
"""A code of an open list that no condition names."""

OPPOSITE_STATUS = dict(zip(DECIDED, reversed(DECIDED), strict=True))


def prove_set(criteria: CriteriaSet, fields: Mapping[str, Field]) -> list[Finding]:
    """Return every fault that some patient can show; an empty list is a proof that there is none.

    Args:
        criteria: the set.
        fields: every field by name; their ranges and codes limit the patients that are considered.

    Raises:
        MissingExtraError: Z3 is not installed.
    """
    if not criteria.rows:
        return []
    proof = _Proof(_import_z3(), criteria, fields)
    return [
        *proof.overlaps(),
        *proof.silences(),
        *proof.dead_rows(),
        *proof.not_monotone(),
        *proof.reversals(),
    ]


def _import_z3() -> Any:
    try:
        import z3
    except ImportError:
        raise MissingExtraError(
            "proving criteria sets needs the Z3 solver, which is not installed",
            fix="Run: pip install 'her2crc[check]'.",
        ) from None
    return z3


class _Proof:
    """The questions put to the solver about one set, each answered with an example patient or not at all."""

    def __init__(self, z3: Any, criteria: CriteriaSet, fields: Mapping[str, Field]) -> None:
        self.z3, self.criteria, self.fields = z3, criteria, fields
        self.case = _Case(z3, criteria, fields)

    def overlaps(self) -> Iterator[Finding]:
        """Two rows that say different things and can both hold."""
        rows, case = self.criteria.rows, self.case
        for at, first in enumerate(rows):
            for second in rows[at + 1 :]:
                if first.then != second.then:
                    text = OVERLAP.format(first=first, second=second)
                    yield from self._ask("overlap", text, case.holds(first.when), case.holds(second.when))

    def silences(self) -> Iterator[Finding]:
        """A case in which every row is known not to hold, and which no silent row declares."""
        none_holds = [self.case.fails(row.when) for row in self.criteria.rows]
        yield from self._ask("silence", SILENCE, *none_holds)

    def dead_rows(self) -> Iterator[Finding]:
        """A row that never decides."""
        for at, row in enumerate(self.criteria.rows):
            if self._solve(self.case.decided_by(at)) is None:
                yield Finding(self.criteria.id, "unreachable", UNREACHABLE.format(row=row))

    def not_monotone(self) -> Iterator[Finding]:
        """A field of which more turns positive into negative although the set says that it does not."""
        for name in self.criteria.monotone:
            more = self._with_more(name)
            turned = (self.case.is_("positive"), more.is_("negative"), *more.domain)
            grown = self._grown(name, more)
            yield from self._ask("monotone", NOT_MONOTONE.format(name=name), *turned, *grown, after=more)

    def reversals(self) -> Iterator[Finding]:
        """One more result that turns positive into negative or back.

        A row that waits for a fact (``is null``) may give way once that very fact is there.
        """
        later = _Case(self.z3, self.criteria, self.fields, suffix="'")
        added = [*later.domain, *later.adds_to(self.case)]
        for at, row in enumerate(self.criteria.rows):
            opposite = OPPOSITE_STATUS.get(row.then)
            if opposite:
                turned = (self.case.decided_by(at), later.applies, later.is_(opposite))
                waits = [self.z3.Implies(self.case.null[name], later.null[name]) for name in _waits_for(row.when)]
                text = REVERSAL.format(row=row, opposite=opposite)
                yield from self._ask("reversal", text, *turned, *added, *waits, after=later)

    def _with_more(self, name: str) -> _Case:
        derived = {other for other in self.case.names if name in self.fields[other].derived_from}
        return _Case(self.z3, self.criteria, self.fields, suffix="+", like=self.case, free={name, *derived})

    def _grown(self, name: str, more: _Case) -> Iterator[Any]:
        yield self.z3.And(self.case.known[name], more.known[name], more.value[name] > self.case.value[name])
        for other in self.case.names:
            if self.fields[other].derived_from[:1] == (name,):
                yield more.known[other] == self.case.known[other]
                yield more.value[other] >= self.case.value[other]

    def _ask(self, kind: str, text: str, *clauses: Any, after: _Case | None = None) -> Iterator[Finding]:
        wishes = [*(after.unchanged_from(self.case) if after else ()), *self.case.plain()]
        model = self._solve(*clauses, wishes=wishes)
        if model is not None:
            then = after.read(model) if after else None
            yield with_example(self.criteria, kind, text, self.case.read(model), self.fields, then)

    def _solve(self, *clauses: Any, wishes: Iterable[Any] = ()) -> Any:
        """Return a solution with as many of the wishes as can be had one after the other, or None."""
        solver = self.z3.Solver()
        solver.add(*self.case.domain, self.case.applies, *clauses)
        if solver.check() != self.z3.sat:
            return None
        for wish in wishes:
            solver.push()
            solver.add(wish)
            if solver.check() != self.z3.sat:
                solver.pop()
        solver.check()
        return solver.model()


class _Case:
    """One patient in variables: per field ``value``, ``known`` and ``null``; ``domain`` says what values there are.

    With ``like``, all fields but the ``free`` ones are those of another case.
    """

    def __init__(
        self,
        z3: Any,
        criteria: CriteriaSet,
        fields: Mapping[str, Field],
        suffix: str = "",
        like: _Case | None = None,
        free: Collection[str] = (),
    ) -> None:
        self.z3, self.criteria, self.fields = z3, criteria, fields
        self.names = case_fields(criteria, fields)
        self.codes = {name: _codes(fields[name], criteria) for name in self.names}
        self.value: dict[str, Any] = dict(like.value) if like else {}
        self.known: dict[str, Any] = dict(like.known) if like else {}
        self.null: dict[str, Any] = dict(like.null) if like else {}
        for name in free or self.names:
            self.value[name] = self._variable(fields[name], name + suffix)
            self.known[name] = z3.Bool(f"{name}{suffix} known")
            self.null[name] = z3.Bool(f"{name}{suffix} null")
        self.domain = [clause for name in self.names for clause in self._limits(name)]
        self.applies = z3.Not(self.fails(criteria.applies))

    def holds(self, node: Node) -> Any:
        """Return the formula "the condition is true"."""
        return self._guard(node, True)

    def fails(self, node: Node) -> Any:
        """Return the formula "the condition is false"."""
        return self._guard(node, False)

    def decided_by(self, at: int) -> Any:
        """Return the formula "this row decides": it holds, and none before it does."""
        rows = self.criteria.rows
        before = [self.z3.Not(self.holds(row.when)) for row in rows[:at]]
        return self.z3.And(*before, self.holds(rows[at].when))

    def is_(self, status: str) -> Any:
        """Return the formula "the set calls the case this"."""
        rows = self.criteria.rows
        return self.z3.Or([self.decided_by(at) for at, row in enumerate(rows) if row.then == status])

    def adds_to(self, earlier: _Case) -> Iterator[Any]:
        """Yield what makes this case the earlier one with facts added: known stays as it is, stated stays stated."""
        for name in self.names:
            same = self.z3.And(self.known[name], self.value[name] == earlier.value[name])
            yield self.z3.Implies(earlier.known[name], same)
            if not self.fields[name].derived_from:
                yield self.z3.Implies(self.null[name], earlier.null[name])

    def unchanged_from(self, earlier: _Case) -> Iterator[Any]:
        """Yield, field by field, the wish that this case is as the earlier one: an example changes little."""
        for name in self.names:
            yield self.z3.And(self.null[name] == earlier.null[name], self.known[name] == earlier.known[name])

    def plain(self) -> Iterator[Any]:
        """Yield, field by field, the wish that nothing is reported, or else something usable: an example is short."""
        for name in self.names:
            yield self.null[name]
            yield self.z3.Or(self.null[name], self.known[name])

    def read(self, model: Any) -> Facts:
        """Return the facts of this case in a solution."""
        return {name: self._fact(model, name) for name in self.names}

    def _guard(self, node: Node, wanted: bool) -> Any:
        match node:
            case And(args) | Or(args):
                join = self.z3.And if isinstance(node, And) is wanted else self.z3.Or
                return join([self._guard(arg, wanted) for arg in args])
            case Not(arg):
                return self._guard(arg, not wanted)
            case IsNull(field):
                return self.null[field] if wanted else self.z3.Not(self.null[field])
            case CompareRatio(numerator, denominator, op, value):
                below = self.value[denominator]
                crossed = COMPARE[op](self.value[numerator], self._real(value) * below)
                return self._known((numerator, denominator), self.z3.And(below > 0, self._as(wanted, crossed)))
            case Compare(field, op, value):
                return self._known((field,), self._as(wanted, COMPARE[op](self.value[field], self._real(value))))
            case OneOf(field, values):
                named = self.z3.Or([self.value[field] == self.codes[field].index(value) for value in values])
                return self._known((field,), self._as(wanted, named))
            case IsTrue(field):
                return self._known((field,), self._as(wanted, self.value[field]))

    def _known(self, names: tuple[str, ...], formula: Any) -> Any:
        return self.z3.And(*[self.known[name] for name in names], formula)

    def _as(self, wanted: bool, formula: Any) -> Any:
        return formula if wanted else self.z3.Not(formula)

    def _real(self, value: Decimal) -> Any:
        return self.z3.RealVal(str(value))

    def _variable(self, field: Field, name: str) -> Any:
        if field.type == "boolean":
            return self.z3.Bool(name)
        return self.z3.Real(name) if field.type in ("decimal", "ratio") else self.z3.Int(name)

    def _limits(self, name: str) -> Iterator[Any]:
        field, value = self.fields[name], self.value[name]
        yield self.z3.Not(self.z3.And(self.known[name], self.null[name]))
        if self.codes[name]:
            yield self.z3.And(value >= 0, value < len(self.codes[name]))
        ends = ((operator.ge, field.minimum), (operator.le, field.maximum))
        yield from (compare(value, self._real(end)) for compare, end in ends if end is not None)
        if field.derived_from:
            yield from self._limits_of_derived(name, field.derived_from)

    def _limits_of_derived(self, name: str, bases: tuple[str, ...]) -> Iterator[Any]:
        all_known = self.z3.And([self.known[base] for base in bases])
        some_zero = self.z3.Or([self.value[base] == 0 for base in bases])
        yield self.null[name] == self.z3.Not(self.known[name])
        yield self.z3.Implies(self.known[name], all_known)
        yield self.z3.Implies(self.z3.And(all_known, self.z3.Not(some_zero)), self.known[name])

    def _fact(self, model: Any, name: str) -> Value | None:
        def solved(variable: Any) -> Any:
            return model.eval(variable, model_completion=True)

        if self.z3.is_true(solved(self.null[name])):
            return None
        if not self.z3.is_true(solved(self.known[name])):
            return UNSETTLED
        value, field = solved(self.value[name]), self.fields[name]
        if field.type == "boolean":
            return bool(self.z3.is_true(value))
        number = Fraction(str(value))
        return _numeric(number, field) if field.type in NUMERIC else self.codes[name][int(number)]


def _numeric(number: Fraction, field: Field) -> Value:
    if field.type == "integer":
        return int(number)
    above, below = Decimal(number.numerator), Decimal(number.denominator)
    return Ratio(above, below) if field.type == "ratio" else above / below


def _codes(field: Field, criteria: CriteriaSet) -> tuple[str, ...]:
    """Return the codes worth telling apart: those that conditions name, and one that none names, if there is one."""
    if field.type in (*NUMERIC, "boolean"):
        return ()
    leaves = [leaf for node in conditions(criteria) for leaf in walk(node) if isinstance(leaf, OneOf)]
    named = dict.fromkeys(value for leaf in leaves if leaf.field == field.name for value in leaf.values)
    others = [code for code in field.values or (UNNAMED,) if code not in named]
    return (*named, *others[:1])


def _waits_for(node: Node) -> list[str]:
    return [part.field for part in walk(node) if isinstance(part, IsNull)]
