"""One written value into one typed value: spellings, units and ranges by the field's own definition.

Unknown stays unknown; a value that cannot be used is refused with the reason, never bent to fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from her2crc.criteria.fields import Field
from her2crc.model.quantity import Value, parse_decimal
from her2crc.model.record import RawValue

SPACES = re.compile(r"[\s_\-]+")
SCORE = re.compile(r"(?:score\s*)?([0-3])\s*\+?|\+\s*([1-3])", re.IGNORECASE)
STAGE = re.compile(r"(?:stage\s*)?(iv|i{1,3})\s*[abc]?\d?", re.IGNORECASE)
STAGES = ("i", "ii", "iii", "iv")
BOUND = re.compile(r"^\s*(?:[<>≤≥~≈]|<=|>=|about\b|up to\b)")
GROUPED_COUNT = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
TRUE_WORDS = frozenset({"true", "yes", "y", "1", "t"})
FALSE_WORDS = frozenset({"false", "no", "n", "0", "f"})
PERCENT = Decimal(100)
MOST_REMEMBERED = 10_000
"""Spellings that are kept; a program that reads for months must not grow."""


class UnusableError(ValueError):
    """A value that cannot be used; ``id`` is that of the issue, the message says why and what is allowed."""

    def __init__(self, id: str, text: str) -> None:
        super().__init__(text)
        self.id = id


def read_value(field: Field, raw: RawValue) -> Value | date | None:
    """Return the typed value of a field, None where nothing was written.

    Raises:
        UnusableError: the value cannot be used.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    match field.type:
        case "integer":
            return _integer(field, raw)
        case "decimal" | "ratio":
            return _in_range(field, _decimal(field, raw))
        case "boolean":
            return _boolean(raw)
        case "code":
            return _code(field, raw)
        case "date":
            return _date(raw)
        case _:
            return _named(field, str(raw)) or str(raw).strip()


class ValueReader:
    """Reads the values of a list of fields, each spelling once: files say the same things over and over."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self._remembered: dict[tuple[str, type, str], Value | date | None] = {}

    def read(self, name: str, raw: RawValue) -> Value | date | None:
        """Return the typed value of a field by name, None for one that cannot be given. Raises as read_value."""
        if raw is None:
            return None
        key = (name, raw.__class__, str(raw))
        if key in self._remembered:
            return self._remembered[key]
        field = self.fields.get(name)
        if field is None or (field.derived_from and field.group != "ish") or field.group == "judged":
            return None
        value = read_value(field, raw)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = value
        return value


_READERS: dict[int, ValueReader] = {}


def reader_of(fields: Mapping[str, Field]) -> ValueReader:
    """Return the reader of this very list of fields."""
    reader = _READERS.get(id(fields))
    if reader is None or reader.fields is not fields:
        _READERS.clear()
        reader = _READERS[id(fields)] = ValueReader(fields)
    return reader


def _integer(field: Field, raw: RawValue) -> int:
    text = _number_text(raw)
    score = SCORE.fullmatch(text) if field.name == "ihc_score" else None
    if score:
        text = score.group(1) or score.group(2)
    stage = STAGE.fullmatch(text) if field.name == "stage" else None
    if stage:
        text = str(STAGES.index(stage.group(1).lower()) + 1)
    if GROUPED_COUNT.fullmatch(text):
        raise UnusableError("value_not_number", "is ambiguous: the point may mark thousands; write the digits alone")
    number = _in_range(field, _plain_decimal(text))
    if number != number.to_integral_value():
        raise UnusableError("value_not_whole", "must be a whole number")
    return int(number)


def _decimal(field: Field, raw: RawValue) -> Decimal:
    text = _number_text(raw)
    if text.endswith("%"):
        number = _plain_decimal(text[:-1])
        if field.unit == "%":
            return number
        if field.maximum == 1:
            return number / PERCENT
        raise UnusableError("value_not_percent", "is not a percentage")
    return _plain_decimal(text)


def _number_text(raw: RawValue) -> str:
    if isinstance(raw, bool):
        raise UnusableError("value_not_number", "must be a number")
    text = str(raw).strip()
    if BOUND.match(text):
        raise UnusableError("value_bound", "is a bound, not a value; a bound decides nothing here")
    return text


def _plain_decimal(text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except ValueError as error:
        raise UnusableError("value_not_number", f"is {error}") from None


def _in_range(field: Field, number: Decimal) -> Decimal:
    low, high = field.minimum, field.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        hint = " (write a fraction, or a percentage with its sign)" if high == 1 else ""
        kind = "value_percent_range" if field.unit == "%" else "value_range"
        raise UnusableError(kind, f"must lie between {low} and {high}{hint}")
    return number


def _boolean(raw: RawValue) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise UnusableError("value_not_boolean", "must be true or false")


def _code(field: Field, raw: RawValue) -> str:
    code = _named(field, str(raw))
    if code is None:
        raise UnusableError("value_not_code", f"must be one of {', '.join(field.values)}")
    return code


def _named(field: Field, text: str) -> str | None:
    """Return the code that a text spells, None where it spells none."""
    written = _folded(text)
    matches = (c for c, spellings in field.values.items() if written in map(_folded, (c, *spellings)))
    return next(matches, None)


def _folded(text: str) -> str:
    return SPACES.sub(" ", text.strip().lower())


def _date(raw: RawValue) -> date:
    text = str(raw).strip()
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else datetime.fromisoformat(text).date()
    except ValueError:
        raise UnusableError("value_not_date", "must be a date written 2026-01-31") from None
