"""A condition's text into nodes: a small SQL subset, parsed by sqlglot, anything else refused by name.

Accepted: and, or, not, ``= <> < <= > >=``, in, between, is [not] null, field names, literals, a quotient of two
fields against a number, and names from the set's own ``define`` list.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.nodes import And, Compare, CompareRatio, IsNull, IsTrue, Node, Not, OneOf, Or

OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
ALLOWED = "and, or, not, = <> < <= > >=, in, between, is [not] null, field names, numbers, 'codes', true, false"


class ConditionError(ValueError):
    """A condition that is not in the language; the message says which part and what is allowed."""


def parse_condition(text: str, fields: Mapping[str, Field], defined: Mapping[str, Node] | None = None) -> Node:
    """Parse one condition.

    Args:
        text: the condition as written in a criteria file.
        fields: every field that may be named.
        defined: named conditions of the same set, already parsed.

    Raises:
        ConditionError: not parseable, a part outside the language, an unknown field, or a literal that
            does not fit its field.
    """
    try:
        return _Builder(fields, defined or {}).build(parse_one(text, dialect="duckdb"))
    except SqlglotError as error:
        raise ConditionError(f"cannot be parsed: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ConditionError("is nested too deeply or too long; split it into named conditions") from None


class _Builder:
    def __init__(self, fields: Mapping[str, Field], defined: Mapping[str, Node]) -> None:
        self.fields, self.defined = fields, defined

    def build(self, tree: exp.Expr) -> Node:
        match tree:
            case exp.Paren():
                return self.build(tree.this)
            case exp.And() | exp.Or():
                return _flatten(type(tree), self.build(tree.this), self.build(tree.expression))
            case exp.Not():
                return negate(self.build(tree.this))
            case exp.Is():
                return self._is(tree)
            case exp.In():
                return self._in(tree)
            case exp.Between():
                return self._between(tree)
            case exp.Column():
                return self._name(tree)
        for kind, op in OPERATORS.items():
            if type(tree) is kind:
                return self._compare(tree.this, op, tree.expression)
        raise ConditionError(f"'{tree.sql()}' is not allowed; allowed are {ALLOWED}")

    def _name(self, tree: exp.Column) -> Node:
        if not tree.table and tree.name in self.defined:
            return self.defined[tree.name]
        field = self._field(tree)
        if field.type != "boolean":
            raise ConditionError(f"'{field.name}' is not a yes/no field and cannot stand alone")
        return IsTrue(field.name)

    def _field(self, tree: exp.Expr) -> Field:
        if not isinstance(tree, exp.Column) or tree.table:
            raise ConditionError(f"'{tree.sql()}' stands where a field name is expected; allowed are {ALLOWED}")
        field = self.fields.get(tree.name)
        if field is None:
            raise ConditionError(f"'{tree.name}' is not a field (see `her2crc criteria fields`)")
        return field

    def _is(self, tree: exp.Is) -> Node:
        if not isinstance(tree.expression, exp.Null):
            raise ConditionError(f"'{tree.sql()}' is not allowed: 'is' goes with null only; write = true or = false")
        return IsNull(self._field(tree.this).name)

    def _in(self, tree: exp.In) -> Node:
        field = self._field(tree.this)
        if tree.args.get("query") is not None or not tree.expressions:
            raise ConditionError("'in' takes a list of literals")
        if field.type == "code":
            return OneOf(field.name, tuple(self._code(field, item) for item in tree.expressions))
        return Or(tuple(self._compare(tree.this, "=", item) for item in tree.expressions))

    def _between(self, tree: exp.Between) -> Node:
        low = self._compare(tree.this, ">=", tree.args["low"])
        return And((low, self._compare(tree.this, "<=", tree.args["high"])))

    def _compare(self, left: exp.Expr, op: str, right: exp.Expr) -> Node:
        if isinstance(left, (exp.Literal, exp.Neg, exp.Boolean)):
            left, op, right = right, MIRRORED[op], left
        if isinstance(left, exp.Div):
            return self._compare_quotient(left, op, right)
        field = self._field(left)
        if field.type in NUMERIC:
            return Compare(field.name, op, self._number(field.name, right))
        if op not in ("=", "<>"):
            raise ConditionError(f"'{field.name}' has no order; compare it with = or <>")
        node: Node
        if field.type == "boolean":
            node = IsTrue(field.name) if self._boolean(field, right) else Not(IsTrue(field.name))
        else:
            node = OneOf(field.name, (self._code(field, right),))
        return node if op == "=" else negate(node)

    def _compare_quotient(self, left: exp.Div, op: str, right: exp.Expr) -> Node:
        numerator, denominator = self._field(left.left), self._field(left.right)
        for field in (numerator, denominator):
            if field.type not in ("integer", "decimal"):
                raise ConditionError(f"'{field.name}' is not a count and cannot stand in a quotient")
        name = f"{numerator.name} / {denominator.name}"
        return CompareRatio(numerator.name, denominator.name, op, self._number(name, right))

    def _number(self, name: str, tree: exp.Expr) -> Decimal:
        negative = isinstance(tree, exp.Neg)
        literal = tree.this if negative else tree
        if not isinstance(literal, exp.Literal) or literal.is_string:
            raise ConditionError(f"'{name}' is a number and cannot be compared with {tree.sql()}")
        number = Decimal(literal.name)
        return -number if negative else number

    def _boolean(self, field: Field, tree: exp.Expr) -> bool:
        if not isinstance(tree, exp.Boolean):
            raise ConditionError(f"'{field.name}' is yes/no; compare it with true or false, not {tree.sql()}")
        return bool(tree.this)

    def _code(self, field: Field, tree: exp.Expr) -> str:
        if not isinstance(tree, exp.Literal) or not tree.is_string:
            raise ConditionError(f"'{field.name}' is a code; write it in quotes, not {tree.sql()}")
        if field.values and tree.name not in field.values:
            raise ConditionError(f"'{field.name}' cannot be '{tree.name}'; allowed are {', '.join(field.values)}")
        return str(tree.name)


def negate(node: Node) -> Node:
    """Return the opposite of ``node``, without stacking two nots."""
    return node.arg if isinstance(node, Not) else Not(node)


def _flatten(kind: type[exp.Expr], left: Node, right: Node) -> Node:
    target: type[And] | type[Or] = And if kind is exp.And else Or
    parts = [*(left.args if isinstance(left, target) else (left,))]
    parts += right.args if isinstance(right, target) else (right,)
    return target(tuple(parts))
