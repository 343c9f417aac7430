"""Breaks between the items of a window: commas, clauses, sentences, paragraphs, lines that end or are only wrapped."""

from __future__ import annotations

import re

from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.scan import Items

NONE = 0
COMMA = 1
CLAUSE = 2
SENTENCE = 3
PARAGRAPH = 4
"""How strongly two neighbouring items are parted."""

COMMON = {
    **dict.fromkeys(("", " ", "  ", "-", "/", ":", "=", ": ", " : ", " = ", ") ", "): "), NONE),
    **dict.fromkeys((" of ", " in ", " and ", " is ", " for ", " by ", " with ", " de "), NONE),
    **dict.fromkeys((",", ", ", "),", "), ", " (", "(", " | "), COMMA),
    **dict.fromkeys((";", "; "), CLAUSE),
}
"""What most gaps are, and how strongly each parts its neighbours."""
UNCOMMON = -1
ABBREVIATED = frozenset((
    "ca", "approx", "aprox", "resp", "bzw", "incl", "inkl", "vs", "no", "nr", "num", "dr", "fig", "env", "etc", "max",
    "min", "ggf", "circa", "yakl", "ref", "spec", "prof", "av", "avg", "ave", "inv", "e.g", "i.e", "entspr", "z.b",
    "d.h", "u.a", "p.e", "ex", "seg", "segm",
))  # fmt: skip
ABBREVIATION = re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, sorted(ABBREVIATED)))})\.(?= )")
GOES_ON = frozenset(("no", "if", "comparator", "ratio", "mean", "score_word", "copies", "fold", "anchor"))
"""Kinds of items after which an end of line is no end."""
VALUED = frozenset(("ratio", "per_cell", "copies", "fold", "snr"))
LONE_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?(?![\d%+])")
"""The value of a label that stands on the line before."""
BLANK_LINE = re.compile(r"\n[ |>*]{0,80}\n")
BULLET = re.compile(r"\n[ ]{0,20}(?:[-*•·>|]|\d{1,2}[.)]|[a-z][.)])[ ]")
LABEL = re.compile(r"[^\n:.;,()]{1,30}:")
DASH = re.compile(r"\s-+\s|-\s*$")
WIDE = "    "
"""A gap between two columns: the line that has it is one of a table, and not wrapped."""
PARTED = re.compile(f"\n|{WIDE}")
COLUMN = re.compile(rf"[ ]{{0,12}}[^\n:.;, ][^\n:.;,]{{0,30}}?{WIDE}")
"""The label of a line of columns."""
LONG_LINE = 55
"""Characters from which on a line is taken to be wrapped, not ended, where no sign ends it."""


class Breaks:
    """The items of one window, the text before each, how strongly that parts it, and how deep in parentheses it is."""

    def __init__(self, folded: Folded, items: Items, joining: frozenset[str]) -> None:
        self.folded, self.low, self.joining = folded, folded.low, joining
        self.kinds, self.values, self.starts, self.ends = items.kinds, items.values, items.starts, items.ends
        self.gaps: list[str] = []
        self.levels = [NONE] * len(self.kinds)
        self.depths = [0] * len(self.kinds)
        self._measure()

    def text(self, index: int) -> str:
        """Return the folded text of an item."""
        return self.low[self.starts[index] : self.ends[index]]

    def place(self, index: int) -> Span:
        """Return the place of an item in the folded text."""
        return Span(self.starts[index], self.ends[index])

    def lengthen(self, index: int, end: int) -> None:
        """Let an item end later."""
        self.ends[index] = end
        if index + 1 < len(self.gaps):
            self.gaps[index + 1] = self.low[end : self.starts[index + 1]]

    def _measure(self) -> None:
        """Fill gaps, levels and depths of parentheses."""
        depth, kind, low = 0, "", self.low
        gaps, levels, depths = self.gaps, self.levels, self.depths
        last_end = max(0, self.starts[0] - LONG_LINE)
        for index, start in enumerate(self.starts):
            gap, end = low[last_end:start], self.ends[index]
            level = COMMON.get(gap, UNCOMMON)
            if level == UNCOMMON:
                level = self._break_level(gap, kind, start)
            if (level > NONE and "(" in gap) or (depth > 0 and ")" in gap):
                depth = max(0, depth + gap.count("(") - gap.count(")"))
            gaps.append(gap)
            if level > NONE:
                levels[index] = level
            if depth > 0:
                depths[index] = depth
            if kind != "no" or end != last_end:
                kind = self.kinds[index]
            last_end = end

    def _break_level(self, gap: str, before: str, at: int) -> int:
        """Return how strongly a gap parts its neighbours: the kind of the item before it, the place of that after."""
        if "\n" in gap:
            level = self._line_level(gap, before, at)
            if level > NONE:
                return level
        if "." in gap and self._has_full_stop(gap, before):
            return SENTENCE
        if "。" in gap or "! " in gap or "? " in gap:
            return SENTENCE
        if ";" in gap:
            return CLAUSE
        if "," in gap or "(" in gap or "|" in gap or "、" in gap:
            return COMMA
        return COMMA if "-" in gap and DASH.search(gap) else NONE

    def _has_full_stop(self, gap: str, before: str) -> bool:
        """Tell whether a point in a gap ends a sentence: not that of an abbreviation, nor that after 'ca' or 'max'."""
        if gap[0] == ".":
            return before != "comparator" or ". " in gap[1:] or gap == ".."
        at = gap.find(". ")
        if at < 0:
            return False
        word = gap[:at].rpartition(" ")[2]
        if word.isascii() and word.isalpha() and word not in ABBREVIATED:
            return True
        rest = ABBREVIATION.sub("", gap)
        return ". " in rest or rest == "."

    def _line_level(self, gap: str, before: str, at: int) -> int:
        """Return the level of an end of line: none where the line is only wrapped."""
        if gap.count("\n") > 1 and BLANK_LINE.search(gap):
            return PARAGRAPH
        rest = gap[: gap.find("\n")].rstrip()
        if rest.endswith((".", ";", "。", "|")) or BULLET.search(gap):
            return SENTENCE
        if rest.endswith(":"):
            is_value = rest.lstrip() == ":" and before in VALUED and LONE_NUMBER.match(self.low, at) is not None
            return NONE if is_value else SENTENCE
        if not rest and before in GOES_ON:
            return NONE
        return SENTENCE if self._new_line(at) else NONE

    def _new_line(self, at: int) -> bool:
        """Tell whether the line that begins before ``at`` is a new one, not the rest of a wrapped line."""
        begin = self.low.rfind("\n", 0, at)
        _, _, last_word = self.low[max(0, begin - LONG_LINE) : begin].rpartition(" ")
        if last_word in self.joining:
            return False
        if begin >= LONG_LINE and {"\n", WIDE}.isdisjoint(PARTED.findall(self.low, begin - LONG_LINE, begin)):
            label = LABEL.match(self.low, begin + 1) or COLUMN.match(self.low, begin + 1)
            start = label.end() - len(label[0].lstrip()) if label is not None else 0
            return label is not None and self.folded.original(start, start + 1).isupper()
        rest = self.low[begin + 1 : at + 1].lstrip()
        first = self.folded.original(at + 1 - len(rest), at + 2 - len(rest))
        return not (first.islower() or first.isdigit() or first in "+(")
