"""Text folded to one form for matching, with the way back to the places of the original.

Case, accents, full-width characters, odd dashes, quotes and spaces become plain small letters, one for one, so that
places stay the same. Only what must vanish or grow (combining marks, zero-width characters, ligatures, a word broken
by a hyphen at a line's end) makes a table of places.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\ufe58\u207b"
SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
SINGLE = {
    **dict.fromkeys(DASHES, "-"),
    **dict.fromkeys(SPACES, " "),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u00b4`\u02bc\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033«»", '"'),
    **dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"),
    "\u00d7": "x", "✕": "x", "✗": "x", "\u0131": "i", "İ": "i", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d",
    "≧": "≥", "⩾": "≥", "≦": "≤", "⩽": "≤", "⁺": "+", "〜": "~", "\u223c": "~", "≒": "~", "≈": "~", "\u2236": ":",
    "☑": "☒", "✓": "☒", "✔": "☒", "■": "☒", "□": "☐", "○": "☐", "\x00": " ", "\uff1b": ";", "\uff1a": ":",
}  # fmt: skip
"""What stands for what, where Unicode's own compatibility form is not it."""

BROKEN = re.compile("-\n(?<=[a-z]-\n) {0,8}(?=[a-z])")
"""A word that goes on in the next line; it begins with what is rare, so that searching is fast."""
UNEVEN = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufb00-\ufb06\ufeff]|" + BROKEN.pattern)
"""What does not become exactly one character."""

ODD = re.compile("[\x00\t\x0b-\r`\x80-\U0010ffff]")
"""What is more than a capital to fold."""
FEW, LAST_PLAIN = 8, "\u3000"
"""Up to so many different odd characters, none from the last on, a text is folded a character, not a place, at a time:
below it, what is folded stays as it is when it is folded again, or made small.
"""


class Folded:
    """``low`` is matched, and leads back to ``text``.

    ``starts`` gives where the stretches of ``low`` begin that are moved against ``text``, ``shifts`` by how much each
    is: none where all places are the same.
    """

    def __init__(self, text: str, low: str, starts: list[int], shifts: list[int]) -> None:
        self.text, self.low, self.starts, self.shifts = text, low, starts, shifts

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of ``low`` stands in the original."""
        if not self.starts:
            return start, end
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        return at + self.shifts[bisect_right(self.starts, at) - 1]

    def original(self, start: int, end: int) -> str:
        """Return a stretch as it is written."""
        first, last = self.span(start, end)
        return self.text[first:last]


class _Table(dict[int, str]):
    """Code point to folded character, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _single(chr(code))
        return found


def _single(letter: str) -> str:
    """Return the folded form if it is one character, else the character itself."""
    known = SINGLE.get(letter)
    if known is not None:
        return known
    plain = unicodedata.normalize("NFKC", letter).lower()
    base = unicodedata.normalize("NFD", plain)
    for form in (base[:1] if all(map(unicodedata.combining, base[1:])) else "", plain, letter.lower()):
        if len(form) == 1 and not (letter > "\u3000" and form != plain):
            return SINGLE.get(form, form)
    return letter


_TABLE = _Table()


def fold(text: str) -> Folded:
    """Return the folded text; linear in its length."""
    if text.isascii():
        low = text.lower()
        if "\r" in low or "\t" in low or "\x00" in low:
            low = low.translate(_TABLE)
        uneven = BROKEN
    else:
        odd, uneven = set(ODD.findall(text)), UNEVEN
        if len(odd) <= FEW and max(odd) < LAST_PLAIN:
            low = text
            for letter in odd:
                low = low.replace(letter, _TABLE[ord(letter)])
            low = low.lower()
        else:
            low = text.translate(_TABLE)
    return Folded(text, low, [], []) if uneven.search(low) is None else _even(low, text, uneven)


def _even(low: str, text: str, uneven: re.Pattern[str]) -> Folded:
    """Return a text without what is not one character for one."""
    parts: list[str] = []
    starts: list[int] = []
    shifts: list[int] = []
    last = length = 0
    for match in uneven.finditer(low):
        start, end = match.span()
        if match[0][0] == "-" and not _is_broken(text[start - 1 : start] + text[end : end + 2]):
            continue
        parts.append(low[last:start])
        starts.append(length)
        shifts.append(last - length)
        length += start - last
        grown = unicodedata.normalize("NFKC", match[0]) if "\ufb00" <= match[0] <= "\ufb06" else ""
        parts.append(grown)
        for _ in grown:
            starts.append(length)
            shifts.append(start - length)
            length += 1
        last = end
    parts.append(low[last:])
    starts.append(length)
    shifts.append(last - length)
    return Folded(text, "".join(parts), starts, shifts)


def _is_broken(around: str) -> bool:
    """Tell whether a hyphen at the end of a line parts one word: it goes on in small letters, or all are capitals."""
    return around[1:2].islower() or around.isupper()


def fold_phrase(phrase: str) -> str:
    """Return a phrase of a word list as it is matched: folded, hyphens and white space one space."""
    return " ".join(fold(phrase).low.replace("-", " ").split())
