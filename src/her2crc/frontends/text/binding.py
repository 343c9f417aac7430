"""What a value is bound to: the state of the walk, and the rules of who it belongs to.

The topic is HER2, another marker, or nothing; a value goes to the marker it is linked to ('positive for HER2'), else
to the topic, else it waits for the name of HER2 in its sentence. It never crosses another marker.
"""

from __future__ import annotations

import re

from her2crc.frontends.text.context import CLAUSE, COMMA, NONE, Context
from her2crc.frontends.text.drafts import About, Fact
from her2crc.frontends.text.findings import Review, Span
from her2crc.frontends.text.languages import Languages
from her2crc.frontends.text.sections import Sections
from her2crc.frontends.text.values import Values

WORD = re.compile(r"[a-zß-ɏ]+|[぀-ヿ㐀-鿿]+")
HYBRIDISED = frozenset(("amplified", "not_amplified", "pending", "not_done"))
"""What in situ hybridisation can come to, in words that need no name of a marker."""
OF_COUNT = frozenset(("ish", "num", "cells", "counted", "ratio", "cep17", "per_cell", "signals", "ish_hint"))
"""What can stand before the words that lead to its outcome."""
METHODS = frozenset(("ihc", "ish", "tissue", "plasma", "digital"))
GENES = frozenset(("ish", "tissue", "plasma"))
OF_PERSON = frozenset(("prior", "past", "family", "site", "class_of", "therapy"))
"""What 'her 2 ...' speaks of where it is the pronoun: her 2 previous operations, her 2 sisters."""
NO_MARKER = "margin"
"""Margins and the like: they are negative or positive, but stand in no list of markers."""
NAMES = frozenset(("anchor", "marker"))
OWN = frozenset(("score", "num", "pct", "status", "sign"))
"""What the name of HER2 has as its own value, the one before it being another's."""
BETWEEN = frozenset(
    ("noun", "pattern", "cells", "filler", "score", "ihc", "ish", "signals", "mutation", "ish_hint", "test", "copies")
)
MOST_UNKNOWN = 4
"""Unknown words that may stand between a name and its status."""
LOOK = 12
"""Items that are looked ahead."""
PREPOSITION = re.compile(r"(?:^|\s)(?:in|on|of|at|with|after|during|for|and|by|from|to|since|over|all)\s$")
SPACED = re.compile(r"her[\s_]+(?:2|ii)$")
SUFFIX = re.compile(r"^'[a-z]{1,6}(?![a-z])")
"""The case of a number, which Turkish writes after an apostrophe."""
NOTHING = Fact("", "", -1)
LAST_PART = re.compile(r"^[^;]{0,200};")
FOLLOWS_NAME = re.compile(r"\s{0,2}(?:$|[:=+(\-/,.;)\]|+\d\n])")


class Binding:
    """What is being spoken of, and where values go; ``values`` gathers what is found."""

    def __init__(self, languages: Languages, sections: Sections) -> None:
        self.languages, self.sections = languages, sections
        self.values = Values()
        self.review: list[Review] = []
        self.about = About()
        self.base = About()
        self.own_tumour: tuple[str | None, tuple[Span, ...] | None] = (None, None)
        self.of_past = False
        self.sentence = self.mention = 0
        self.ctx: Context
        self.topic = ""
        self.topic_void = False
        self.kinds: set[str] = set()
        self.start = self.end = 0
        self.has_anchor = False
        self.passed, self.prior_depth = -1, 0
        self.tests: set[str] = set()
        self.reset_block()
        self.reset_sentence()

    def reset_block(self) -> None:
        """Forget what was spoken of: a new paragraph begins."""
        self.topic, self.method, self.method_mention = "", "", -1
        self.block: set[str] = set()
        self.details: dict[str, tuple[str, Span]] = {}
        self.spoke = False

    def reset_sentence(self) -> None:
        """Forget what holds for one sentence only."""
        self.held: list[Fact] = []
        self.noun, self.noun_negated = "", False
        self.negated_from, self.negated_list, self.negated_across = -1, False, ""
        self.slots: list[str] = []
        self.replaced = False
        self.group_has = self.topic == "her2"
        self.group_last = self.group_has
        self.closed = True
        self.place_since = False
        self.pattern: tuple[str, Span] | None = None
        self.stack: list[str] = []
        self.label: Fact | None = None
        self.asked = self.said = ""
        self.undone, self.undone_at = NOTHING, -1

    def joins_group(self, index: int) -> bool:
        """Tell whether a name goes on with a list of names ('ERBB2, MET and EGFR')."""
        if self.closed:
            return False
        before = index - 1
        while before >= self.start and (
            self.ctx.kinds[before] in METHODS
            or (self.ctx.kinds[before] == "no" and self.ctx.text(before) in self.languages.separators)
        ):
            before -= 1
        if before < self.start or self.ctx.kinds[before] not in NAMES:
            return False
        return self.only_separates(self.ctx.gaps[index].replace("&", " "))

    def is_listed(self, index: int) -> bool:
        """Tell whether only separators of a list stand before an item."""
        return self.only_separates(self.ctx.gaps[index])

    def only_separates(self, gap: str) -> bool:
        """Tell whether a gap holds nothing but separators of a list."""
        words = gap.replace(",", " ").replace("/", " ").replace("、", " ").split()
        return self.languages.separators.issuperset(words)

    def is_reference(self, index: int) -> bool:
        """Tell whether a marker is the denominator of a ratio: 'ERBB2/RPPH1 ratio', 'HER2/TP53'."""
        named = self.previous_kind(index) == "anchor" and self.ctx.gaps[index] in ("/", ":", " / ", " to ", "-to-")
        return named and "ratio" in self.kinds and self.ctx.values[index] == "gene"

    def is_pronoun(self, index: int) -> bool:
        """Tell whether 'her 2' is the pronoun and a number."""
        written = self.ctx.text(index)
        if written.isalnum() or SPACED.search(written) is None:
            return False
        low, start, end = self.ctx.low, self.ctx.starts[index], self.ctx.ends[index]
        if FOLLOWS_NAME.match(low, end):
            return low.startswith("+", end) and self.unknown_word(end + 1)
        return self.unknown_word(end) or (
            not self.ctx.folded.original(start, start + 1).isupper()
            and PREPOSITION.search(low[max(0, start - LOOK) : start]) is not None
            and self.next_kind(index) not in METHODS | {"status", "score", "noun"}
        )

    def unknown_word(self, start: int) -> bool:
        """Tell whether the next word is one that does not speak of a test."""
        found = WORD.match(self.ctx.low[start : start + LOOK * LOOK].lstrip())
        if found is None or not self.ctx.low[start : start + 1].isspace():
            return False
        word, meaning = found[0], self.languages.meaning(found[0])
        if meaning and not OF_PERSON.isdisjoint([kind for kind, _ in meaning]):
            label = self.ctx.low.startswith(":", self.ctx.low.index(word, start) + len(word))
            return not label and not self.ctx.folded.original(start - len("her2"), start).isupper()
        return word not in self.languages.fillers and not meaning and word != "neu"

    def is_therapy(self, index: int) -> bool:
        """Tell whether HER2 names a drug's target, not a test."""
        following = self.next_kind(index)
        if self.ctx.text(index).startswith("anti"):
            return following == "therapy" or not self.kinds & {"score", "ihc", "pct", "antibody"}
        at = index + 1
        return following == "therapy" and at < len(self.ctx.kinds) and len(self.ctx.gaps[at]) <= 1

    def next_kind(self, index: int) -> str:
        """Return the kind of the next item of the sentence."""
        return self.ctx.kinds[index + 1] if index + 1 < self.end else ""

    def previous_kind(self, index: int) -> str:
        """Return the kind of the item before it in the sentence."""
        return self.ctx.kinds[index - 1] if index > self.start else ""

    def sign_after(self, index: int) -> str:
        """Return the character after an item, or the one after a space."""
        low, end = self.ctx.low, self.ctx.ends[index]
        after = low[end : end + 1]
        return low[end + 1 : end + 2] if after == " " else after

    def target(self, index: int, field: str) -> str:
        """Return ``her2``, ``other``, ``hold`` (HER2 is named later in the sentence) or nothing."""
        forward = self.forward(index, field)
        if forward:
            return forward
        if self.topic == "her2" or (
            self.topic == "other" and self.group_has and not (field != "status" and self.closed)
        ):
            if field == "status" or self.group_last:
                return "her2"
            self.doubt("several_markers", index, field)
            return ""
        if self.topic == "other":
            return "other"
        return "hold" if self.has_anchor else ""

    def forward(self, index: int, field: str) -> str:
        """Return the target that a value is linked to by the words after it: '3+ staining for HER2'."""
        ctx, kinds = self.ctx, self.ctx.kinds
        name = self.name_ahead(index)
        if name < 0:
            return ""
        named = self.topic and not (self.topic == "her2" and not self.has_anchor and index == self.start)
        linked = index == self.start and ctx.low[ctx.ends[index] : ctx.ends[index] + 1] == ":"
        linked = linked or (kinds[index] == "noun" and self.begins_statement(index))
        for at in range(index + 1, name + 1):
            words = [] if ctx.gaps[at] == " " else WORD.findall(ctx.gaps[at])
            if words:
                links = words[-1] in self.languages.links or (at == index + 1 and words[0] in self.languages.links)
                linked = linked or (links and self.languages.separators.isdisjoint(words))
                if any(word not in self.languages.fillers and word not in self.languages.links for word in words):
                    return ""
        linked = linked or self.follows_gene(index, name, field)
        if (named and not linked) or (kinds[name] == "anchor" and self.is_pronoun(name)):
            return ""
        return self.forward_group(name, field)

    def follows_gene(self, index: int, name: int, field: str) -> bool:
        """Tell whether a value right before HER2 follows a gene that has its result: 'RAS mutant, IHC 3+ HER2'."""
        if self.topic != "other" or field == "status" or name != index + 1 or self.ctx.kinds[name] != "anchor":
            return False
        if self.next_kind(name) in OWN and self.languages.separators.isdisjoint(self.ctx.gaps[name + 1].split()):
            return False
        before = self.ctx.kinds[self.start : index]
        last = max((at for at, kind in enumerate(before) if kind in NAMES), default=0)
        return "marker_status" in before[last:]

    def name_ahead(self, index: int) -> int:
        """Return the next name, where only what belongs to a statement stands before it; -1 if there is none."""
        kinds, levels, starts, end = self.ctx.kinds, self.ctx.levels, self.ctx.starts, self.ctx.ends[index]
        for at in range(index + 1, min(index + LOOK, self.end)):
            if levels[at] > NONE:
                return -1
            if kinds[at] in NAMES:
                return at
            if kinds[at] == "present" and kinds[index] == "noun":
                continue  # 'no amplification found in ERBB2, MET'
            if kinds[at] not in BETWEEN and starts[at] >= end:
                return -1
        return -1

    def begins_statement(self, index: int) -> bool:
        """Tell whether an item, or the negation before it, begins a part of the sentence."""
        while index > self.start and self.ctx.levels[index] == NONE:
            index -= 1
            if self.ctx.kinds[index] == "contrast":
                return True
            if self.ctx.kinds[index] not in ("no", "absent", "test"):
                return False
        return True

    def forward_group(self, at: int, field: str) -> str:
        """Return whether HER2 is in the list of names that begins at an item."""
        kinds, first = self.ctx.kinds, at
        if self.ctx.values[at] == NO_MARKER:
            return "other"
        while True:
            if kinds[at] == "anchor" and (field == "status" or at == first):
                self.values.anchor = self.ctx.place(at)
                return "her2"
            at += 1
            if at >= self.end or kinds[at] not in NAMES:
                return "other"
            if not self.is_listed(at):
                return "other"

    def emit(self, fact: Fact) -> None:
        """Send a value to where it belongs."""
        if self.ctx.void[fact.at] or self.replaced:
            self.closed = True
            return
        if self.sign_after(fact.at) == "?":
            self.doubt("questioned", fact.at, fact.field)
            self.closed = True
            return
        target = self.target(fact.at, fact.field)
        if target == "her2" or (not target and self.is_named_next(fact)):
            self.apply(fact)
        elif target == "hold" and not self.speaks_of_other(fact):
            hint = "amplification" if self.method in GENES else "expression" if self.method == "ihc" else ""
            fact.hint = fact.hint or hint
            self.held.append(fact)
        self.closed = True

    def is_named_next(self, fact: Fact) -> bool:
        """Tell whether a result of in situ hybridisation is that of HER2, which only the next sentence names."""
        if fact.field != "status" or self.topic or self.method != "ish" or "marker" in self.kinds:
            return False
        end, _ = self.ctx.sentences.get(self.end, (0, ()))
        named = [kind for kind in self.ctx.kinds[self.end : end] if kind in NAMES]
        return fact.value in HYBRIDISED and named[:1] == ["anchor"]

    def speaks_of_other(self, fact: Fact) -> bool:
        """Tell whether a status that waits for a name is linked to something else: 'negative for instability'."""
        after = fact.at + 1
        if fact.field != "status" or after >= self.end or self.ctx.kinds[fact.at] != "status":
            return False
        words = WORD.findall(self.ctx.gaps[after])
        linked = bool(words) and words[0] in self.languages.links
        return linked and (self.ctx.levels[after] > NONE or self.ctx.kinds[after] == "marker_status")

    def apply(self, fact: Fact) -> None:
        """Give a value to a finding of HER2."""
        self.values.take(self, fact)
        self.spoke = True

    def doubt(self, reason: str, index: int, field: str) -> None:
        """Note what a person must look at."""
        if not self.ctx.void[index]:
            self.review.append(Review(reason, self.ctx.place(index), field))

    def is_near(self, index: int) -> bool:
        """Tell whether only words that belong to a statement stand between a status and what it speaks of."""
        while index > self.start and self.ctx.starts[index - 1] == self.ctx.starts[index]:
            index -= 1
        gap = self.ctx.gaps[index]
        if len(gap) <= 1:
            return True
        if ")" in gap:
            gap = gap[gap.rindex(")") :]
        if index == self.start:
            gap = gap[max(gap.rfind("\n"), gap.rfind(". "), gap.rfind("。")) + 1 :]
        elif self.ctx.levels[index] >= COMMA:
            trimmed = SUFFIX.sub("", gap) if gap[:1] == "'" else gap
            trimmed = LAST_PART.sub("", trimmed) if ";" in trimmed else trimmed
            gap = self.last_of_hybridisation(index) or trimmed
        unknown = [word for word in WORD.findall(gap) if word not in self.languages.fillers]
        if not unknown:
            return True
        if index == self.start or self.ctx.levels[index] >= COMMA:
            return False
        return len(unknown) <= MOST_UNKNOWN

    def last_of_hybridisation(self, index: int) -> str:
        """Return what stands after the comma before a result of in situ hybridisation: 'FISH tried twice, failed'.

        The words before it are of the hybridisation too, unless they say for what else it was done.
        """
        ctx = self.ctx
        said, comma, rest = ctx.gaps[index].partition(",")
        if not comma or "," in rest or self.method != "ish" or ctx.values[index] not in HYBRIDISED | {"indeterminate"}:
            return ""
        before, words = ctx.kinds[index - 1], WORD.findall(said)
        of_other = before == "ish" and (not words or words[0] in self.languages.links)
        return f" {rest}" if before in OF_COUNT and not of_other else ""

    def turns(self, index: int) -> bool:
        """Tell whether a gap leads from the replaced value to the new one ('from 1+ to 2+')."""
        gap = self.ctx.gaps[index]
        return not self.languages.turns.isdisjoint(WORD.findall(gap)) or gap.strip() in ("->", "→")

    def void_rest(self, index: int, stop: int) -> None:
        """Take no status from the rest of the clause or sentence: it explains a threshold."""
        for at in range(index, self.end):
            if at > index and self.ctx.levels[at] >= stop:
                break
            self.ctx.void[at] = True

    def clause_kinds(self, index: int) -> set[str]:
        """Return the kinds of the items of the clause, between semicolons, that an item is in."""
        levels, first, last = self.ctx.levels, index, index + 1
        while first > self.start and levels[first] < CLAUSE:
            first -= 1
        while last < self.end and levels[last] < CLAUSE:
            last += 1
        return set(self.ctx.kinds[first:last])

    def has_state(self, index: int) -> bool:
        """Tell whether a status follows in the clause."""
        for at in range(index + 1, min(self.end, index + LOOK)):
            if self.ctx.levels[at] >= CLAUSE:
                return False
            if self.ctx.kinds[at] in ("status", "absent", "present", "sign"):
                return True
        return False
