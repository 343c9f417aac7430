"""A column of written values as whole numbers: exactly what ``normalise`` reads in each cell, for all cells at once.

A number stands in units of half a millionth: twice its millionths, plus one where it has further digits. That keeps
its side of every threshold, and no float decides. The digits of a double are those of its shortest decimal form.
What the fast ways below cannot prove to be exact goes, value by value, through the same functions as a single case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from her2crc.cohort.reference import NOT_SINGLE, SEVERAL
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.kernel import read_doubles
from her2crc.model.quantity import Value
from her2crc.normalise.values import UnusableError, read_value
from her2crc.read.rows import Unusable, as_written

Ints = npt.NDArray[Any]
"""Whole numbers, 64 bit."""
Flags = npt.NDArray[Any]
"""Truth values."""

MILLION = 1_000_000
UNIT = 2 * MILLION
"""Whole units in 1."""
LARGEST = 1e9
"""Doubles below this have their millionths among the 15 digits that every double keeps."""
FINEST = 0.1
"""From here on no double has more decimals than ``normalise`` takes."""
SURE = 1e-3
"""Distance from a whole number of millionths beyond which rounding in a product cannot have crossed it."""
MOST_KEPT = 200_000
"""Distinct written values of one field whose reading is remembered."""


class Column(NamedTuple):
    """One field of many specimens: ``values`` count where ``known``; ``odd`` cells were written but cannot be used.

    Of numbers, ``decimals`` are the digits after the point as written (none: as the shortest form of ``doubles`` has
    them), and ``doubles`` the values for showing where they may have more digits than ``values`` hold.
    """

    values: Ints
    known: Flags
    odd: Flags
    decimals: npt.NDArray[np.int8] | None = None
    doubles: npt.NDArray[np.float64] | None = None

    def at(self, which: Ints | Flags) -> Column:
        """Return the column of some of the rows."""
        return Column(*(None if part is None else part[which] for part in self))  # type: ignore[arg-type]


class Read(NamedTuple):
    """One written value as read: a whole number, whether it is known, whether it is unusable, and its decimals."""

    value: int = 0
    known: bool = False
    odd: bool = False
    decimals: int = 0
    double: float = 0.0


def to_units(number: Decimal | int) -> int:
    """Return a number in units: twice its millionths, plus one where it has further digits."""
    millionths = Decimal(number) * MILLION
    whole = millionths.to_integral_value("ROUND_FLOOR")
    return 2 * int(whole) + (millionths != whole)


def nearest_double(number: Decimal | int) -> float:
    """Return the double nearest to a number on the same side of every threshold."""
    double = float(number)
    wrong = to_units(Decimal(repr(double))) != to_units(number)
    return math.nextafter(double, math.inf if Decimal(repr(double)) < number else -math.inf) if wrong else double


class Texts:
    """Free texts as numbers, so that two rows can be compared without repeating what they say."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.number = {text: position for position, text in enumerate(known)}

    def code(self, text: str) -> int:
        """Return the number of a text."""
        return self.number.setdefault(text, len(self.number))

    def all(self) -> list[str]:
        """Return the texts in the order of their numbers."""
        return [*self.number]


class ColumnReader:
    """Reads columns of one field; remembers what each written value came to."""

    def __init__(self, field: Field, texts: Sequence[str] = ()) -> None:
        self.field = field
        self.codes = {code: position for position, code in enumerate(field.values)}
        self.texts = Texts(texts)
        self.read_one = lru_cache(MOST_KEPT)(self._read_one)

    def read(self, array: pa.Array) -> Column:
        """Return the column of an Arrow array of any type that a table may hold."""
        if array.null_count == len(array):
            return absent(len(array))
        fast = self._fast_way(array.type)
        return fast(array) if fast else self._by_distinct(array)

    def _fast_way(self, kind: pa.DataType) -> Callable[[pa.Array], Column] | None:
        number = self.field.type in NUMERIC
        if number and pa.types.is_integer(kind) and kind != pa.uint64():
            return self._integers
        if number and pa.types.is_float64(kind):
            return self._doubles
        if self.field.type == "boolean" and pa.types.is_boolean(kind):
            return self._booleans
        if self.field.type == "date" and pa.types.is_date32(kind):
            return lambda array: _plain(array.cast(pa.int32()))
        return None

    def _booleans(self, array: pa.Array) -> Column:
        return _plain(array.cast(pa.int8()))

    def _integers(self, array: pa.Array) -> Column:
        whole, known, _ = _plain(array.cast(pa.int64()))[:3]
        low, high = value_range(self.field)
        odd = known & ((whole < low) | (whole > high))
        values = np.where(odd, 0, whole) * UNIT
        return Column(values, known & ~odd, odd)

    def _doubles(self, array: pa.Array) -> Column:
        numbers = array.to_numpy(zero_copy_only=False)
        low, high = value_range(self.field)
        values = np.zeros(len(numbers), np.int64)
        known, odd = np.zeros(len(numbers), np.bool_), np.zeros(len(numbers), np.bool_)
        unsure = read_doubles(numbers, low, high, float(MILLION), FINEST, SURE, values, known, odd)
        for at in unsure.tolist():
            one = self.read_one(float(numbers[at]))
            values[at], known[at], odd[at] = one.value, one.known, one.odd
        if self.field.type == "integer":
            broken = known & (values % UNIT != 0)
            return Column(np.where(broken, 0, values), known & ~broken, odd | broken)
        return Column(values, known, odd, None, numbers)

    def _by_distinct(self, array: pa.Array) -> Column:
        """Read each distinct value once, by the functions that read a single case."""
        if pa.types.is_nested(array.type):
            return Column(*absent(len(array))[:2], np.asarray(array.is_valid()))
        if pa.types.is_float32(array.type) or pa.types.is_float16(array.type):
            array = array.cast(pa.string())
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        read = [self.read_one(value) for value in coded.dictionary.to_pylist()]
        if self.field.type not in NUMERIC and all(item.known for item in read):
            return self._all_known(coded, read)
        table = [*read, Read()]
        at = coded.indices.fill_null(len(read)).to_numpy(zero_copy_only=False)
        values = np.fromiter((item.value for item in table), np.int64, len(table))[at]
        known = np.fromiter((item.known for item in table), np.bool_, len(table))[at]
        odd = np.fromiter((item.odd for item in table), np.bool_, len(table))[at]
        if self.field.type not in NUMERIC:
            return Column(values, known, odd)
        decimals = np.fromiter((item.decimals for item in table), np.int8, len(table))[at]
        return Column(
            values, known, odd, decimals, np.fromiter((item.double for item in table), np.float64, len(table))[at]
        )

    def _all_known(self, coded: pa.DictionaryArray, read: Sequence[Read]) -> Column:
        """The usual case of codes: every word is one that is known."""
        table = np.array([*(item.value for item in read), 0], np.int64)
        known = np.asarray(coded.indices.is_valid())
        at = coded.indices.fill_null(len(read)).to_numpy(zero_copy_only=False)
        return Column(table[at], known, np.zeros(len(at), np.bool_))

    def _read_one(self, raw: Any) -> Read:
        written = SEVERAL if raw == NOT_SINGLE else as_written(raw)
        if isinstance(written, Unusable):
            return Read(odd=True)
        try:
            value = read_value(self.field, written)
        except UnusableError:
            return Read(odd=True)
        if value is None:
            return Read()
        decimals = max(0, -int(value.as_tuple().exponent)) if isinstance(value, Decimal) else 0
        double = nearest_double(value) if isinstance(value, int | Decimal) else 0.0
        return Read(self.encode(value), True, False, decimals, double)

    def encode(self, value: Value | date) -> int:
        """Return a typed value as the whole number that stands for it in a column."""
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, date):
            return (value - date(1970, 1, 1)).days
        if isinstance(value, int | Decimal):
            return to_units(value)
        text = str(value)
        return self.codes[text] if self.field.type == "code" else self.texts.code(text)


def value_range(field: Field) -> tuple[float, float]:
    """Return the ends of a field's range, small enough for whole units."""
    low, high = field.minimum, field.maximum
    return max(-LARGEST, float(-LARGEST if low is None else low)), min(
        LARGEST, float(LARGEST if high is None else high)
    )


def absent(length: int) -> Column:
    """Return a column in which nothing was written."""
    nothing = np.zeros(length, np.bool_)
    return Column(np.zeros(length, np.int64), nothing, nothing.copy(), np.zeros(length, np.int8))


def _plain(array: pa.Array) -> Column:
    known = np.asarray(array.is_valid())
    values = pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return Column(values, known, np.zeros(len(values), np.bool_))


def decimals_of(column: Column, at: Ints) -> Ints:
    """Return the decimals of some values as written; a whole double is written with one (``2.0``)."""
    if column.decimals is not None:
        return column.decimals[at].astype(np.int64)
    if column.doubles is None:
        return np.zeros(len(at), np.int64)
    values, decimals = column.values[at], np.ones(len(at), np.int64)
    for digits in range(1, 6):
        decimals[(values % (UNIT // 10**digits)).astype(np.bool_)] = digits + 1
    return decimals
