"""Sentences that speak of patients in general: drug labels, trials, alternatives, and what an amplification can do.

They hold the words of a result and are none. What gives them away are *cues*, words beside the items: a drug or a
trial that the sentence begins with, 'or' between two kinds of results, a modal verb after 'amplification'. A sentence
that speaks of this tumour, or gives its result as a reason, stays one of results.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.breaks import CLAUSE, COMMA, NONE
from her2crc.frontends.text.scan import Cue
from her2crc.frontends.text.windows import BEFORE

if TYPE_CHECKING:
    from her2crc.frontends.text.context import Context
    from her2crc.frontends.text.languages import Languages

OF_TUMOUR = frozenset(("cells", "tumour", "site", "specimen", "part", "patient", "neutral"))
"""What 'this' can be said of where a sentence speaks of the patient."""
DATED = frozenset(("date", "prior", "past", "part", "replaced", "family"))
"""What a label or a trial does not speak of: times and parts of a specimen."""
STAINS = frozenset(("ihc", "ish", "tissue", "plasma"))
NAMED_BY = frozenset(("ihc", "ish", "tissue", "plasma", "test", "score_word", "assay"))
VALUES = frozenset(("score", "status"))
OF_LABEL = frozenset(("drug", "study", "label"))
ANSWERS = frozenset(("absent", "present", "sign", "pct", "num", "times", "indeterminate"))
DENIES = frozenset(("no", "absent", "present"))
CHOICES = frozenset(("score", "status", "noun", "sign", "mutation", "ish"))
"""What 'or' can stand between."""
OPENINGS = frozenset(("criterion", "general", "recommend", "maybe"))
"""What voids a whole sentence, or goes back to its beginning."""
CONDITIONS = frozenset(("if", "criterion", "general", "elsewhere", "control", "class_of"))
GAINED = frozenset(("amplification", "overexpression"))
SHOWING = frozenset(("drug", "study", "inquiry", "modal", "asks", "when", "either"))
"""The cues that can make a statement one of patients in general; the others only say that it is of this one."""
HELD = frozenset(("score", "status", "noun", "sign", "num", "pct", "mutation", "variant", "absent", "present"))
"""Kinds of items without which a sentence states nothing."""
STATING = frozenset(("no", "absent", "present", "status", "score", "sign"))
OF_GENERAL = {"amplified", "overexpressed"}
LETTER = " o "
"""'or' of Spanish and Italian; no word of the lists, since a single o can be a misread 0."""
GOES_BY = frozenset((
    "by", "per", "using", "according", "applying", "with", "under", "nach", "gemass", "laut", "selon", "d'apres",
    "avec", "segun", "con", "secondo",
))  # fmt: skip
"""What a sentence that applies a threshold begins with."""
NEAR, LEAD, LONG = 4, 12, 40
"""Items on each side of an 'or', characters before the drug that a sentence begins with, and before a verb."""
SIGNS = re.compile(r"[\s\-*•·>|(\[\d.)】:'\"]+")
COLUMN = re.compile(r"[^\S\n]?[)\]]?(?:[^\S\n]?:|[^\S\n]{2}|\t|[^\S\n]?\|)")
"""What follows a name that is the subject of its line: a colon, or the next column."""


def void_generalities(ctx: Context, languages: Languages) -> None:
    """Make the statements of a window void that are not of this patient."""
    place, at = ctx.low.find(LETTER, ctx.starts[0], ctx.ends[-1] + len("o ")), 0
    cues = ctx.cues if place < 0 else _with_letters(ctx, place)
    if not cues:
        return
    for start, (end, kinds) in ctx.sentences.items():
        first = at
        at = _cues_until(ctx, cues, at, end)
        if at > first and not HELD.isdisjoint(kinds):
            own = cues[first:at]
            if not OPENINGS.isdisjoint(kinds) or any(cue.kind in SHOWING for cue in own):
                _read_sentence(ctx, languages, start, end, own)


def _cues_until(ctx: Context, cues: list[Cue], at: int, end: int) -> int:
    """Return how many cues stand before the text of the clause that an item is the first of."""
    last = ctx.ends[end - 1]
    while at < len(cues) and cues[at].start < last:
        at += 1
    if end == len(ctx.kinds):
        return len(cues)
    if at < len(cues) and cues[at].start < ctx.starts[end]:
        begin = _begin(ctx, end)
        while at < len(cues) and cues[at].start < begin:
            at += 1
    return at


def _with_letters(ctx: Context, place: int) -> list[Cue]:
    """Return the cues of a window with each single 'o' among them, from the place of the first on."""
    found, end = list(ctx.cues), ctx.ends[-1] + len("o ")
    while place >= 0:
        found.append(Cue("either", place + 1, place + 2))
        place = ctx.low.find(LETTER, place + 1, end)
    return sorted(found, key=_place)


def _place(cue: Cue) -> int:
    return cue.start


class Unit:
    """A clause: its items from ``start`` to ``end``, their kinds, where its text begins, and its cues."""

    def __init__(self, start: int, end: int, begin: int, kinds: set[str], cues: list[Cue]) -> None:
        self.start, self.end, self.begin, self.kinds, self.cues = start, end, begin, kinds, cues


def _begin(ctx: Context, index: int) -> int:
    """Return where the text of the clause begins that an item is the first of."""
    start = ctx.starts[index]
    first = max(0, start - BEFORE) if index == 0 else ctx.ends[index - 1]
    gap = ctx.low[first:start]
    cut = max(gap.rfind(". "), gap.rfind("。"), gap.rfind("! "), gap.rfind("? "), gap.rfind(";"))
    line = gap.rfind("\n")
    while line > cut and ctx.folded.original(first + line + 1, first + line + 2).islower():
        line = gap.rfind("\n", 0, line)
    return first + max(cut, line) + 1


def _read_sentence(ctx: Context, languages: Languages, start: int, end: int, cues: list[Cue]) -> None:
    """Read the clauses of a sentence; what a trial asks for may go on over several."""
    goes_on, at = False, 0
    while start < end:
        stop = start + 1
        while stop < end and ctx.levels[stop] < CLAUSE:
            stop += 1
        begin, first = _begin(ctx, start), at
        at = _cues_until(ctx, cues, at, stop) if stop < end else len(cues)
        while first < at and cues[first].start < begin:
            first += 1
        unit = Unit(start, stop, begin, set(ctx.kinds[start:stop]), cues[first:at])
        start = stop
        if _is_own(ctx, languages, unit) or _is_result_line(ctx, unit, end):
            continue
        if (goes_on and DATED.isdisjoint(unit.kinds)) or _is_label(ctx, languages, unit):
            goes_on = goes_on or unit.cues[0].kind == "study"
            _mark(ctx, unit.start, unit.end)
        else:
            _read(ctx, languages, unit)


def _read(ctx: Context, languages: Languages, unit: Unit) -> None:
    _read_pair(ctx, unit)
    for cue in unit.cues:
        if cue.kind == "either":
            _read_choice(ctx, unit, cue)
        elif cue.kind == "modal":
            _read_modal(ctx, unit, cue)
        elif cue.kind == "asks":
            _read_question(ctx, unit, cue)
        elif cue.kind == "when":
            _read_condition(ctx, languages, unit, cue)


# ---- what is said of this tumour


def _is_own(ctx: Context, languages: Languages, unit: Unit) -> bool:
    """Tell whether a clause speaks of this tumour; what it says before a word such as 'eligible' then holds."""
    place = _own_from(ctx, languages, unit)
    if place < 0:
        return False
    first, opening, is_applied = -1, -1, False
    for index in range(unit.start, unit.end):
        kind = ctx.kinds[index]
        if ctx.starts[index] <= place:
            if kind in CONDITIONS and ctx.starts[index] < place:
                if kind != "general" or not _is_applied(ctx, unit):
                    return False
                is_applied = True
            continue
        first = index if first < 0 else first
        if kind in CONDITIONS or kind in OPENINGS:
            opening = index
            break
    if (opening >= 0 and ctx.kinds[opening] in OPENINGS) or (is_applied and opening < 0 <= first):
        for index in range(first, opening if opening >= 0 else unit.end):
            ctx.void[index] = False
    return True


def _is_applied(ctx: Context, unit: Unit) -> bool:
    """Tell whether a clause begins with what it goes by: 'By the cut-off of 50% this tumour is ...'."""
    words = SIGNS.sub(" ", ctx.low[unit.begin : unit.begin + LONG]).split()
    return bool(words) and words[0] in GOES_BY


def _is_result_line(ctx: Context, unit: Unit, end: int) -> bool:
    """Tell whether a clause is 'HER2 FISH: amplified', the only result of its sentence; the trial after it is none."""
    if unit.end == end or ctx.kinds[unit.start] != "anchor" or not OPENINGS.isdisjoint(unit.kinds):
        return False
    index = unit.start + 1
    while index < unit.end and ctx.kinds[index] in NAMED_BY:
        index += 1
    is_number = index < unit.end and ctx.kinds[index - 1 : index + 1] == ["score_word", "num"]
    if (
        index == unit.end
        or not (is_number or ctx.kinds[index] in VALUES)
        or not (":" in ctx.gaps[index] or "patient" in ctx.kinds[unit.end : end])
    ):
        return False
    stated = {ctx.text(at) for at in range(unit.start, end) if ctx.kinds[at] == ctx.kinds[index]}
    if len(stated) > 1 or not CONDITIONS.isdisjoint(unit.kinds):
        return False
    for at in range(unit.start, unit.end):
        ctx.void[at] = False
    return True


def _own_from(ctx: Context, languages: Languages, unit: Unit) -> int:
    """Return from which place on a clause speaks of this tumour, or -1."""
    if ctx.kinds[unit.start] == "patient" and ctx.starts[unit.start] - unit.begin <= LEAD:
        return ctx.starts[unit.start]
    named = _named_from(ctx, languages, unit)
    for cue in unit.cues:
        if 0 <= named < cue.start:
            break
        if cue.kind == "owing":
            return cue.start
        if cue.kind == "this":
            near = _after(ctx, unit, cue.end)
            if near >= 0 and (ctx.kinds[near] in OF_TUMOUR or ctx.kinds[near] == "anchor"):
                return cue.start
        elif cue.kind == "finds" and _is_of_tumour(ctx, languages, unit, cue.start):
            return cue.start
        elif cue.kind in OF_LABEL:
            return -1
    return named


def _named_from(ctx: Context, languages: Languages, unit: Unit) -> int:
    """Return where a clause says what the tumour is: 'the tumour is HER2 3+'; -1 where it does not."""
    for index in range(unit.start, unit.end):
        if ctx.kinds[index] == "anchor":
            words = ctx.gaps[index].split()
            place = ctx.starts[index] - len(words[-1]) - 1 if words and words[-1] in languages.beings else -1
            return place if place >= 0 and _is_of_tumour(ctx, languages, unit, place) else -1
    return -1


def _is_of_tumour(ctx: Context, languages: Languages, unit: Unit, place: int) -> bool:
    """Tell whether a verb stands after the name of a tumour, a specimen or a stain: 'the carcinoma shows'."""
    near = _before(ctx, unit, place)
    if near >= 0 and place - ctx.ends[near] <= 1:
        return ctx.kinds[near] in OF_TUMOUR or ctx.kinds[near] in STAINS
    words = ctx.low[max(unit.begin, place - LONG) : place].split()
    return bool(words) and words[-1] in languages.fillers


def _after(ctx: Context, unit: Unit, place: int) -> int:
    """Return the item that begins at most a space after a place, or -1."""
    for index in range(unit.start, unit.end):
        if ctx.starts[index] >= place:
            return index if ctx.starts[index] - place <= 1 else -1
    return -1


def _before(ctx: Context, unit: Unit, place: int) -> int:
    """Return the last item before a place, or -1."""
    found = -1
    for index in range(unit.start, unit.end):
        if ctx.ends[index] > place:
            break
        found = index
    return found


# ---- drugs and trials


def _begins(ctx: Context, languages: Languages, unit: Unit, place: int) -> bool:
    """Tell whether nothing but a number or an article stands in a sentence before a place."""
    if place - unit.begin > LEAD:
        return False
    words = SIGNS.sub(" ", ctx.low[unit.begin : place]).split()
    return not words or (len(words) == 1 and words[0] in languages.articles)


def _is_label(ctx: Context, languages: Languages, unit: Unit) -> bool:
    """Tell whether a drug or a trial is what a clause is about: 'Trastuzumab: HER2 positive ...', '... approved in'."""
    if not unit.cues:
        return False
    first = unit.cues[0]
    if first.kind == "inquiry" and len(unit.cues) > 1:
        second = unit.cues[1]
        return second.kind == "drug" and second.start - first.end <= 1 and _begins(ctx, languages, unit, first.start)
    if first.kind not in ("drug", "study") or not _begins(ctx, languages, unit, first.start):
        return False
    if any(cue.kind in ("label", "modal") for cue in unit.cues):
        return True
    for index in range(unit.start, unit.end):
        if ctx.kinds[index] == "anchor":
            break
        if ctx.kinds[index] in DATED:
            return False
    if first.kind == "study":
        return True
    least = ctx.starts[unit.start]
    drugs = [cue for cue in unit.cues if cue.kind == "drug"]
    return any(cue.end <= least and COLUMN.match(ctx.low, cue.end) is not None for cue in drugs)


# ---- alternatives


def _read_choice(ctx: Context, unit: Unit, cue: Cue) -> None:
    """Void a clause that lets one of several results do: '3+, or 2+ with ISH+', 'amplification or mutation'."""
    index = unit.start
    while index < unit.end and ctx.starts[index] < cue.start:
        index += 1
    left = index - 1
    while left >= unit.start and index - left <= NEAR and ctx.kinds[left] not in CHOICES:
        left -= 1
    right = index
    while right < unit.end and right - index < NEAR and ctx.kinds[right] not in CHOICES:
        right += 1
    if left < unit.start or index - left > NEAR or right >= unit.end or right - index >= NEAR:
        return
    if right > left and _is_choice(ctx, unit, left, right):
        first, last = index, index
        while first > unit.start and ctx.levels[first] < CLAUSE:
            first -= 1
        while last < unit.end and ctx.levels[last] < CLAUSE:
            last += 1
        _mark(ctx, first, last)


def _read_pair(ctx: Context, unit: Unit) -> None:
    """Void 'overexpression/amplification' where nothing is said of it."""
    if not STATING.isdisjoint(unit.kinds):
        return
    for index in range(unit.start + 1, unit.end):
        if ctx.gaps[index] == "/" and ctx.kinds[index - 1] == ctx.kinds[index] == "noun":
            ctx.void[index - 1] = ctx.void[index] = True


def _is_choice(ctx: Context, unit: Unit, left: int, right: int) -> bool:
    """Tell whether two items are results that would do as well as each other."""
    one, other = ctx.kinds[left], ctx.kinds[right]
    if max(ctx.levels[left + 1 : right + 1]) >= CLAUSE:
        return False
    if one == "score":
        if other == "score":
            following = range(right + 1, min(right + NEAR, unit.end))
            hybridised = any(ctx.kinds[at] == "ish" or ctx.values[at] == "amplified" for at in following)
            return hybridised and ctx.text(left) != ctx.text(right)
        return other == "ish" or ctx.values[right] in GAINED
    if not DENIES.isdisjoint(unit.kinds):
        return False
    if one == "noun" and ctx.values[left] in GAINED:
        answered = right + 1 < len(ctx.gaps) and ":" in ctx.gaps[right + 1]
        return other in ("mutation", "noun") and not answered
    return one == other == "status" and {ctx.values[left], ctx.values[right]} == OF_GENERAL


# ---- what an amplification can do, and what is asked


def _read_modal(ctx: Context, unit: Unit, cue: Cue) -> None:
    """Void 'amplification' as the subject of a modal verb: 'HER2 amplification can lead to ...'."""
    last = _before(ctx, unit, cue.start)
    if last < 0 or not {",", "(", ")", ":"}.isdisjoint(ctx.low[ctx.ends[last] : cue.start]):
        return
    first = last
    while first > unit.start and ctx.levels[first] < COMMA:
        first -= 1
    if ANSWERS.isdisjoint(ctx.kinds[first : last + 1]):
        for index in range(first, last + 1):
            if ctx.kinds[index] == "noun" or ctx.values[index] in ("amplified", "overexpressed"):
                ctx.void[index] = True


def _read_question(ctx: Context, unit: Unit, cue: Cue) -> None:
    """Void the amplification that is only asked about: an answer may follow."""
    is_first = True
    for index in range(unit.start, unit.end):
        if ctx.starts[index] < cue.end:
            continue
        if not is_first and ctx.levels[index] >= COMMA:
            return
        if ctx.kinds[index] == "noun":
            ctx.void[index] = True
        is_first = False


def _read_condition(ctx: Context, languages: Languages, unit: Unit, cue: Cue) -> None:
    """Void the amplification that a sentence begins with as a condition: 'Bei HER2-Amplifikation ist ...'."""
    near = _after(ctx, unit, cue.end)
    if near < 0 or not _begins(ctx, languages, unit, cue.start) or "present" in unit.kinds:
        return
    index = near
    while index < unit.end and (index == near or ctx.levels[index] == NONE):
        if ctx.kinds[index] == "noun":
            ctx.void[index] = True
        index += 1


def _mark(ctx: Context, start: int, end: int) -> None:
    for index in range(start, end):
        ctx.void[index] = True
