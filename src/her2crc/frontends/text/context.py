"""What an item stands in: which items state nothing of this patient's result.

Conditions, recommendations, criteria, general statements, legends and unchecked boxes make what they govern *void*:
it stays readable for the structure of the text, but no value is taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from her2crc.frontends.text.boxes import Boxes
from her2crc.frontends.text.breaks import CLAUSE, COMMA, LONG_LINE, NONE, PARAGRAPH, SENTENCE
from her2crc.frontends.text.classes import OF_ONE, void_brackets, void_called
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.generalities import GOES_BY
from her2crc.frontends.text.lesions import is_designated
from her2crc.frontends.text.numbers import read_score
from her2crc.frontends.text.scan import Items

__all__ = ["CLAUSE", "COMMA", "NONE", "PARAGRAPH", "SENTENCE", "Context"]

LINE_START = re.compile(r"(?:^|\n)[\s\-*•(\"'|]{0,12}$")
EXPLAINS = re.compile(r"\)?\"?\s?(?:=|:|-\s|->|→)")
AFTER = ("if", "recommend", "maybe", "general", "elsewhere", "serum", "control")
"""What voids the items after it (to the end of the sentence, or of its parenthesis), and the words just before it."""
STOPS_AT_CLAUSE = ("recommend", "maybe")
OPENING = frozenset(AFTER)
VOIDING = frozenset((*AFTER, "criterion", "class_of", "box", "score"))
"""Kinds of items without which nothing in a sentence is void."""
ASKED = frozenset(("status", "noun"))
QUESTION = re.compile(r"[^.!;\n。?]{0,60}\?")
QUESTION_REACH = 61
"""Characters after the last item of a sentence in which its question mark stands."""
STATES = ("status", "noun", "absent", "present", "sign")
PLACES = frozenset(("part", "site", "prior", "current", "date", "anchor", "marker", "contrast", "tumour"))
RESULTS = frozenset(("score", "pct"))
MEASURED = frozenset(("num", "pct", "score"))
APPOSED = frozenset(",、(|")
BEFORE_CLASS = frozenset(("tumour", "site", "marker", "marker_status", "mutation"))
OF_GROUP = frozenset(("of", "in", "among", "von", "unter", "sur", "de", "di", "su", "parmi"))
MANY = "20"
"""As many digits have the numbers of a group that is spoken of in general."""
IS_GENERAL = frozenset(("criterion", "class_of", "general"))
IS_OWN = frozenset(("current", "patient"))
INDEFINITE = frozenset((
    "a", "an", "any", "every", "each", "ein", "eine", "einem", "einer", "jeder", "jedes", "un", "une", "tout", "toute",
    "una", "todo", "toda", "cualquier", "ogni", "qualsiasi", "uno", "herhangi",
))  # fmt: skip
SCORES = 3
FAR = 20
"""Items of a sentence that are looked ahead over."""
LABELLED = frozenset(("score", "score_word", "status"))
"""What follows where a guideline is only named in the label of a result."""
OF_PATIENT = frozenset(("cells", "tumour", "site", "specimen", "part", "patient", "current"))
TUMOUR = re.compile(r"(?<![a-z])(?:tumou?r|tumeur|tumore?|karzinom|carcinom|patient|paciente|paziente|hasta)|肿瘤|患者")
TISSUES = frozenset(("site", "tumour"))
THIS = re.compile(r"(?:this|our|diese[rm]|unsere[rm]|ce|cette|notre|nuestr[oa]|est[ea]|quest[oa]|nostr[oa]|bu)\s$")
OF_STAIN = frozenset(("ihc", "test", "noun", "specimen", "tumour", "site"))
"""What may stand between the name of a stain and 'is scored as' where a result follows."""


class Context(Boxes):
    """The items of one window with their breaks, nesting and voidness.

    ``kinds`` are those of the items, ``held`` what kinds there are; ``sentences`` gives, by its first item, a
    sentence's end and its kinds; ``asks`` tells whether anything can be a question.
    """

    def __init__(self, folded: Folded, items: Items, joining: frozenset[str]) -> None:
        super().__init__(folded, items, joining)
        self.cues = items.cues
        self.held: set[str] = set()
        self.sentences: dict[int, tuple[int, set[str]]] = {}
        self.asks = self.low.find("?", self.ends[0], self.ends[-1] + QUESTION_REACH) >= 0
        start = 0
        for index, level in enumerate(self.levels):
            if level >= SENTENCE and index:
                self._sentence(start, index)
                start = index
        self._sentence(start, len(self.levels))
        self._void_explained()

    def _void_explained(self) -> None:
        """Void sentences that explain scores one by one ('HER2 3+: strong complete ... HER2 2+: weak ...')."""
        scores = [index for index, kind in enumerate(self.kinds) if kind == "score"] if "score" in self.held else []
        if "explains" not in self.held and len(scores) < SCORES - 1:
            return
        repeated = [index for index, kind in enumerate(self.kinds) if kind == "explains"]
        explained = {}
        for index in scores:
            following = self.kinds[index + 1] if index + 1 < len(self.kinds) else ""
            if following not in ("pct", "num", "date") and EXPLAINS.match(self.low, self.ends[index]):
                explained[index] = read_score(self.text(index))
        if len(explained) < SCORES - 1 or len(set(explained.values())) < SCORES - 1:
            explained = {}
        if len(repeated) > 1 or (repeated and not self._is_of_name(repeated[0])):
            explained |= dict.fromkeys(repeated, "")
        end = 0
        for index in sorted(explained):
            if index < end:
                continue
            start, end = index, index + 1
            while start > 0 and self.levels[start] < SENTENCE and self.kinds[index] == "explains":
                start -= 1
            while end < len(self.kinds) and self.levels[end] < SENTENCE:
                end += 1
            self._mark(start, end)

    def _is_of_name(self, index: int) -> bool:
        """Tell whether 'is scored as' speaks of a named stain, not of how stains are scored."""
        at = index - 1
        while at > 0 and self.kinds[at] in OF_STAIN:
            at -= 1
        if at < 0 or self.kinds[at] != "anchor":
            return False
        end = next((stop for first, (stop, _) in self.sentences.items() if first <= index < stop), len(self.kinds))
        if self.kinds[index + 1 : end].count("score") == 1 and self.kinds[index + 1] == "score":
            return "if" not in self.kinds[index:end]
        for after in range(index + 1, min(index + FAR, len(self.kinds))):
            if self.levels[after] >= SENTENCE:
                break
            if self.kinds[after] == "comparator" and self.values[after] != "~":
                return False
            if self.low[self.starts[after]] in "<>≤≥":
                return False
        return True

    # ---- what is void

    def _sentence(self, start: int, end: int) -> None:
        kinds = set(self.kinds[start:end])
        self.held.update(kinds)
        self.sentences[start] = (end, kinds)
        if self.asks and not ASKED.isdisjoint(kinds) and QUESTION.match(self.low, self.ends[end - 1]):
            self._void_question(start, end)
        if VOIDING.isdisjoint(kinds):
            return
        if "criterion" in kinds and not self._void_own_brackets(start, end):
            self._mark_general(start, end)
        if not OPENING.isdisjoint(kinds):
            for kind in AFTER:
                if kind in kinds:
                    self._void_after(kind, start, end)
        if "class_of" in kinds:
            if ("pct" in kinds or "num" in kinds) and self._is_share_of_class(start, end):
                self._mark_general(start, end)
            self._void_classes(start, end)
        if "box" in kinds:
            self.void_unchecked(start, end)
        elif "score" in kinds:
            self._void_legend(start, end)

    def _void_question(self, start: int, end: int) -> None:
        """Void what the last part of a sentence asks: 'Is HER2 amplified in the metastasis?'."""
        at = end - 1
        while at > start and self.levels[at] < COMMA:
            at -= 1
        for index in range(at, end):
            if self.kinds[index] in ASKED:
                self.void[index] = True

    def _is_share_of_class(self, start: int, end: int) -> bool:
        """Tell whether a sentence speaks of how many tumours or patients have a result."""
        for index in range(start, end):
            at = index + 1
            if self.kinds[index] != "pct" and not self._is_many(index):
                continue
            while at < end and self.levels[at] == NONE and self.kinds[at] in BEFORE_CLASS:
                at += 1
            if at < end and self.levels[at] == NONE and self.kinds[at] == "class_of":
                return True
        return False

    def _is_many(self, index: int) -> bool:
        """Tell whether a number counts those of a group: 'of 304 RAS wild-type tumours', 'in 100 cancers'."""
        written = self.text(index)
        if self.kinds[index] != "num" or not written.isdigit() or len(written) < len(MANY):
            return False
        words = self.gaps[index].split()
        return bool(words) and words[-1] in OF_GROUP

    def _void_own_brackets(self, start: int, end: int) -> bool:
        """Void a parenthesis of criteria beside a value: 'ratio 2.8, amplified (criterion: 2.0 or above)'."""
        found = [at for at in range(start + 1, end) if self.kinds[at] == "criterion"]
        if len(found) != 1 or "(" not in self.gaps[found[0]]:
            return False
        before = found[0] - 1
        is_called = self.kinds[before] == "status" and ":" in self.gaps[before]
        if not is_called and MEASURED.isdisjoint(self.kinds[start : found[0]]):
            return False
        self._void_on(found[0], end, SENTENCE)
        return True

    def _mark_general(self, start: int, end: int) -> None:
        """Void a sentence that speaks in general, but for a clause of its own that turns to the present tumour."""
        at = start
        while at < end:
            last = at + 1
            while last < end and self.levels[last] < CLAUSE:
                last += 1
            kinds = self.kinds[at:last]
            if at == start or not IS_GENERAL.isdisjoint(kinds) or IS_OWN.isdisjoint(kinds):
                self._mark(at, last)
            at = last

    def _mark(self, start: int, end: int) -> None:
        for index in range(start, end):
            self.void[index] = True

    def _void_after(self, kind: str, start: int, end: int) -> None:
        """Void what follows a word such as 'if', and the statement that it cuts into just before."""
        stop = CLAUSE if kind in STOPS_AT_CLAUSE else SENTENCE
        index = start
        while index < end:
            if self.kinds[index] != kind:
                index += 1
                continue
            if self._is_applied(index, start) if kind == "general" else self._is_result(index, end):
                index += 1
                continue
            if kind == "if" and self._is_of_any(index, start):
                self._mark(start, index)
            elif kind != "elsewhere":
                self._void_before(index, start)
            last = self._own_from(index, end) if kind == "general" else end
            index = self._void_on(index, last, stop) if kind != "control" else self._void_control(index, end)

    def _own_from(self, index: int, end: int) -> int:
        """Return where a clause turns from what is said in general to 'this patient' or 'our patient', or the end."""
        for at in range(index + 1, end):
            if self.levels[at] >= CLAUSE and self.kinds[at] == "patient" and THIS.search(self.gaps[at]) is not None:
                return at
        return end

    def _is_of_any(self, index: int, start: int) -> bool:
        """Tell whether any such result is spoken of: 'a HER2 score of 3+ would ...', 'any HER2 2+ triggers ...'."""
        words = self.gaps[start].split()
        return (
            bool(words) and words[-1] in INDEFINITE and max(self.levels[start + 1 : index + 1], default=NONE) < CLAUSE
        )

    def _is_result(self, index: int, end: int) -> bool:
        """Tell whether a word that can also be a result closes its part of the sentence: '2+ (questionable)'."""
        start, at = self.starts[index], index + 1
        if at < end and self.starts[at] == start:
            at += 1
        elif index == 0 or self.starts[index - 1] != start:
            return False
        return at == end or self.levels[at] >= COMMA or self.low.startswith(")", self.ends[index])

    def _is_applied(self, index: int, start: int) -> bool:
        """Tell whether a guideline or a threshold is applied: 'HER2 by guideline: 2+', 'below the 10% cutoff'."""
        if self._is_status_by(index, start):
            return True
        named = "anchor" in self.kinds[start:index] and self.kinds[index - 1] != "score_word"
        following = self.kinds[index + 1] if index + 1 < len(self.kinds) else ""
        if named and following in LABELLED and self.low.startswith(":", self.ends[index]):
            return True
        for at in range(index - 1, max(start, index - SCORES) - 1, -1):
            if self.levels[at + 1] > NONE or self.kinds[at] in ("copies", "fold"):
                break
            if self.kinds[at] == "comparator" and self.values[at] != "~":
                return at > start
            if self.kinds[at] == "no":
                return not RESULTS.isdisjoint(self.kinds[max(start, at - FAR) : at])
        is_held = self.kinds[index + 1 : index + SCORES] == ["pct", "comparator"]
        return is_held and "pct" in self.kinds[max(start, index - FAR) : index]

    def _is_status_by(self, index: int, start: int) -> bool:
        """Tell whether a status goes by a threshold: 'positive with reference to the 10 % threshold'."""
        at = index - 1
        if at > start and self.kinds[at] == "pct":
            at -= 1
        applied = at >= start and self.kinds[at] == "status" and max(self.levels[at + 1 : index + 1]) == NONE
        if not applied or GOES_BY.isdisjoint(self.gaps[at + 1].split()[:1]):
            return False
        self._mark(at + 1, index)
        return True

    def _void_on(self, index: int, end: int, stop: int) -> int:
        depth = self.depths[index]
        while index < end:
            self.void[index] = True
            index += 1
            if index == end or self.depths[index] < depth:
                break
            if self.levels[index] >= stop and (self.depths[index] == depth or self.levels[index] >= SENTENCE):
                break  # a semicolon in a parenthesis ends nothing
        return index

    def _void_control(self, index: int, end: int) -> int:
        """Void what is said of a control, until the tumour is spoken of: 'the control 3+, the tumour 1+'."""
        depth = self.depths[index]
        while index < end:
            self.void[index] = True
            index += 1
            if index < end and self.depths[index] < depth:
                break
            if index == end or self.levels[index] < COMMA or self.depths[index] > depth:
                continue
            kind = self.kinds[index]
            if self.kinds[index - 1] == "control" and kind in TISSUES and self.gaps[index].lstrip()[:1] in APPOSED:
                continue  # 'negative control, normal colon'
            if kind in OF_PATIENT or (kind == "anchor" and self.levels[index] >= CLAUSE):
                break
            if TUMOUR.search(self.gaps[index]) is not None:
                break
        return index

    def _void_before(self, index: int, start: int) -> None:
        """Void statuses in the same part of the sentence before a word (a number or score there stays)."""
        while index > start and self.levels[index] < COMMA:
            index -= 1
            if self.kinds[index] in STATES:
                self.void[index] = True

    def _void_classes(self, start: int, end: int) -> None:
        """Void 'HER2-positive tumours': it names a class of patients."""
        for index in range(start + 1, end):
            if self.kinds[index] != "class_of":
                continue
            at = void_brackets(self, index, start)
            while at > start and self.levels[at] == NONE and self.starts[at] > self.starts[index] - LONG_LINE:
                at -= 1
                if self.kinds[at] in ("status", "score", "sign", "noun"):
                    self.void[at] = True
            if self.void[at] or self.void[index - 1]:
                self._void_inside(index, end)
            else:
                void_called(self, index, start, end)

    def _void_inside(self, index: int, end: int) -> None:
        """Void the parenthesis right after a class: 'HER2-positive tumours (IHC 3+)'."""
        last = index + 1
        while last < end and self.depths[last] > self.depths[index]:
            last += 1
        if OF_ONE.isdisjoint(self.kinds[index:last]) and "prior" not in self.kinds[max(0, index - FAR) : index]:
            self._mark(index + 1, last)

    def _void_legend(self, start: int, end: int) -> None:
        """Void scores that are explained ('2+: weak to moderate ...'), or listed with their meaning."""
        scores = [at for at in range(start, end) if self.kinds[at] == "score"]
        several = len(scores) >= SCORES and len({read_score(self.text(at)) for at in scores}) >= SCORES
        if several and not self._is_distribution(scores, end) and not self._is_of_lesions(scores, end):
            first = self._first_of_legend(scores[0], start)
            inner = [at for at in scores if self.depths[at] > self.depths[first]]
            others = {read_score(self.text(at)) for at in inner}
            if len(others) >= SCORES - 1 and len(inner) == len(scores) - 1:
                self._mark(inner[0], self._void_on(inner[0], end, SENTENCE))
            elif not PLACES & {self.kinds[at] for at in range(first, scores[-1]) if self.kinds[at + 1] != "cep17"}:
                own = self._has_own(start, first) and not self._is_after_status(scores)
                self._mark(first if own else start, end)
        elif self._explains(scores[0]):
            self._mark(start, end)

    def _first_of_legend(self, index: int, start: int) -> int:
        """Return where a list of scores begins: a bare 0 may stand before the first that has a plus ('0 negative')."""
        at = index - 1
        while at > start and self.kinds[at] == "status":
            at -= 1
        return at if at >= start and self.kinds[at] == "num" and self.text(at) == "0" else index

    def _is_after_status(self, scores: Sequence[int]) -> bool:
        """Tell whether each score stands after its status: 'negative (0-1+), equivocal (2+), positive (3+)'."""
        return min(scores) > 0 and all(self.kinds[at - 1] == "status" for at in scores)

    def _has_own(self, start: int, first: int) -> bool:
        return any(self.kinds[at] in ("status", "sign") for at in range(start, first))

    def _explains(self, index: int) -> bool:
        """Tell whether a line begins with a score and goes on to say what it means."""
        following = self.kinds[index + 1] if index + 1 < len(self.kinds) else ""
        if following == "pct" or EXPLAINS.match(self.low, self.ends[index]) is None:
            return False
        start = self.starts[index]
        return LINE_START.search(self.low[max(0, start - LONG_LINE) : start]) is not None

    def _is_distribution(self, scores: Sequence[int], end: int) -> bool:
        """Tell whether each score has a plain percentage beside it."""
        first = scores[0] - 1
        while first > 0 and self.kinds[first] == "cells" and self.levels[first] == NONE:
            first -= 1
        percents = [at for at in range(max(first, 0), end) if self.kinds[at] == "pct"]
        plain = [at for at in percents if self.text(at)[:1] not in "<>≤≥"]
        return len(plain) >= len(scores) - 1 and not all(self._is_compared(at) for at in plain)

    def _is_of_lesions(self, scores: Sequence[int], end: int) -> bool:
        """Tell whether each score has a lesion of its own before it; those of a legend are in order, without shares."""
        if not all(is_designated(self.low, self.starts[at]) for at in scores):
            return False
        order = [read_score(self.text(at)) for at in scores]
        return order not in (sorted(order), sorted(order, reverse=True)) or "pct" in self.kinds[scores[0] : end]

    def _is_compared(self, index: int) -> bool:
        """Tell whether words before a percentage make it a bound: 'at least 50 %'."""
        before = index - 1
        return before >= 0 and self.kinds[before] == "comparator" and self.values[before] != "~"
