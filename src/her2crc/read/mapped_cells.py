"""One cell of a laboratory's own table, as its mapping declares it: translated, taken apart, converted, dated.

A cell that does not fit the declared form is unusable, with the reason; nothing is ever guessed from it. Also puts
the genes of one marker together, where each has a column of its own. Used by :mod:`her2crc.read.mapping`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from her2crc.model.quantity import parse_decimal
from her2crc.read.columns import canonical, given_fields
from her2crc.read.dates import Order, iso_day
from her2crc.read.patterns import matched
from her2crc.read.rows import Unusable, as_written

PERCENT = Decimal(100)
PERCENT_SIGN = "%"
MUTANT, WILD_TYPE = "mutant", "wild_type"
UNREADABLE = "it does not have the form that the mapping declares"
NOT_A_NUMBER = "it is not a number of the unit that the mapping declares"
NOT_A_DAY = "it is not a day in the order that the mapping declares"
NOT_A_STATE = "it is neither mutant nor wild_type"


class ColumnMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column: the ``field`` it fills, or a ``capture`` pattern whose named groups are the fields.

    ``values`` translates whole cells (case and spacing aside) before anything else; ``unit`` says what the column
    holds where the field is a percentage or a fraction; ``date`` in which order days are written; ``gene`` that it is
    of one gene of a marker of several (KRAS of ras), whose columns are put together.
    """

    column: str
    field: str = ""
    gene: str = ""
    capture: str = ""
    values: dict[str, str] = {}
    unit: Literal["percent", "fraction", ""] = ""
    date: Order = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the column fills."""
        return (self.field,) if self.field else tuple(re.compile(self.capture).groupindex)


def fold(written: object) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(str(written).casefold().split())


def unit_of(name: str) -> str:
    """Return whether a field is a percentage, a fraction, or neither (empty)."""
    field = given_fields().get(name)
    if field is None:
        return ""
    return "percent" if field.unit == PERCENT_SIGN else "fraction" if field.maximum == 1 else ""


def genes_of(name: str) -> tuple[str, ...]:
    """Return the genes of a marker that has several; empty for any other field."""
    from her2crc.read.fhir_codes import codebook  # not needed by most mappings

    genes = next((marker.genes for marker in codebook().file.markers if marker.field == name), ())
    return tuple(genes) if len(genes) > 1 else ()


def read_cell(column: ColumnMap, cell: object) -> list[object]:
    """Return the values of one cell, in the order of the column's fields."""
    written = as_written(cell)
    if written is None or isinstance(written, Unusable):
        return [written] * len(column.fields)
    translated = next((value for key, value in column.values.items() if fold(key) == fold(written)), None)
    text = str(written) if translated is None else translated
    if column.capture:
        parts = matched(column.capture, text)
        return [parts[name] if parts else Unusable(UNREADABLE) for name in column.fields]
    if column.unit:
        return [_converted(text, column)]
    if column.date:
        return [iso_day(text, column.date) or Unusable(NOT_A_DAY)]
    if column.gene:
        return [_state(text, column.field) or Unusable(NOT_A_STATE)]
    return [written if translated is None else translated]


def _state(text: str, field: str) -> str | None:
    """Return the code of a field that a text is, or is another spelling of."""
    codes = given_fields()[field].values
    return next((code for code, said in codes.items() if fold(text) in (code, *said) or canonical(text) == code), None)


def of_genes(field: str, states: Mapping[str, object]) -> object:
    """Return what the states of single genes say of their marker.

    One mutant gene makes the marker mutant; it is wild type only where every one of its genes is.
    """
    if MUTANT in states.values():
        return MUTANT
    unusable = next((state for state in states.values() if isinstance(state, Unusable)), None)
    return unusable or (WILD_TYPE if all(states.get(gene) == WILD_TYPE for gene in genes_of(field)) else None)


def _converted(text: str, column: ColumnMap) -> object:
    """Return a percentage as a fraction or the reverse; a number of the field's own unit as it is."""
    bare = text.removesuffix(PERCENT_SIGN).strip() if column.unit == "percent" else text
    try:
        number = parse_decimal(bare)
    except ValueError:
        return Unusable(NOT_A_NUMBER)
    wanted = unit_of(column.field)
    if wanted == column.unit:
        return number
    return number / PERCENT if wanted == "fraction" else number * PERCENT
