"""The compiled kernel of a cohort: doubles to whole units, facts to their places, and which signatures were seen.

Each function is one pass over columns, compiled by numba for :mod:`her2crc.cohort`; compiled code is kept on disk.
What a signature means is decided elsewhere, once; here it is only made and found again, millions of times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int64]
EMPTY = -1
"""Marks a free place; signatures and their indexes are 0 or more."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: multiplying by it spreads neighbouring numbers over the table."""
FIRST_SIZE = 1 << 12
FULL = 2
"""A table has at least this many places for each key."""


@njit(cache=True)
def _find(keys: Any, table_keys: Any, table_values: Any, shift: Any, found: Any) -> int:
    """Fill ``found`` with the value of each key, ``EMPTY`` where it is not there; return how many are not."""
    mask = len(table_keys) - 1
    missing = 0
    for at in range(len(keys)):
        place = np.int64((np.uint64(keys[at]) * SPREAD) >> shift)
        while table_keys[place] != keys[at] and table_keys[place] != EMPTY:
            place = (place + 1) & mask
        if table_keys[place] == EMPTY:
            found[at] = EMPTY
            missing += 1
        else:
            found[at] = table_values[place]
    return missing


@njit(cache=True)
def add_numbers(packed: Any, values: Any, known: Any, limits: Any, first: int, step: int) -> None:
    """Add to each signature the place of a number among limits: ``first`` below all, two more beyond each."""
    for at in range(len(packed)):
        if known[at]:
            place = first
            for limit in limits:
                place += (values[at] > limit) + (values[at] >= limit)
            packed[at] += place * step


@njit(cache=True)
def add_codes(packed: Any, values: Any, known: Any, last: int, first: int, step: int) -> None:
    """Add to each signature the place of a code; codes from ``last`` on share one."""
    for at in range(len(packed)):
        if known[at]:
            packed[at] += (first + min(values[at], last)) * step


@njit(cache=True)
def place_per_tumour_cell(
    copies: Any,
    fraction: Any,
    known: Any,
    limits: Any,
    diploid: int,
    million: int,
    first: int,
    places: Any,
    unsure: Any,
) -> None:
    """Place copies per tumour cell: the excess over t is (copies - 2) - (t - 2) fraction, in millionths squared.

    A value with further digits lies between two millionths; where they differ in place it is ``unsure``.
    """
    for at in range(len(places)):
        if not known[at]:
            continue
        low = high = first
        more, part = copies[at] // 2 - diploid, fraction[at] // 2
        for limit in limits:
            slope = limit - diploid
            one, two = slope * part, slope * (part + fraction[at] % 2)
            lowest = more * million - max(one, two)
            highest = (more + copies[at] % 2) * million - min(one, two)
            low += (lowest > 0) + (lowest >= 0)
            high += (highest > 0) + (highest >= 0)
        places[at] = low
        unsure[at] = low != high


@njit(cache=True)
def read_doubles(
    numbers: Any, low: float, high: float, million: float, finest: float, sure: float, out: Any, known: Any, odd: Any
) -> Any:
    """Read doubles as whole units: twice the millionths, plus one where there are further digits.

    Returns the places of numbers of which this cannot be said without looking at their digits.
    """
    unsure = []
    for at in range(len(numbers)):
        number = numbers[at]
        if number != number:
            continue
        if not (low <= number <= high):
            odd[at] = True
            continue
        known[at] = True
        scaled = number * million
        nearest = np.rint(scaled)
        if nearest / million == number:
            out[at] = 2 * np.int64(nearest)
            continue
        below = np.floor(scaled)
        out[at] = 2 * np.int64(below) + 1
        if number < finest or scaled - below < sure or below + 1 - scaled < sure:
            unsure.append(at)
    return np.array(unsure, np.int64) if len(unsure) else np.zeros(0, np.int64)


@njit(cache=True)
def add_table(codes: Any, numbers: Any, valid: Any, low: int, table: Any) -> None:
    """Add to each code what the table holds for a whole number; no branch hangs on the data.

    The table's lines are for no value, for all below ``low``, for each from ``low`` on, and for all beyond.
    """
    last = np.int64(len(table) - 1)
    for at in range(len(codes)):
        line: Any = np.int64(numbers[at]) - (low - 2)
        line = min(max(line, 1), last) * np.int64(valid[at])
        codes[at] += table[np.uint64(line)]


@njit(cache=True)
def add_doubles(
    codes: Any,
    values: Any,
    valid: Any,
    limits: Any,
    low: float,
    high: float,
    finest: float,
    million: float,
    whole: bool,
    first: int,
    step: int,
    mark: int,
) -> None:
    """Add to each code the place of a double among the doubles of the limits (a tuple); NaN is no value.

    A code is marked where the double is out of range, not whole where it must be, or below ``finest`` with more
    digits than a millionth has. No branch hangs on the data, so that the compiler can do several rows at once.
    """
    for at in range(len(codes)):
        number = values[at]
        given = (valid[at] != 0) & (number == number)
        fits = (low <= number) & (number <= high) & ((not whole) | (np.floor(number) == number))
        fits &= (number >= finest) | (np.rint(number * million) / million == number)
        place: Any = np.int64(first)
        for limit in limits:
            place += np.int64(number > limit) + np.int64(number >= limit)
        codes[at] += np.int64(given & fits) * (place * step) + np.int64(given & (not fits)) * mark


@njit(cache=True)
def add_tumour_copies(
    codes: Any,
    copies: Any,
    copies_valid: Any,
    fraction: Any,
    fraction_valid: Any,
    limits: Any,
    diploid: int,
    million: int,
    first: int,
    step: int,
    mark: int,
) -> None:
    """Add to each code the place of copies per tumour cell: the sign of (copies - 2) - (t - 2) fraction for each t.

    Doubles decide where the excess is larger than their rounding can be, without a branch; the few others are gone
    through once more. Limits are a tuple.
    """
    near = np.empty(len(codes), np.bool_)
    for at in range(len(codes)):
        number, part = copies[at], fraction[at]
        there = (copies_valid[at] != 0) & (fraction_valid[at] != 0) & (codes[at] < mark)
        there = there & (number == number) & (part > 0)
        close = False
        place: Any = np.int64(first)
        for limit in limits:
            excess = (number - diploid) - (limit - diploid) * part
            close |= not (abs(excess) * million > 1 + abs(number) + abs(limit))
            place += 2 * np.int64(excess > 0)
        near[at] = there & close
        codes[at] += np.int64(there & (not close)) * (place * step)
    for at in range(len(codes)):
        if near[at]:
            place = _place_exactly(copies[at], fraction[at], limits, diploid, million, first, mark)
            codes[at] += mark if place >= mark else place * step


@njit(cache=True)
def _place_exactly(copies: Any, fraction: Any, limits: Any, diploid: int, million: int, first: int, mark: int) -> Any:
    """Return the place by whole millionths; at least ``mark`` where the numbers have further digits."""
    gain, share = np.rint(copies * million), np.rint(fraction * million)
    if gain / million != copies or share / million != fraction:
        return mark
    place: Any = first
    for limit in limits:
        more, slope = np.int64(gain) - diploid * million, np.int64(np.rint(limit * million)) - diploid * million
        rest = more * million - slope * np.int64(share)
        place += (rest > 0) + (rest >= 0)
    return place


@njit(cache=True)
def look_up(codes: Any, table: Any, found: Any) -> int:
    """Fill ``found`` with what the table holds for each code, its last line for all beyond; count ``EMPTY`` ones."""
    missing = 0
    last = len(table) - 1
    for at in range(len(codes)):
        found[at] = table[np.uint64(min(codes[at], last))]
        missing += found[at] == EMPTY
    return missing


@njit(cache=True)
def count_each(which: Any, counts: Any) -> None:
    """Add to ``counts`` how often each number stands in ``which``."""
    for at in range(len(which)):
        counts[which[at]] += 1


@njit(cache=True)
def end_lists(which: Any, lengths: Any, offsets: Any) -> None:
    """Fill ``offsets`` with where the list of each line ends, behind the 0 at which the first starts."""
    total = 0
    for at in range(len(which)):
        total += lengths[which[at]]
        offsets[at + 1] = total


@njit(cache=True)
def fill_lists(which: Any, starts: Any, offsets: Any, items: Any) -> None:
    """Fill ``items`` with the numbers of what each line's list holds; a list's own items have numbers in a row."""
    for at in range(len(which)):
        first = starts[which[at]] - offsets[at]
        for place in range(offsets[at], offsets[at + 1]):
            items[place] = first + place


class Seen:
    """Keys seen so far, each with its number in the order of their coming."""

    def __init__(self) -> None:
        self.count = 0
        self._clear(FIRST_SIZE)

    def _clear(self, size: int) -> None:
        self._keys = np.full(size, EMPTY, np.int64)
        self._values = np.full(size, EMPTY, np.int64)
        self._shift = np.uint64(np.iinfo(np.uint64).bits - (size.bit_length() - 1))

    def find(self, keys: Ints) -> tuple[Ints, int]:
        """Return the number of each key (``EMPTY``: not seen), and how many were not seen."""
        found = np.empty(len(keys), np.int64)
        missing = _find(np.ascontiguousarray(keys), self._keys, self._values, self._shift, found)
        return found, int(missing)

    def add(self, key: int) -> int:
        """Number a key that was not seen yet."""
        if (self.count + 1) * FULL > len(self._keys):
            old = self._keys[self._keys != EMPTY], self._values[self._keys != EMPTY]
            self._clear(len(self._keys) * FULL)
            for one, value in zip(*old, strict=True):
                self._place(int(one), int(value))
        self._place(key, self.count)
        self.count += 1
        return self.count - 1

    def _place(self, key: int, value: int) -> None:
        wrapped = (key * int(SPREAD)) & int(np.iinfo(np.uint64).max)
        place = wrapped >> int(self._shift)
        while self._keys[place] != EMPTY:
            place = (place + 1) & (len(self._keys) - 1)
        self._keys[place], self._values[place] = key, value
