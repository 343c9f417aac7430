"""What an item stands in: breaks between items, and which items state nothing of this patient's result.

Conditions, recommendations, criteria, general statements, legends and unchecked boxes make what they govern *void*:
it stays readable for the structure of the text, but no value is taken from it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from functools import partial

from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.numbers import read_score
from her2crc.frontends.text.scan import Item

NONE, COMMA, CLAUSE, SENTENCE, PARAGRAPH = range(5)
"""How strongly two neighbouring items are parted."""

JOINS = frozenset(" -/:=")
"""What alone between two items does not part them."""
ABBREVIATION = re.compile(
    r"(?<![a-z])(?:ca|approx|aprox|resp|bzw|incl|inkl|vs|no|nr|num|dr|fig|env|etc|max|min|ggf|circa|yakl|ref|spec|prof|av|"
    r"avg|ave|inv|e\.g|i\.e|entspr|z\.b|d\.h|u\.a|p\.e|ex)\.(?= )"
)
GOES_ON = frozenset(("no", "if", "comparator", "ratio", "mean", "score_word", "copies", "fold", "anchor"))
"""Kinds of items after which an end of line is no end."""
BLANK_LINE = re.compile(r"\n[ |>*]{0,80}\n")
BULLET = re.compile(r"\n[ ]{0,20}(?:[-*•·>|]|\d{1,2}[.)]|[a-z][.)])[ ]")
LINE_START = re.compile(r"(?:^|\n)[\s\-*•(\"'|]{0,12}$")
EXPLAINS = re.compile(r"\)?\"?\s?(?:=|:|-\s|->|→)")
LABEL = re.compile(r"[^\n:.;,()]{1,30}:")
PARTS = re.compile(r"[\n.。;,、(|-]|[!?] ")
"""What a gap must hold to part anything."""
COMMAS = re.compile(r"[,、(|]|\s-+\s|-\s*$")
LONG_LINE = 55
"""Characters from which on a line is taken to be wrapped, not ended, where no sign ends it."""

AFTER = ("if", "recommend", "maybe", "general", "elsewhere", "serum", "control")
"""What voids the items after it (to the end of the sentence, or of its parenthesis), and the words just before it."""
STOPS = {"recommend": CLAUSE, "maybe": CLAUSE}
"""Where what is void ends, if before the end of the sentence."""
VOIDING = frozenset((*AFTER, "criterion", "class_of", "box", "score"))
"""Kinds of items without which nothing in a sentence is void."""
EXPLAINED = frozenset(("score", "explains"))
ASKED = frozenset(("status", "noun"))
QUESTION = re.compile(r"[^.!;\n。?]{0,60}\?")
STATES = ("status", "noun", "absent", "present", "sign")
PLACES = frozenset(("part", "site", "prior", "current", "date", "anchor", "marker", "contrast", "tumour"))
SCORES = 3
FAR = 20
"""Items of a sentence that are looked ahead over."""
LABELLED = frozenset(("score", "score_word", "status"))
"""What follows where a guideline is only named in the label of a result."""
OF_PATIENT = frozenset(("cells", "tumour", "site", "specimen", "part", "patient", "current"))
OF_STAIN = frozenset(("ihc", "test", "noun", "specimen", "tumour", "site"))
"""What may stand between the name of a stain and 'is scored as' where a result follows."""


def break_level(gap: str, before: str, capital: Callable[[], bool]) -> int:
    """Return how strongly a gap parts its neighbours; ``before`` is the kind of the item before it.

    ``capital`` tells whether what follows begins with a capital letter (asked only at an end of line).
    """
    if gap == " " or gap == "" or gap == "-":
        return NONE
    if "\n" in gap:
        level = _line_level(gap, before, capital)
        if level > NONE:
            return level
    if ". " in gap or gap.endswith("."):
        rest = ABBREVIATION.sub("", gap) if not (before == "comparator" and gap[:1] == ".") else gap[1:]
        if ". " in rest or (rest.endswith(".") and len(rest) == 1):
            return SENTENCE
    if "。" in gap or "! " in gap or "? " in gap or (gap[:1] == "." and len(gap) > 1 and before != "comparator"):
        return SENTENCE
    if ";" in gap:
        return CLAUSE
    return COMMA if COMMAS.search(gap) else NONE


def _line_level(gap: str, before: str, capital: Callable[[], bool]) -> int:
    """Return the level of an end of line: none where the line is only wrapped."""
    if BLANK_LINE.search(gap):
        return PARAGRAPH
    if BULLET.search(gap):
        return SENTENCE
    rest = gap[: gap.index("\n")].rstrip()
    if rest.endswith((":", ".", ";", "。", "|")):
        return SENTENCE
    return SENTENCE if capital() and not (before in GOES_ON and not rest) else NONE


class Context:
    """The items of one window with their breaks, nesting and voidness.

    ``kinds`` are those of the items; ``sentences`` gives, by its first item, a sentence's end and its kinds.
    """

    def __init__(
        self, low: str, items: Sequence[Item], original: Callable[[int], str], joining: frozenset[str] = frozenset()
    ) -> None:
        self.low, self.items, self.original, self.joining = low, [*items], original, joining
        self.kinds = [item.kind for item in items]
        self.sentences: dict[int, tuple[int, set[str]]] = {}
        self.void = bytearray(len(items))
        self.levels: list[int] = []
        self.depths: list[int] = []
        self._measure()
        start = 0
        for index in range(1, len(items) + 1):
            if index == len(items) or self.levels[index] >= SENTENCE:
                self._sentence(start, index)
                start = index
        self._void_explained()

    def _void_explained(self) -> None:
        """Void sentences that explain scores one by one ('HER2 3+: strong complete ... HER2 2+: weak ...')."""
        if EXPLAINED.isdisjoint(self.kinds):
            return
        explained = {}
        for index, item in enumerate(self.items):
            if item.kind == "score" and EXPLAINS.match(self.low, item.end, item.end + LONG_LINE):
                following = self.items[index + 1].kind if index + 1 < len(self.items) else ""
                if following not in ("pct", "num", "date"):
                    explained[index] = read_score(self.text(index))
        repeated = [index for index, item in enumerate(self.items) if item.kind == "explains"]
        if len(set(explained.values())) < SCORES - 1:
            explained = {}
        if len(repeated) > 1 or any(not self._is_of_name(index) for index in repeated):
            explained |= dict.fromkeys(repeated, "")
        end = 0
        for index in sorted(explained):
            if index < end:
                continue
            start, end = index, index + 1
            while start > 0 and self.levels[start] < SENTENCE and self.items[index].kind == "explains":
                start -= 1
            while end < len(self.items) and self.levels[end] < SENTENCE:
                end += 1
            self._mark(start, end)

    def _is_of_name(self, index: int) -> bool:
        """Tell whether 'is scored as' speaks of a named stain, not of how stains are scored."""
        at = index - 1
        while at > 0 and self.items[at].kind in OF_STAIN:
            at -= 1
        if at < 0 or self.items[at].kind != "anchor":
            return False
        for after in range(index + 1, min(index + FAR, len(self.items))):
            item = self.items[after]
            if self.levels[after] >= SENTENCE:
                break
            if (item.kind == "comparator" and item.value != "~") or self.low[item.start] in "<>≤≥":
                return False
        return True

    def gap(self, index: int) -> str:
        """Return the text between an item and the one before it."""
        start = self.items[index - 1].end if index else max(0, self.items[0].start - LONG_LINE)
        return self.low[start : self.items[index].start]

    def _measure(self) -> None:
        """Fill levels and depths of parentheses."""
        depth, kind = 0, ""
        low, levels, depths = self.low, self.levels, self.depths
        last_end = max(0, self.items[0].start - LONG_LINE)
        for item in self.items:
            start, end = item.start, item.end
            if start <= last_end or (start - last_end == 1 and low[last_end] in JOINS):
                level = NONE
            else:
                gap = low[last_end:start]
                level = break_level(gap, kind, partial(self._new_line, start)) if PARTS.search(gap) else NONE
                if "(" in gap or ")" in gap:
                    depth = max(0, depth + gap.count("(") - gap.count(")"))
            levels.append(level)
            depths.append(depth)
            kind = kind if kind == "no" and end == last_end else item.kind
            last_end = max(end, last_end)

    def _new_line(self, at: int) -> bool:
        """Tell whether the line that begins before ``at`` is a new one, not the rest of a wrapped line."""
        begin = self.low.rfind("\n", 0, at)
        _, _, last_word = self.low[max(0, begin - LONG_LINE) : begin].rpartition(" ")
        if last_word in self.joining:
            return False
        if begin >= LONG_LINE and self.low.rfind("\n", begin - LONG_LINE, begin) < 0:
            return LABEL.match(self.low, begin + 1) is not None and self.original(begin + 1).isupper()
        rest = self.low[begin + 1 : at + 1].lstrip()
        first = self.original(at + 1 - len(rest))
        return not (first.islower() or first.isdigit() or first in "+(")

    # ---- what is void

    def _sentence(self, start: int, end: int) -> None:
        kinds = set(self.kinds[start:end])
        self.sentences[start] = (end, kinds)
        if not ASKED.isdisjoint(kinds) and QUESTION.match(self.low, self.items[end - 1].end):
            self._void_question(start, end)
        if VOIDING.isdisjoint(kinds):
            return
        if "criterion" in kinds:
            self._mark(start, end)
        for kind in AFTER:
            if kind in kinds:
                self._void_after(kind, start, end)
        if "class_of" in kinds and "pct" in kinds and self._is_share_of_class(start, end):
            self._mark(start, end)
        if "class_of" in kinds:
            self._void_classes(start, end)
        if "box" in kinds:
            self._void_unchecked(start, end)
        elif "score" in kinds:
            self._void_legend(start, end)

    def _void_question(self, start: int, end: int) -> None:
        """Void what the last part of a sentence asks: 'Is HER2 amplified in the metastasis?'."""
        at = end - 1
        while at > start and self.levels[at] < COMMA:
            at -= 1
        for index in range(at, end):
            if self.items[index].kind in ASKED:
                self.void[index] = 1

    def _is_share_of_class(self, start: int, end: int) -> bool:
        """Tell whether a sentence speaks of how many tumours or patients have a result."""
        for index in range(start, end):
            at = index + 1
            if self.items[index].kind != "pct":
                continue
            while at < end and self.levels[at] == NONE and self.items[at].kind in ("tumour", "site", "marker"):
                at += 1
            if at < end and self.levels[at] == NONE and self.items[at].kind == "class_of":
                return True
        return False

    def _mark(self, start: int, end: int) -> None:
        for index in range(start, end):
            self.void[index] = 1

    def _void_after(self, kind: str, start: int, end: int) -> None:
        """Void what follows a word such as 'if', and the statement that it cuts into just before."""
        stop = STOPS.get(kind, SENTENCE)
        index = start
        while index < end:
            if self.items[index].kind != kind:
                index += 1
                continue
            if self._is_applied(index, start) if kind == "general" else self._is_result(index, end):
                index += 1
                continue
            if kind != "elsewhere":
                self._void_before(index, start)
            index = self._void_on(index, end, stop) if kind != "control" else self._void_control(index, end)

    def _is_result(self, index: int, end: int) -> bool:
        """Tell whether a word that can also be a result closes its part of the sentence: '2+ (questionable)'."""
        item, at = self.items[index], index + 1
        if at < end and self.items[at].start == item.start:
            at += 1
        elif index == 0 or self.items[index - 1].start != item.start:
            return False
        return at == end or self.levels[at] >= COMMA or self.low.startswith(")", item.end)

    def _is_applied(self, index: int, start: int) -> bool:
        """Tell whether a guideline or a threshold is applied: 'HER2 by guideline: 2+', 'below the 10% cutoff'."""
        named = "anchor" in self.kinds[start:index] and self.kinds[index - 1] != "score_word"
        following = self.kinds[index + 1] if index + 1 < len(self.kinds) else ""
        if named and following in LABELLED and self.low.startswith(":", self.items[index].end):
            return True
        for at in range(index - 1, max(start, index - SCORES) - 1, -1):
            if self.levels[at + 1] > NONE:
                break
            if self.items[at].kind == "comparator" and self.items[at].value != "~":
                return at > start
            if self.items[at].kind == "no":
                return any(item.kind in ("score", "pct") for item in self.items[max(start, at - FAR) : at])
        kinds = [item.kind for item in self.items[index + 1 : index + SCORES]]
        return kinds == ["pct", "comparator"] and any(
            item.kind == "pct" for item in self.items[max(start, index - FAR) : index]
        )

    def _void_on(self, index: int, end: int, stop: int) -> int:
        depth = self.depths[index]
        while index < end:
            self.void[index] = 1
            index += 1
            if index < end and (self.levels[index] >= stop or self.depths[index] < depth):
                break
        return index

    def _void_control(self, index: int, end: int) -> int:
        """Void what is said of a control, until the tumour is spoken of: 'the control 3+, the tumour 1+'."""
        depth = self.depths[index]
        while index < end:
            self.void[index] = 1
            index += 1
            if index < end and self.depths[index] < depth:
                break
            if index == end or self.levels[index] < COMMA:
                continue
            kind = self.items[index].kind
            if kind in OF_PATIENT or (kind == "anchor" and self.levels[index] >= CLAUSE):
                break
        return index

    def _void_before(self, index: int, start: int) -> None:
        """Void statuses in the same part of the sentence before a word (a number or score there stays)."""
        while index > start and self.levels[index] < COMMA:
            index -= 1
            if self.items[index].kind in STATES:
                self.void[index] = 1

    def _void_classes(self, start: int, end: int) -> None:
        """Void 'HER2-positive tumours': it names a class of patients."""
        for index in range(start + 1, end):
            if self.items[index].kind != "class_of":
                continue
            at = index
            while at > start and self.levels[at] == NONE and self.items[at].start > self.items[index].start - LONG_LINE:
                at -= 1
                if self.items[at].kind in ("status", "score", "sign", "noun"):
                    self.void[at] = 1

    def _void_unchecked(self, start: int, end: int) -> None:
        """Void what stands at an empty box; the box stands before its value, or after it."""
        values = [at for at in range(start, end) if self.items[at].kind in ("score", "status", "num")]
        boxes = [at for at in range(start, end) if self.items[at].kind == "box"]
        after = bool(values) and values[0] < boxes[0] and values[-1] < boxes[-1]
        for value in values:
            at = bisect(boxes, value) - (0 if after else 1)
            if 0 <= at < len(boxes) and not self.is_checked(boxes[at]):
                self.void[value] = 1

    def is_checked(self, index: int) -> bool:
        """Tell whether a box is ticked."""
        item = self.items[index]
        return bool({"x", "☒", "*"} & set(self.low[item.start : item.end]))

    def _void_legend(self, start: int, end: int) -> None:
        """Void scores that are explained ('2+: weak to moderate ...'), or listed with their meaning."""
        scores = [at for at in range(start, end) if self.items[at].kind == "score"]
        written = {read_score(self.text(at)) for at in scores}
        if len(written) >= SCORES and not self._is_distribution(scores, end):
            first = self._first_of_legend(scores[0], start)
            inner = [at for at in scores if self.depths[at] > self.depths[first]]
            others = {read_score(self.text(at)) for at in inner}
            if len(others) >= SCORES - 1 and len(inner) == len(scores) - 1:
                self._mark(inner[0], self._void_on(inner[0], end, SENTENCE))
            elif not PLACES & {self.items[at].kind for at in range(first, scores[-1])}:
                self._mark(start if not self._has_own(start, first) else first, end)
        elif self._explains(scores[0]):
            self._mark(start, end)

    def _first_of_legend(self, index: int, start: int) -> int:
        """Return where a list of scores begins: a bare 0 may stand before the first that has a plus ('0 negative')."""
        at = index - 1
        while at > start and self.items[at].kind == "status":
            at -= 1
        return at if at >= start and self.items[at].kind == "num" and self.text(at) == "0" else index

    def _has_own(self, start: int, first: int) -> bool:
        return any(self.items[at].kind in ("status", "sign") for at in range(start, first))

    def _explains(self, index: int) -> bool:
        """Tell whether a line begins with a score and goes on to say what it means."""
        item = self.items[index]
        if not LINE_START.search(self.low[max(0, item.start - LONG_LINE) : item.start]):
            return False
        found = EXPLAINS.match(self.low, item.end, item.end + LONG_LINE)
        following = self.items[index + 1].kind if index + 1 < len(self.items) else ""
        return found is not None and following != "pct"

    def _is_distribution(self, scores: Sequence[int], end: int) -> bool:
        """Tell whether each score has a plain percentage beside it."""
        percents = [at for at in range(max(scores[0] - 1, 0), end) if self.items[at].kind == "pct"]
        plain = [at for at in percents if self.text(at)[:1] not in "<>≤≥"]
        return len(plain) >= len(scores) - 1

    def text(self, index: int) -> str:
        """Return the folded text of an item."""
        item = self.items[index]
        return self.low[item.start : item.end]

    def place(self, index: int) -> Span:
        """Return the place of an item in the folded text."""
        return Span(self.items[index].start, self.items[index].end)
