"""Exact quantities: no float ever decides a verdict.

Signal counts are integers, reported decimals are ``Decimal`` with the digits that the laboratory wrote,
and a ratio is kept as numerator and denominator, so that 6.6 / 3.0 >= 2.2 holds (in floats it does not).
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

MAX_DIGITS = 17
"""Digits of a computed ratio in a spreadsheet; a product with a threshold still stays exact in Decimal (28 digits)."""

THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
"""1,250 can be a count of a thousand or a number just above 1: it is refused rather than guessed."""

DIPLOID = 2
"""Copies of a gene in a normal cell."""


class Ratio(NamedTuple):
    """A quotient kept exact. ``denominator`` is above zero; compare it by cross-multiplication."""

    numerator: Decimal
    denominator: Decimal

    def excess(self, threshold: Decimal) -> Decimal:
        """Return a value with the sign of ``ratio - threshold`` (exactly 0 where they are equal)."""
        return self.numerator - threshold * self.denominator

    def rounded(self, digits: int = 2) -> Decimal:
        """Return the quotient rounded for showing to a person, never for deciding."""
        return round(self.numerator / self.denominator, digits)


class Unsettled:
    """A fact that was stated but cannot be used: values contradict each other, or the value is not one.

    It is unknown in every comparison, yet it is not absent: a test was done, so ``is null`` is false and a rule
    that waits for a test does not call the case equivocal. Its one instance is :data:`UNSETTLED`.
    """

    def __repr__(self) -> str:
        return "UNSETTLED"


UNSETTLED = Unsettled()

Value = bool | int | Decimal | Ratio | str | Unsettled
"""What a fact can be; absent is ``None``."""


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal number, point or comma, keeping every digit that was written.

    Raises:
        ValueError: not a finite plain number, or more digits than a measurement carries.
    """
    cleaned = text.strip()
    if THOUSANDS.fullmatch(cleaned):
        raise ValueError("ambiguous: the comma may mark thousands; write the digits alone, or a decimal point")
    if "," in cleaned and "." not in cleaned:
        cleaned = cleaned.replace(",", ".", 1)
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite():
        raise ValueError("not a finite number")
    digits = number.as_tuple()
    if len(digits.digits) > MAX_DIGITS or abs(int(digits.exponent)) > MAX_DIGITS:
        raise ValueError(f"more than {MAX_DIGITS} digits")
    return number


def copies_per_tumour_cell(copies: Decimal | None, fraction: Decimal | None) -> Ratio | None:
    """Return the copies per tumour cell that would read as ``copies`` when ``fraction`` of the DNA is tumour."""
    if copies is None or not fraction:
        return None
    return Ratio(copies - DIPLOID * (1 - fraction), fraction)


def rounding_bounds(reported: Decimal) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest true value that rounds to ``reported``, by the digits written."""
    half_unit = Decimal((0, (5,), int(reported.as_tuple().exponent) - 1))
    return reported - half_unit, reported + half_unit


def ratio_matches(reported: Decimal, exact: Ratio) -> bool:
    """Tell whether a reported ratio is the exact one, rounded to the digits that were reported."""
    low, high = rounding_bounds(reported)
    return exact.excess(low) >= 0 >= exact.excess(high)


def quotient_matches(reported: Decimal, numerator: Decimal, denominator: Decimal) -> bool:
    """Tell whether a reported ratio is possible given a numerator and a denominator that are rounded too."""
    low, high = rounding_bounds(reported)
    numerator_low, numerator_high = rounding_bounds(numerator)
    denominator_low, denominator_high = rounding_bounds(denominator)
    if denominator_low <= 0:
        return True
    return numerator_low <= high * denominator_high and numerator_high >= low * denominator_low
