"""Scores of stained slides and the percentages that go with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import COMMA, NONE, PARAGRAPH, SENTENCE
from her2crc.frontends.text.drafts import ANALYTE, Draft, Fact, Population, Waiting
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.gather import Gathered
from her2crc.frontends.text.lesions import is_of_next_lesion
from her2crc.frontends.text.numbers import one_score, read_percent, read_score
from her2crc.frontends.text.shares import Shares

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

SCALE = re.compile(r"/|\s(?:out\s)?(?:of|von|sur|de|su)\s(?:a\spossible\s)?")
REPLACING = re.compile(r"\d\s?\+?.{0,4}?([0-3])\s?\+$")
LETTER = re.compile(
    r"(?:[\s~(,-]{0,3}(?:[il1]hc|immunohistochemistry)\)?)?\s{0,2}[:=]\s{0,2}(o)(?=\s{0,2}(?:[(,;.\n]|$))"
)
SIGN_OF = re.compile(r",\s(?:[a-z]{3,20}\s){1,2}$")
"""What ends in a sign of another kind: ', proteinuria 1+', ', pitting oedema 2+'."""
LETTER_REACH = 30
"""Characters that are enough to hold it."""
PERCENT_LABEL = re.compile(r"(?<![^a-z]\d)(?<![^a-z]\d\s)(?:%|percent|per cent)[^\n:=\d%;]{0,40}[:=]\s{0,3}$")
LONGEST_LABEL = 60
"""Characters of a label before its number."""
OF_PERCENT = frozenset(("percent", "ihc", "neutral", "status", "cells", "score_word"))
"""What may stand between a name and its percentage on a line of its own."""
STAIN_WORDS = ("score", "pattern", "cells", "ihc")
THREE = "3+"
VALUES = frozenset(("pct", "score", "status", "sign", "num", "absent", "present", "marker_status", "noun"))
"""What another marker's value can be."""


class Scores(Gathered):
    """Reads scores and percentages."""

    def on_score(self, walker: Binding, index: int, value: str) -> None:
        """Read a written score."""
        score, span = value or read_score(walker.ctx.text(index)), walker.ctx.place(index)
        if walker.replaced and not value and (later := REPLACING.search(walker.ctx.text(index))):
            score, walker.replaced = one_score(later[1]), False
            span = Span(span.start + later.start(1), span.end)
        if (
            not score
            or (walker.method == "plasma" and not any(letter.isdigit() for letter in walker.ctx.text(index)))
            or (walker.noun == "amplification" and not value and "(" in walker.ctx.gaps[index])
        ):
            return
        self.drop_corrected(walker, index)
        gap = walker.ctx.gaps[index]
        scale = index > 0 and walker.ctx.kinds[index - 1] == "score" and SCALE.fullmatch(gap)
        if self.is_denied(walker, index):
            return
        if scale and (gap != "/" or score == THREE):
            return
        if self.is_explained(walker, index):
            walker.void_rest(index, SENTENCE)
            return
        if not walker.has_anchor and (index == walker.start or SIGN_OF.search(gap)) and not walker.is_near(index):
            return
        walker.emit(Fact("ihc_score", score, index, "", span))

    def drop_corrected(self, walker: Binding, index: int) -> None:
        """Take back the score just before where this one is what it was corrected to: 'from 3+ to 2+'."""
        found = self.open.get(ANALYTE["ihc"])
        if found is None or not found.populations or index == walker.start or "amended" not in walker.kinds:
            return
        if found.populations[-1].span.end == walker.ctx.ends[index - 1] and walker.turns(index):
            found.populations.pop()

    def is_denied(self, walker: Binding, index: int) -> bool:
        """Tell whether a score is named as the one that it is not: '2+ and not 3+'."""
        if walker.next_kind(index) == "absent" and walker.ctx.gaps[index + 1].strip() in (":", "in", "="):
            return True  # '3+: none'
        at = index - 1
        while at > walker.start and walker.ctx.kinds[at] in ("score_word", "present"):
            at -= 1
        if at < walker.start or walker.ctx.kinds[at] not in ("no", "absent"):
            return False
        between = {word for gap in walker.ctx.gaps[at + 1 : index + 1] for word in gap.strip(' "(').split()}
        return between <= walker.languages.fillers - walker.languages.separators

    def is_explained(self, walker: Binding, index: int) -> bool:
        """Tell whether a score is only explained: '0 = no staining'."""
        return walker.sign_after(index) == "=" and walker.next_kind(index) not in (
            "pct",
            "status",
            "num",
            "cells",
            "score",
        )

    def read_letter(self, walker: Binding, index: int) -> None:
        """Read the letter O that stands for the score 0 right after a name: 'HER2: O (negative)'."""
        end = walker.ctx.ends[index]
        window = walker.ctx.low[end : end + LETTER_REACH]
        if "o" not in window or not (":" in window or "=" in window):
            return
        found = LETTER.match(walker.ctx.low, end)
        if found is not None and not walker.ctx.void[index]:
            walker.emit(Fact("ihc_score", one_score("0"), index, "", Span(found.start(1), found.end(1))))

    def on_score_word(self, walker: Binding, index: int) -> None:
        """Read a score written as a word, or with a letter that OCR takes for its digit ('score: O')."""
        found = walker.languages.numeral_pattern.match(walker.ctx.low, walker.ctx.ends[index])
        if found is not None:
            score = one_score(walker.languages.numerals[found[1]])
            walker.emit(Fact("ihc_score", score, index, "", Span(found.start(1), found.end(1))))

    def take_score(self, walker: Binding, fact: Fact) -> None:
        """Add a score: another population of a mixed result, or a result of its own."""
        span = fact.span or walker.ctx.place(fact.at)
        found = self.open.get(ANALYTE["ihc"])
        if found is not None and found.populations and found.sentence == walker.sentence:
            walker.place_since = walker.place_since or is_of_next_lesion(
                walker.ctx.low, found.populations[0].span.start, found.populations[-1].span.end, span.start
            )
        mixed = (
            found is not None and found.mention == walker.mention and found.sentence == walker.sentence
            and not walker.place_since and "prior" not in {found.about.temporality} ^ {walker.about.temporality}
        )  # fmt: skip
        scores = {item.score for item in found.populations} if found is not None else set()
        if found is None or not mixed or not found.populations:
            field_value = next(iter(scores)) if scores else fact.value
            same = fact.value in scores or not scores
            found = self.draft(walker, "ihc", "ihc_score", fact.value)
            if scores and not same and found.populations and field_value != fact.value:
                found = self.fresh(walker, "ihc")
        if fact.value not in {item.score for item in found.populations}:
            found.populations.append(Population(fact.value, span))
        self.last = found
        walker.place_since = False
        self.attach_waiting(walker, found, fact)
        self.attach_details(walker, found)
        if not walker.method:
            walker.method, walker.method_mention = "ihc", walker.mention

    def attach_waiting(self, walker: Binding, found: Draft, fact: Fact) -> None:
        """Give the percentage that stood before its score to it."""
        waiting, self.waiting = self.waiting, None
        if waiting is None:
            return
        population = found.populations[-1]
        same = waiting.sentence == walker.sentence or self.is_concluded(walker, waiting, fact)
        if same and population.percent is None and not self.has_own_percent(walker, fact):
            population.percent, population.op, population.percent_span = waiting.percent, waiting.op, waiting.span

    def is_concluded(self, walker: Binding, waiting: Waiting, fact: Fact) -> bool:
        """Tell whether a score is the outcome of the sentence before: 'staining in 70 % of cells. The score is 2+.'."""
        follows = waiting.sentence == walker.sentence - 1 and walker.ctx.levels[walker.start] < PARAGRAPH
        if not follows or fact.value == "0" or not {"pct", "marker"}.isdisjoint(walker.kinds):
            return False
        before = walker.start - 1
        while before > 0 and walker.ctx.levels[before] < SENTENCE:
            before -= 1
        only = walker.ctx.kinds[max(before, 0) : walker.start].count("pct") == 1
        return only and "score_word" in walker.ctx.kinds[walker.start : fact.at]

    def has_own_percent(self, walker: Binding, fact: Fact) -> bool:
        """Tell whether a percentage is linked to a score right after it: '60 % ... (3+ in 15 %, ...)', '3+: 15 %'."""
        at = fact.at + 1
        if at >= walker.end or walker.ctx.kinds[at] != "pct" or walker.ctx.levels[at] > NONE:
            return False
        words = walker.ctx.gaps[at].split()
        return bool(words) and (words[0] in walker.languages.links or words == [":"])

    def on_percent(self, walker: Binding, index: int) -> None:
        """Read a percentage, if it is one of stained or amplified cells."""
        ctx = walker.ctx
        if ctx.void[index] or self.is_other_percent(walker, index):
            return
        shares = Shares(walker)
        if shares.is_share_of_amplified(index):
            shares.put_share(index)
            return
        following = walker.next_kind(index)
        previous = walker.previous_kind(index)
        if previous == "neutral" and ctx.levels[index - 1] == NONE:  # 'tumour cells at this intensity: 45 %'
            previous = walker.previous_kind(index - 1)
        stained = following == "cells" or previous in STAIN_WORDS or self.follows_score(walker, index)
        pairs = following in ("score", "score_word") and ctx.levels[index + 1] <= COMMA
        named = previous in ("comparator", "percent", "score_word", "anchor")
        if stained or pairs or named or self.is_labelled(walker, index):
            walker.emit(Fact("percent", "", index))

    def is_labelled(self, walker: Binding, index: int) -> bool:
        """Tell whether a percentage, or a bare number, has a label that says so: '% positive: 40', '(%) = 40'."""
        low, start, gap = walker.ctx.low, walker.ctx.starts[index], walker.ctx.gaps[index]
        if index <= walker.start or not (":" in gap or "=" in gap) or gap.rstrip()[-1:] not in (":", "="):
            return False
        if walker.ctx.kinds[index - 1] == "percent" and gap.strip() in (":", "="):
            return True
        begin = max(0, start - LONGEST_LABEL)
        label = low[begin:start]
        return ("%" in label or "per" in label) and PERCENT_LABEL.search(low, begin, start) is not None

    def follows_score(self, walker: Binding, index: int) -> bool:
        """Tell whether a percentage stands right after a score, or after its status in words."""
        found = self.open.get(ANALYTE["ihc"])
        if (
            found is None
            or not found.populations
            or found.sentence != walker.sentence
            or found.mention != walker.mention
        ):
            return False
        last = found.populations[-1]
        if last.percent is not None:
            return False
        return walker.ctx.ends[index - 1] == last.span.end or walker.ctx.kinds[index - 1] == "status"

    def is_other_percent(self, walker: Binding, index: int) -> bool:
        """Tell whether a percentage is one of tumour content, allele fraction or another marker."""
        ctx = walker.ctx
        following = walker.next_kind(index)
        if following in ("fraction", "mutation") and len(ctx.gaps[index + 1]) <= len(" of the "):
            return True
        if following == "marker" and ctx.gaps[index + 1] == " " and ctx.levels[index] >= COMMA:
            after = index + 2
            if after >= walker.end or ctx.kinds[after] not in VALUES:  # '2+, 60% Ki-67'
                return True
        recent = walker.slots[-3:]
        return "fraction" in recent or (bool(recent) and recent[-1] in ("variant", "mutation"))

    def take_percent(self, walker: Binding, fact: Fact) -> None:
        """Give a percentage to the score before it, or keep it for the one after it."""
        read = read_percent(walker.ctx.text(fact.at))
        if read is None:
            return
        percent, op = read
        values, gaps = walker.ctx.values, walker.ctx.gaps
        if not op and walker.previous_kind(fact.at) == "comparator" and values[fact.at - 1] != "~":
            op = values[fact.at - 1]
        if not op and walker.next_kind(fact.at) == "comparator" and not gaps[fact.at + 1]:
            op = values[fact.at + 1]  # '70%以上'
        span = walker.ctx.place(fact.at)
        found = self.open.get(ANALYTE["ihc"])
        if (
            found is not None and found.populations and found.populations[-1].percent is None
            and (found.mention == walker.mention or self.is_next_line(walker, fact.at, found))
            and not self.belongs_ahead(walker, fact.at, found)
        ):  # fmt: skip
            population = found.populations[-1]
            population.percent, population.op, population.percent_span = percent, op, span
            found.sentence = walker.sentence
        elif (
            found is not None and not found.populations and found.mention == walker.mention and "status" in found.values
        ):
            found.put("percent", percent, span)
        else:
            self.waiting = Waiting(percent, op, span, walker.sentence)

    def is_next_line(self, walker: Binding, index: int, found: Draft) -> bool:
        """Tell whether the line after a score names HER2 again with its percentage: 'HER2 % | 35%'."""
        own = found.sentence in (walker.sentence, walker.sentence - 1) and found.about.key() == walker.about.key()
        ctx, at = walker.ctx, index - 1
        while at > walker.start and ctx.kinds[at] in OF_PERCENT:
            at -= 1
        return own and ctx.kinds[at] == "anchor" and (at == walker.start or ctx.low[ctx.starts[at] - 1] == "\n")

    def belongs_ahead(self, walker: Binding, index: int, found: Draft) -> bool:
        """Tell whether a percentage stands before its score ('40% 3+, 60% 0'), or in the sentence of another score."""
        if found.sentence != walker.sentence and "score" in walker.kinds:
            return "score" in walker.ctx.kinds[index + 1 : walker.end]
        if (
            walker.next_kind(index) != "score"
            or walker.ctx.levels[index + 1] != NONE
            or found.sentence != walker.sentence
            or ")" in walker.ctx.gaps[index + 1]
        ):
            return False
        return walker.ctx.levels[index] >= COMMA and walker.ctx.kinds[index - 1] != "comparator"
