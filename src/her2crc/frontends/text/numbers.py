"""The values of written numbers: scores, percentages, counts, ratios, dates, protein changes."""

from __future__ import annotations

import re
from decimal import Decimal

NUMBERS = re.compile(r"(?<![a-z])(?:\d[\dols]*|[oil](?=[.,\d])\d*|[il](?=o)[\do]*)(?:[.,][\dols]+)?")
PARTED = re.compile(r"(?<=\d)\s(?=[.,]\d)")
OCR = str.maketrans("olsi", "0151")
MOST_DIGITS = 9
OTHER_UNIT = re.compile(
    r"\s?(?:[kmg]bp?|bp|nm|[cmuµ]m|[cmuµ]?[lg]|ng|kda|years?|months?|weeks?|days?|hours?|h|min|°)(?![a-z.])"
    r"|\s(?:(?:independent|different|separate|unabhangige\w?)\s)?(?:observer|reader|pathologist|technologist|area|field"
    r"|region|slide|core|untersucher|auswerter|areal|observateur|lecteur|observador|lector|osservator|lettor)"
)
"""What a number measures or counts that is never a result of HER2: lengths, weights, times, observers, fields."""
NO_UNIT = ".,;:)(=/%"
"""What after a number begins no unit: as nothing does."""
NAMED_BEFORE = re.compile(
    r"(?<![a-z])(?:exons?|exones|codons?|introns?|grade|stage|cycles?|page|lot|clone)\s?$|(?<![a-z])[oli][.,]$"
)
"""What a number right after it only names."""
ENDS_NAME = "nset.,"
"""The last of it, but for white space; and its characters with it, a line's end among them."""
LONGEST_NAME = len("introns \n")
DEPTH = re.compile(r"\s?(?:(?:mean|median|average)\s)?(?:depth|coverage|sequenc|magnif|objective)")
"""What a multiple is of sequencing or of a microscope."""
LENGTH = re.compile(r"\s?\d{1,3}(?:[.,]\d{1,2})?\s?(?:x|[cm]m)")
"""What follows the first length of a size: '5.1 x 4.4 cm'."""
OF_DEPTH = re.compile(
    r"(?:depth|coverage(?!\sratio)|reads?\b|abdeckung|tiefe|profond|couverture|profundidad|cobertura"
    r"|copertura|derinli|深度|覆盖|カバレッジ)"
    r"[^;,.()。]{0,30}$"
)
"""The same, said before it."""
ALL = Decimal(100)
COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">=", "<=": "<=", ">=": ">=", "~": "~"}
AMINO_ACIDS = {
    "ala": "A", "arg": "R", "asn": "N", "asp": "D", "cys": "C", "gln": "Q", "glu": "E", "gly": "G", "his": "H",
    "ile": "I", "leu": "L", "lys": "K", "met": "M", "phe": "F", "pro": "P", "ser": "S", "thr": "T", "trp": "W",
    "tyr": "Y", "val": "V", "ter": "*",
}  # fmt: skip
OF_THREE = re.compile(r"[01]\+?/3\s?\+")
EVENT = re.compile(r"delins|ins|dup|del|fs")
DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{2,4})")
ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
NAMED = re.compile(r"(\d{1,2})[\s.-]+([a-z]{3})[a-z]*\.?[\s-](\d{4})")
CJK_DATE = re.compile(r"(\d{4})年(?:(\d{1,2})月)?(?:(\d{1,2})日)?")
MONTH_YEAR = re.compile(r"(\d{1,2})/(\d{4})")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_answer(gap: str) -> bool:
    """Tell whether a colon or a new column leads to what a label asks for."""
    return gap.strip() == ":" or (len(gap) > len(": ") and not gap.strip())


def has_unit(low: str, end: int) -> bool:
    """Tell whether the unit of another thing stands after a number that ends there."""
    return low[end : end + 1] not in NO_UNIT and OTHER_UNIT.match(low, end) is not None


def is_only_named(low: str, start: int) -> bool:
    """Tell whether a number that begins there belongs to the name before it."""
    begin = max(0, start - LONGEST_NAME)
    return low[begin:start].rstrip()[-1:] in ENDS_NAME and NAMED_BEFORE.search(low, begin, start) is not None


def read_score(written: str) -> str:
    """Return ``0``, ``1+``, ``2+``, ``3+``, or a stated pair such as ``0-1+``; empty for a scale (``0-3+``)."""
    if len(written) == len("3+") and written.endswith("+") and written[0].isdigit():
        return one_score(written[0])
    if written[:1] == "z":
        return one_score("2")
    digits = [letter for letter in written if letter.isdigit()]
    if not digits:
        return f"{written.count('+')}+"
    if len(digits) == 1:
        return one_score(digits[0])
    low, high = digits[0], digits[1]
    if OF_THREE.fullmatch(written):
        return one_score(low)
    if int(high) - int(low) == 1:
        return f"{one_score(low)}-{one_score(high)}"
    return one_score(low) if low == high else ""


def one_score(digit: str) -> str:
    """Return the written form of one score."""
    return "0" if digit == "0" else f"{digit}+"


def score_rank(score: str) -> str:
    """Return what orders scores: the highest digit that is stated."""
    return max(letter for letter in score if letter.isdigit())


def read_numbers(written: str) -> list[Decimal]:
    """Return the numbers of a stretch, decimal comma or point, letters that OCR takes for digits mended."""
    plain = written.replace(",", ".")
    if len(plain) <= MOST_DIGITS and plain.isascii() and plain[:1].isdigit() and plain.replace(".", "", 1).isdigit():
        return [Decimal(plain)]
    found = NUMBERS.findall(PARTED.sub("", written))
    return [Decimal(item.translate(OCR).replace(",", ".")) for item in found if len(item) <= MOST_DIGITS]


def read_percent(written: str) -> tuple[Decimal, str] | None:
    """Return a percentage and its comparator; the middle of a range. None where it is none."""
    numbers = read_numbers(written.rstrip(" %"))
    if not numbers or max(numbers) > ALL:
        return None
    percent = numbers[0] if len(numbers) == 1 else sum(numbers, Decimal(0)) / len(numbers)
    return percent, comparator(written)


def comparator(written: str) -> str:
    """Return the comparator at the start of a stretch."""
    stripped = written.lstrip(" (:=")
    return COMPARATORS.get(stripped[:2]) or COMPARATORS.get(stripped[:1], "")


def read_change(written: str) -> str:
    """Return a protein change in one-letter form: ``p.(Ser310Phe)`` becomes ``S310F``."""
    bare = written.removeprefix("p.").strip(" ()").lower()
    three = re.sub(r"[a-z]{3}(?=\d|_|$|[a-z]{3})", lambda match: AMINO_ACIDS.get(match[0], match[0]), bare)
    first = bare[:3]
    if first in AMINO_ACIDS:
        bare = _short(bare)
    elif first.isalpha() and three == bare:
        return ""
    event = EVENT.search(bare)
    if event is None:
        return bare.upper()
    return bare[: event.start()].upper() + event[0] + bare[event.end() :].upper()


def _short(bare: str) -> str:
    """Return a change of three-letter names in one-letter names."""
    parts = re.findall(r"\d+|_|delins|ins|dup|del|fs|[a-z]{3}|\*", bare)
    return "".join(AMINO_ACIDS.get(part, part) if part not in ("ins", "dup", "del") else part for part in parts)


def read_date(written: str) -> str | None:
    """Return a date as ISO text, as exact as it is written: 2026-03-12, 2026-03, 2026; None where it is none."""
    for pattern, order in ((ISO, "ymd"), (DAY_FIRST, "dmy"), (NAMED, "dby"), (CJK_DATE, "ymd"), (MONTH_YEAR, "my")):
        match = pattern.fullmatch(written)
        if match and pattern is DAY_FIRST and "/" in written:
            return _slashed(*match.groups())
        if match:
            return _iso(dict(zip(order, match.groups(), strict=True)))
    return written if written.isdigit() and len(written) == len("2026") else None


def _slashed(first: str, second: str, year: str) -> str | None:
    """Return a date with slashes: where day and month could change places, only its year is sure."""
    months = len(MONTHS)
    if int(first) > months or int(second) > months:
        day, month = (first, second) if int(first) > months else (second, first)
        return _iso({"d": day, "m": month, "y": year})
    return _iso({"y": year})


def _iso(parts: dict[str, str | None]) -> str | None:
    year = parts["y"] or ""
    year = f"20{year}" if len(year) == len("26") else year
    month = parts.get("m")
    if parts.get("b") in MONTHS:
        month = str(MONTHS.index(parts["b"] or "") + 1)
    elif "b" in parts:
        return None
    day = parts.get("d")
    if month is None:
        return year
    if not 1 <= int(month) <= len(MONTHS) or (day is not None and not 1 <= int(day) <= LONGEST_MONTH):
        return None
    return f"{year}-{int(month):02}" + (f"-{int(day):02}" if day else "")


LONGEST_MONTH = 31
