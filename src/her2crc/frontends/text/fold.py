"""Text folded to one form for matching, with the way back to the places of the original.

Case, accents, full-width characters, odd dashes, quotes and spaces become plain small letters, one for one, so that
places stay the same. Only what must vanish or grow (combining marks, zero-width characters, ligatures, a word broken
by a hyphen at a line's end) makes a table of places.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

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

UNEVEN = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufb00-\ufb06\ufeff]|(?<=[a-z])-\n {0,8}(?=[a-z])")
"""What does not become exactly one character."""

ODD = re.compile("[\x00\x0b-\r`\x80-\U0010ffff]")
"""What is more than a capital to fold."""
FEW, LAST_PLAIN = 8, "\u3000"
"""Up to so many different odd characters, none from the last on, a text is folded a character, not a place, at a time:
below it, what is folded stays as it is when it is folded again, or made small.
"""


class Piece(NamedTuple):
    """A stretch of folded text as it stands, or what is written in its stead."""

    start: int
    end: int
    written: str | None = None


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


class Folded(NamedTuple):
    """``low`` is matched; ``places`` gives the original place of each of its characters (None: the same).

    ``ends`` gives where a character ends that stands for several of the original ('3' for 'three').
    """

    low: str
    places: list[int] | None
    ends: dict[int, int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of ``low`` stands in the original."""
        if self.places is None:
            return start, end
        first, last = self.places[start], self.places[end - 1]
        stop = max(first, last) + 1
        return min(first, last), stop if self.ends is None else max(stop, self.ends.get(end - 1, 0))

    def rewritten(self, pieces: Iterable[Piece]) -> Folded:
        """Return the text of some pieces, each of its characters with its place in the original."""
        parts: list[str] = []
        places: list[int] = []
        ends: dict[int, int] = {}
        own, known = self.places, self.ends
        for start, end, written in pieces:
            parts.append(self.low[start:end] if written is None else written)
            stretch = range(start, end) if written is None else _spread(start, end, len(written))
            if written is not None and len(written) == 1 < end - start:
                ends[len(places)] = self.span(start, end)[1]
            elif known is not None:
                ends |= {len(places) + new: known[at] for new, at in enumerate(stretch) if at in known}
            places.extend(stretch if own is None else [own[at] for at in stretch])
        return Folded("".join(parts), places, ends or None)


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
    text = text.replace("\r\n", " \n") if "\r\n" in text else text
    if text.isascii():
        low = text.lower()
        if "\r" in low or "\x00" in low:
            low = low.translate(_TABLE)
        if "-\n" not in low:
            return Folded(low, None)
    else:
        odd = set(ODD.findall(text))
        if len(odd) <= FEW and max(odd) < LAST_PLAIN:
            low = text
            for letter in odd:
                low = low.replace(letter, _TABLE[ord(letter)])
            low = low.lower()
        else:
            low = text.translate(_TABLE)
    return Folded(low, None) if UNEVEN.search(low) is None else _uneven(low, text)


def _uneven(low: str, text: str) -> Folded:
    parts: list[str] = []
    places: list[int] = []
    last = 0
    for match in UNEVEN.finditer(low):
        start, end = match.span()
        if match[0][0] == "-" and not _is_broken(text[start - 1 : start] + text[end : end + 2]):
            continue
        parts.append(low[last:start])
        places.extend(range(last, start))
        grown = unicodedata.normalize("NFKC", match[0]) if "\ufb00" <= match[0] <= "\ufb06" else ""
        parts.append(grown)
        places.extend([start] * len(grown))
        last = end
    parts.append(low[last:])
    places.extend(range(last, len(low)))
    return Folded("".join(parts), places)


def _is_broken(around: str) -> bool:
    """Tell whether a hyphen at the end of a line parts one word: it goes on in small letters, or all are capitals."""
    return around[1:2].islower() or around.isupper()


def fold_phrase(phrase: str) -> str:
    """Return a phrase of a word list as it is matched: folded, hyphens and white space one space."""
    return " ".join(fold(phrase).low.replace("-", " ").split())
