"""What a negation reaches, and what 'negative' is said of: a result, a list, another place, or some of the cells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import CLAUSE, COMMA, NONE
from her2crc.frontends.text.drafts import ANALYTE, Fact
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.scores import Scores

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

DENIED = {"positive": "negative", "amplified": "not_amplified"}
STATES_RESULT = frozenset(("status", "noun", "score", "sign", "absent", "present", "pct"))
SAID_OF = frozenset(("noun", "status", "score", "anchor", "marker", "mutation", "site", "tumour"))
"""What a negation before it denies."""
LOOKED_FOR_IN = frozenset(
    ("num", "tissue", "plasma", "digital", "specimen", "site", "tumour", "assay", "test", "blood")
)
"""What may stand between 'not detected' and what is listed."""
SPOKEN_OF = frozenset(("noun", "variant"))
NEGATED_NOUN = {"amplification": "not_amplified", "overexpression": "not_overexpressed", "gain": "not_amplified"}
CLAUSE_PART = re.compile(r"[^.,;:\n。、(]{0,60}")
DENYING_ENDING = re.compile(
    r"[a-z](?:ma|me)(?:di|mis(?:tir)?|makta(?:dir)?|mekte(?:dir)?|z)(?![a-z])"
    r"|ない|ず(?:[、。, ]|$)|なかった|ません|未能|未被"
)
"""Endings that deny a verb in Turkish, Japanese and Chinese, whatever the verb."""
ENDED = re.compile(r"\s{0,2}(?:$|[.,;)\n|。])")
DENIES = re.compile(r"(?!のみ|だけ)[\u3041-\u3093]{0,8}?(?:ない|ず(?:[、。, ]|$)|なかった|ません)")
"""The same right after a word of Japanese that by itself affirms."""
TESTED = frozenset(("ihc", "ish", "tissue", "plasma", "digital", "anchor"))
TESTING = TESTED | {"test"}
"""What names a test that was not done; the first are needed."""
NAMES_TEST = TESTING | {"noun"}
NAMING = frozenset(("ihc", "ish", "score", "score_word", "noun", "tissue", "plasma"))
"""What in a sentence says that it speaks of HER2, besides its name."""
NODES = re.compile(r"\s?\(?\d{1,3}\s?/\s?\d{1,3}(?!\d)")
"""Lymph nodes with tumour, of those looked at."""
LOOK = 8
"""Items that are looked ahead."""
FAR = 40
"""Items that a negation can reach over."""


CALLED = frozenset(("positive", "negative", "equivocal"))


class Denials(Scores):
    """Tells what is denied, and what is said of all methods."""

    def is_overall(self, walker: Binding) -> bool:
        """Tell whether a sentence begins with the result of all methods: 'Overall HER2 status: negative'."""
        line = walker.ctx.gaps[walker.start].rpartition("\n")[2].split()
        return walker.ctx.kinds[walker.start] == "anchor" and not walker.languages.wholes.isdisjoint(line[-1:])

    def scored(self, walker: Binding, fact: Fact) -> str:
        """Return the method of a status with its score in parentheses after it: 'HER2-positive (3+)'."""
        ctx, at = walker.ctx, fact.at + 1
        has_score = at < walker.end and ctx.kinds[at] == "score" and ctx.gaps[at].strip() == "("
        return "ihc" if has_score and ctx.kinds[fact.at] == "status" and fact.value in CALLED else ""

    def is_suspended(self, walker: Binding, index: int) -> bool:
        """Tell whether a hyphen stands for the rest of a word: '8,4 HER2- und 2,7 CEP17-Signale'."""
        counted = walker.ctx.kinds[max(index - len(("num", "anchor")), 0)]
        after = walker.ctx.low[walker.ctx.ends[index] : walker.ctx.ends[index] + LOOK].split()
        return (
            counted == "num" and walker.ctx.text(index) == "-" and not walker.languages.separators.isdisjoint(after[:1])
        )

    def read_undone(self, walker: Binding, index: int) -> Fact | None:
        """Return what a negation says of a test that it denies to have been done: 'no HER2 FISH was performed'."""
        ctx, at = walker.ctx, index + 1
        while at < walker.end and ctx.starts[at] < ctx.ends[index]:
            at += 1
        first = at
        if at >= walker.end or ctx.kinds[at] not in NAMES_TEST:
            return None
        while at < walker.end and ctx.levels[at] == NONE:
            named = ctx.kinds[at] == "noun" and walker.next_kind(at) == "test" and len(ctx.gaps[at + 1]) <= 1
            if not named and ctx.kinds[at] not in TESTING:
                break
            if not set(ctx.gaps[at].replace("-", " ").split()) <= walker.languages.passable:
                break
            at += 1
        if TESTED.isdisjoint(ctx.kinds[first:at]):
            return None
        done = walker.languages.done.match(ctx.low, ctx.ends[at - 1])
        if done is None:
            return None
        return Fact("status", "not_done", at - 1, "", Span(ctx.starts[index], done.end()))

    def is_of_share(self, walker: Binding, index: int) -> bool:
        """Tell whether 'negative' is said of some of the cells: '20% 3+, 80% negative'."""
        ctx = walker.ctx
        if "pct" not in walker.kinds:
            return False
        begin = max(walker.start, index - FAR)
        before = ctx.kinds[begin:index]
        if "score" not in before and "score" not in ctx.kinds[index + 1 : min(index + LOOK, walker.end)]:
            return False
        first = index
        while first > walker.start and ctx.starts[first - 1] == ctx.starts[index]:
            first -= 1
        at = first - 1
        while at > walker.start and ctx.kinds[at] in ("cells", "neutral") and ctx.levels[at + 1] == NONE:
            at -= 1
        plain = not ctx.gaps[first].strip() and ctx.levels[at + 1] == NONE
        if at > walker.start and ctx.kinds[at] == "pct" and plain and ctx.levels[at] >= COMMA:
            return True
        at = index + 1
        while at < walker.end and (ctx.starts[at] == ctx.starts[index] or ctx.kinds[at] == "comparator"):
            at += 1
        if at >= walker.end or ctx.kinds[at] != "pct" or max(ctx.levels[index + 1 : at + 1]) > COMMA:
            return False
        if "score" not in before or "pct" not in before:
            return False
        scored = ctx.starts[begin + before.index("score")]
        last = begin + max(at for at, kind in enumerate(before) if kind == "pct")
        return ctx.starts[last] > scored and (ctx.levels[first] >= COMMA or "/" in ctx.gaps[first])

    def is_of_site(self, walker: Binding, index: int) -> bool:
        """Tell whether a place alone is called free or not ('Lymph nodes: negative'), in a sentence without HER2."""
        first = index
        while first > walker.start and walker.ctx.starts[first - 1] == walker.ctx.starts[index]:
            first -= 1
        if walker.previous_kind(first) != "site":
            return False
        named = walker.has_anchor or not NAMING.isdisjoint(walker.kinds)
        return not named or NODES.match(walker.ctx.low, walker.ctx.ends[index]) is not None

    def begins_list(self, walker: Binding, index: int) -> bool:
        """Tell whether 'negative for' denies what is listed after it."""
        ctx = walker.ctx
        at = index + 1
        if at >= walker.end or walker.negated_from >= 0 or (walker.topic == "her2" and index > walker.start):
            return False
        words = ctx.gaps[at].replace(":", " ").split()
        if not words or words[0] not in walker.languages.links:
            return False
        listed = range(at, min(index + FAR, walker.end))
        names = sum(ctx.kinds[other] in ("anchor", "marker") for other in listed)
        return names > 1 and any(ctx.kinds[other] == "noun" and ctx.values[other] in NEGATED_NOUN for other in listed)

    def heads_denied(self, walker: Binding, index: int) -> bool:
        """Tell whether 'not detected' and a colon deny what is listed; at its head, on what it was looked for too."""
        ctx, at = walker.ctx, index + 1
        is_head = ctx.starts[index] == ctx.starts[walker.start] or ctx.levels[index] >= CLAUSE
        while is_head and at < walker.end and ctx.kinds[at] in LOOKED_FOR_IN and ":" not in ctx.gaps[at]:
            at += 1
        listed = is_head and at < walker.end and ctx.kinds[at] in ("noun", "anchor", "marker", "mutation")
        if listed and ":" in ctx.gaps[at] and max(ctx.levels[index + 1 : at + 1]) < CLAUSE:
            walker.negated_across = "list"
            return True
        return ctx.low.startswith(":", ctx.ends[index])

    def is_only_implied(self, walker: Binding) -> bool:
        """Tell whether a stain was never named, but only scored, before HER2 was named again: it may be any test."""
        return walker.method == "ihc" and "ihc" not in walker.tests and walker.method_mention != walker.mention

    def is_denying(self, walker: Binding, index: int) -> bool:
        """Tell whether a negation is at work; a list's part between semicolons may state a result of its own."""
        ctx, at = walker.ctx, index
        if walker.negated_from < 0 or index - walker.negated_from > FAR:
            return walker.negated_from >= 0
        if max(ctx.levels[walker.negated_from + 1 : index + 1], default=NONE) < CLAUSE:
            return True
        last = min(walker.end, index + FAR) - 1
        while at < last and ctx.levels[at + 1] < CLAUSE and ctx.kinds[at] not in ("status", "present"):
            at += 1
        return ctx.kinds[at] not in ("status", "present")

    def is_reached(self, walker: Binding, index: int) -> bool:
        """Tell whether a negation before reaches a result: over the commas of a list, not into another statement."""
        ctx = walker.ctx
        if index - walker.negated_from > FAR:
            return False
        breaks = [at for at in range(walker.negated_from + 1, index + 1) if ctx.levels[at] >= COMMA]
        if not breaks or walker.negated_list or walker.negated_from == index - 1:
            return True
        last = breaks[-1]
        if set(ctx.gaps[last].replace(",", " ").split()) & walker.languages.separators:
            return True
        if not SPOKEN_OF.isdisjoint(ctx.kinds[walker.negated_from : last]):
            return last == index and ctx.kinds[last - 1] in ("noun", "mutation")
        return all(ctx.kinds[at] in ("anchor", "marker") and walker.is_listed(at) for at in breaks)

    def is_denied_after(self, walker: Binding, index: int) -> bool:
        """Tell whether the statement goes on with a negation of nothing that is known: '... liess sich nicht ...'."""
        ctx, end = walker.ctx, walker.ctx.ends[index]
        stated = CLAUSE_PART.match(ctx.low, end)
        known = walker.next_kind(index) in ("absent", "present", "status") and ctx.levels[index + 1] == NONE
        if stated is not None and not known and denies_at_end(stated[0]):
            return True
        denied = False
        for at in range(index + 1, min(index + LOOK, walker.end)):
            kind = walker.ctx.kinds[at]
            if walker.ctx.levels[at] > NONE or kind == "contrast":
                break
            denied = kind == "no" or (denied and kind not in SAID_OF)
        return denied

    def is_denied_by_verb(self, walker: Binding, index: int) -> bool:
        """Tell whether the ending of a verb denies what was just stated, with nothing known between."""
        ctx, end = walker.ctx, walker.ctx.ends[index]
        if denies_next(ctx.low, end):
            return True
        part = CLAUSE_PART.match(ctx.low, end, ctx.starts[index + 1] if index + 1 < walker.end else len(ctx.low))
        return part is not None and part[0].isascii() and denies_at_end(part[0])

    def is_denied_at_end(self, walker: Binding, index: int) -> bool:
        """Tell whether a clause ends with a negation: 'überexprimiert HER2 nicht', 'positivity was not detected'."""
        ctx, at = walker.ctx, index + 1
        while at < walker.end and ctx.kinds[at] in ("anchor", "noun") and self.only_passes(walker, at):
            at += 1
        if at >= walker.end or ctx.kinds[at] not in ("no", "absent") or not self.only_passes(walker, at):
            return False
        return (ctx.kinds[at] == "absent" or ctx.gaps[at] == " ") and ENDED.match(ctx.low, ctx.ends[at]) is not None

    def only_passes(self, walker: Binding, index: int) -> bool:
        """Tell whether nothing but words of a statement stand before an item."""
        return walker.ctx.levels[index] == NONE and walker.languages.passable.issuperset(walker.ctx.gaps[index].split())

    def is_contrast(self, walker: Binding, index: int) -> bool:
        """Tell whether a place is one where the result was not found: 'in the primary but not in the metastasis'."""
        ctx, last = walker.ctx, self.last
        if walker.negated_from < 0 or last is None or last.sentence != walker.sentence or ctx.void[index]:
            return False
        if last.values.get("status") not in DENIED:
            return False
        if ctx.starts[walker.negated_from] != ctx.starts[index - 1]:
            return False
        words = ctx.low[ctx.ends[index - 1] : ctx.starts[index]].split()
        ahead = ctx.kinds[index + 1 : min(index + LOOK, walker.end)]
        return bool(words) and words[0] in walker.languages.links and STATES_RESULT.isdisjoint(ahead)

    def put_contrast(self, walker: Binding, index: int) -> None:
        """Add the opposite result of another place; the words that deny it are its place."""
        last = self.last
        if last is None:
            return
        method = next(name for name, analyte in ANALYTE.items() if analyte == last.analyte)
        state = DENIED[str(last.values["status"])]
        found = self.fresh(walker, method)
        found.put("status", state, walker.ctx.place(walker.negated_from))
        self.open.pop(found.analyte)

    def is_answered_no(self, walker: Binding, index: int) -> bool:
        """Tell whether a status is a label that is answered with 'no': 'HER2 positive: no'."""
        ctx, at = walker.ctx, index + 1
        if at >= walker.end or ctx.kinds[at] not in ("no", "absent") or ctx.gaps[at].strip() not in (":", "="):
            return False
        return ENDED.match(ctx.low, ctx.ends[at]) is not None

    def describes_share(self, walker: Binding, index: int) -> bool:
        """Tell whether amplification only says of which cells a percentage is ('percentage of cells with ...')."""
        gap = walker.ctx.gaps[index]
        if "%" in gap and gap.rstrip().endswith("%"):
            return True
        if "cells" not in walker.kinds:
            return False
        kinds = []
        for at in range(index - 1, max(walker.start, index - len("ahead")) - 1, -1):
            if walker.ctx.levels[at + 1] > NONE:
                break
            kinds.append(walker.ctx.kinds[at])
        nearest = kinds[:2]
        if (nearest == ["cells", "pct"] or nearest[:1] == ["percent"]) and len(walker.ctx.gaps[index]) <= 1:
            return True
        return "percent" in kinds and "cells" in kinds and "pct" not in kinds


def denies_next(low: str, end: int) -> bool:
    """Tell whether what follows a word of Japanese denies it; looked for only where its letters can stand."""
    return not low[end : end + 1].isascii() and DENIES.match(low, end) is not None


def denies_at_end(words: str) -> bool:
    """Tell whether a verb is denied by its ending; looked for only where the letters of one stand."""
    may = "ma" in words or "me" in words or not words.isascii()
    return may and DENYING_ENDING.search(words) is not None
