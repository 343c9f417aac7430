"""Text folded to one form for matching, with the way back to the places of the original.

Case, accents, full-width characters, odd dashes, quotes and spaces become plain small letters, one for one, so that
places stay the same. Only what must vanish or grow (combining marks, zero-width characters, ligatures, a word broken
by a hyphen at a line's end) makes a table of places.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\ufe58\u207b"
SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
TRADITIONAL = (
    "與兩個臨為爲義親僅價側兒況準則劑單衛參發變號後圍備復複實對宮應異歸當態總擴報據數斷無時顯術雜條標樣檢"
    "沒測漿點狀環現療確積穩約純納組細織終經結綜網腸腫膽臟腦範薦螢熒獲慮補見計議論評識診試詳誤說請讀貝敗質"
    "轉達過進適選釋鏡間閾陽陰頻驗於佔並媽從傳體內醫雙強種類線編節藥訊產還這豐輕該鏈門難項題蠟區學層曆極構"
    "機權歷殘減獻癥級給統續規視觀記設認運針銀錄長開關階際險預領頭額髒鱗"
)
SIMPLIFIED = (
    "与两个临为为义亲仅价侧儿况准则剂单卫参发变号后围备复复实对宫应异归当态总扩报据数断无时显术杂条标样检"
    "没测浆点状环现疗确积稳约纯纳组细织终经结综网肠肿胆脏脑范荐荧荧获虑补见计议论评识诊试详误说请读贝败质"
    "转达过进适选释镜间阈阳阴频验于占并妈从传体内医双强种类线编节药讯产还这丰轻该链门难项题蜡区学层历极构"
    "机权历残减献症级给统续规视观记设认运针银录长开关阶际险预领头额脏鳞"
)
"""Traditional characters of pathology reports, and the simplified ones that stand in their place in the word lists."""

SINGLE = {
    **dict(zip(TRADITIONAL, SIMPLIFIED, strict=True)),
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
VANISHING = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufb00-\ufb06\ufeff]")
"""What vanishes or grows; no other character becomes one of these."""
UNEVEN = re.compile(f"{VANISHING.pattern}|{BROKEN.pattern}")
"""What does not become exactly one character."""

ODD = re.compile("[\x00\x0b-\r`\x80-\U0010ffff]")
"""What is more than a capital to fold."""
FEW, WIDE = 8, re.compile("[\u3000-\U0010ffff]")
"""Up to so many different odd characters, none of them wide, a text is folded a character, not a place, at a time:
below it, what is folded stays as it is when it is folded again, or made small.
"""


class Piece:
    """A stretch of folded text as it stands, or what is written in its stead."""

    def __init__(self, start: int, end: int, written: str | None = None) -> None:
        self.start, self.end, self.written = start, end, written


def _spread(start: int, end: int, length: int) -> list[int]:
    """Return the places of what is written for a stretch: its last character stands for the end, the others go along;
    one alone stands at the start.

    What is put in where nothing stands has the place of the character before it.
    """
    if start == end:
        return [max(start - 1, 0)] * length
    if length == 1:
        return [start]
    return [start + min(at, end - start - 1) for at in range(length - 1)] + [end - 1] * min(length, 1)


class Folded:
    """``low`` is matched, and leads back to ``text``.

    ``starts`` gives where the stretches of ``low`` begin that are moved against ``text``, ``shifts`` by how much each
    is: none where all places are the same. ``wide`` gives where a character ends that stands for several of the
    original ('3' for 'three').
    """

    def __init__(
        self, text: str, low: str, starts: list[int], shifts: list[int], wide: dict[int, int] | None = None
    ) -> None:
        self.text, self.low, self.starts, self.shifts, self.wide = text, low, starts, shifts, wide or {}

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of ``low`` stands in the original."""
        if not self.starts:
            return start, end
        first, last = self._place(start), self._place(end - 1)
        stop = max(first, last) + 1
        return min(first, last), max(stop, self.wide.get(end - 1, 0)) if self.wide else stop

    def _place(self, at: int) -> int:
        return at + self.shifts[bisect_right(self.starts, at) - 1] if self.starts else at

    def original(self, start: int, end: int) -> str:
        """Return a stretch as it is written."""
        first, last = self.span(start, end)
        return self.text[first:last]

    def with_low(self, low: str) -> Folded:
        """Return the text with other characters at the same places."""
        return Folded(self.text, low, self.starts, self.shifts, self.wide)

    def rewritten(self, pieces: Iterable[Piece]) -> Folded:
        """Return the text of some pieces, each of its characters with its place in the original."""
        parts: list[str] = []
        made = Folded(self.text, "", [], [])
        length = 0
        for piece in pieces:
            start, end, written = piece.start, piece.end, piece.written
            if written is None:
                parts.append(self.low[start:end])
                self._copy(start, end, made, length)
            else:
                parts.append(written)
                self._write(start, end, len(written), made, length)
            length += len(parts[-1])
        made.low = "".join(parts)
        return made

    def _copy(self, start: int, end: int, made: Folded, length: int) -> None:
        """Give the places of a stretch to a new text that is so long by now."""
        if start == end:
            return
        made.starts.append(length)
        made.shifts.append(self._place(start) - length)
        for at in range(bisect_right(self.starts, start), len(self.starts)):
            if self.starts[at] >= end:
                break
            made.starts.append(length + self.starts[at] - start)
            made.shifts.append(self.starts[at] + self.shifts[at] - made.starts[-1])
        for at, stop in self.wide.items():
            if start <= at < end:
                made.wide[length + at - start] = stop

    def _write(self, start: int, end: int, count: int, made: Folded, length: int) -> None:
        """Give places to what is written for a stretch."""
        for new, place in enumerate(_spread(start, end, count), length):
            made.starts.append(new)
            made.shifts.append(self._place(place) - new)
            if count == 1 < end - start:
                made.wide[new] = self.span(start, end)[1]
            elif place in self.wide:
                made.wide[new] = self.wide[place]


def replaced(folded: Folded, pieces: Sequence[Piece]) -> Folded:
    """Return the text with some stretches written anew; they stand in order and apart."""
    if not pieces:
        return folded
    every: list[Piece] = []
    last = 0
    for piece in pieces:
        every += [Piece(last, piece.start), piece]
        last = piece.end
    return folded.rewritten([*every, Piece(last, len(folded.low))])


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
    text = text.replace("\r\n", " \n") if "\r" in text else text
    if text.isascii():
        low = text.lower()
        if "\r" in low or "\x00" in low:
            low = low.translate(_TABLE)
        uneven = BROKEN
    else:
        low = _plain(text)
        uneven = BROKEN if VANISHING.search(text) is None else UNEVEN
    if (uneven is BROKEN and "\n" not in low) or uneven.search(low) is None:
        return Folded(text, low, [], [])
    return _even(low, text, uneven)


def _plain(text: str) -> str:
    """Return a text with odd characters as the plain ones, in small letters."""
    odd = set(ODD.findall(text)) if WIDE.search(text) is None else set()
    if not 0 < len(odd) <= FEW:
        return text.translate(_TABLE)
    for letter in odd:
        text = text.replace(letter, _TABLE[ord(letter)])
    return text.lower()


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
    return spaced(fold(phrase).low)


def spaced(low: str) -> str:
    """Return folded words with one space between them, for hyphens too."""
    return " ".join(low.replace("-", " ").split())
