"""The eight kinds of node that a condition can have, and which fields a condition reads.

Nodes are frozen and serialisable: the compiled knowledge is cached as JSON of these structs.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec


class And(msgspec.Struct, frozen=True, tag="and"):
    """All of ``args`` hold."""

    args: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """At least one of ``args`` holds."""

    args: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """``arg`` does not hold."""

    arg: Node


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """A number or a ratio against a literal; ``op`` is one of ``= <> < <= > >=``."""

    field: str
    op: str
    value: Decimal


class CompareRatio(msgspec.Struct, frozen=True, tag="compare_ratio"):
    """A quotient of two fields against a literal, decided by cross-multiplication."""

    numerator: str
    denominator: str
    op: str
    value: Decimal


class OneOf(msgspec.Struct, frozen=True, tag="one_of"):
    """A coded field has one of ``values``."""

    field: str
    values: tuple[str, ...]


class IsTrue(msgspec.Struct, frozen=True, tag="is_true"):
    """A yes/no field is yes."""

    field: str


class IsNull(msgspec.Struct, frozen=True, tag="is_null"):
    """A field is unknown. The only node that is never itself unknown."""

    field: str


Node = And | Or | Not | Compare | CompareRatio | OneOf | IsTrue | IsNull
NODE_KINDS = (And, Or, Not, Compare, CompareRatio, OneOf, IsTrue, IsNull)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below ``node``."""
    if isinstance(node, (And, Or)):
        return node.args
    return (node.arg,) if isinstance(node, Not) else ()


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and every node below it, in reading order."""
    yield node
    for child in children(node):
        yield from walk(child)


def fields_of(node: Node) -> tuple[str, ...]:
    """Return the names of the fields that a leaf reads; none for and, or, not."""
    if isinstance(node, CompareRatio):
        return (node.numerator, node.denominator)
    return () if isinstance(node, (And, Or, Not)) else (node.field,)


def fields_read(node: Node) -> tuple[str, ...]:
    """Return the names of all fields that a condition reads, each once, in reading order."""
    return tuple(dict.fromkeys(name for part in walk(node) for name in fields_of(part)))


def to_text(node: Node) -> str:
    """Write a condition back in the language it was written in (canonical, fully bracketed where needed)."""
    match node:
        case And(args):
            return " and ".join(_bracket(arg, (Or,)) for arg in args)
        case Or(args):
            return " or ".join(_bracket(arg, (And,)) for arg in args)
        case Not(IsNull(field)):
            return f"{field} is not null"
        case Not(OneOf(field, (value,))):
            return f"{field} <> {_quoted(value)}"
        case Not(arg):
            return f"not {_bracket(arg, (And, Or, Compare, CompareRatio, OneOf, IsNull))}"
        case Compare(field, op, value):
            return f"{field} {op} {value}"
        case CompareRatio(numerator, denominator, op, value):
            return f"{numerator} / {denominator} {op} {value}"
        case OneOf(field, (value,)):
            return f"{field} = {_quoted(value)}"
        case OneOf(field, values):
            return f"{field} in ({', '.join(_quoted(value) for value in values)})"
        case IsTrue(field):
            return f"{field} = true"
        case IsNull(field):
            return f"{field} is null"


def _quoted(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _bracket(node: Node, kinds: tuple[type, ...]) -> str:
    text = to_text(node)
    return f"({text})" if isinstance(node, kinds) else text
