"""Keys, elements, leaders and spaced-out words, rewritten plainly: ``"meanCep17": 2.4`` becomes ``mean cep17: 2.4``.

What only carries a value from its label (dots, quotes, brackets, tags, the names of containers) goes; where an object
or an element ends, a sentence ends. Each character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from her2crc.frontends.text.fold import Folded, Piece, replaced

LEADER = re.compile(r"(?<=[a-z0-9)%])[ ]?(?:[.…·][ ]?){3,}(?=[^\s.])")
"""Dots that lead from a label to its value."""
DOTTED = re.compile(r"\.(?:\.\.| \. \.)")
"""What a text with such dots holds: the cheap test."""
SPACED_OUT = re.compile(r"(?<![^ \n])[^ \n](?: {1,4}[^ \n](?![^ \n])){5,}+")
"""Single letters with spaces between."""
SPACED_NAME = re.compile("e r(?:(?<=h e r)| b b)")
"""What a text with a name of HER2 so written holds: the cheap test, one for both names."""
GAP = re.compile(" +")
WIDE = re.compile("  ")
PAIR = re.compile(r'"[a-z_][\w .-]{0,60}"\s{0,3}:\s{0,3}["{\[\d\ntf-]')
TOKEN = re.compile(
    r'"(?P<key>[a-z_][\w .%/-]{0,60})"\s{0,3}:\s{0,40}|"(?P<string>[^"\n]{0,1500})"'
    r"|[}\]][\s}\]]{0,60},?\s{0,60}(?P<next>\{)?|(?P<mark>[{\[]\s{0,60})|(?P<comma>,\s{0,60})"
)
QUANTITY = re.compile(
    r'"value"\s{0,3}:\s{0,3}"?(?P<value>[<>]?\d{1,3}(?:\.\d{1,3})?)"?\s{0,3},\s{0,60}"(?:unit|code)"\s{0,3}:\s{0,3}"%"'
)
"""A FHIR quantity in percent."""
STATE = re.compile(
    r'"status"\s{0,3}:\s{0,3}"(?:registered|preliminary|final|amended|corrected|partial)"\s{0,3},?\s{0,40}'
)
"""How far an observation in FHIR is: it says nothing of its value."""
RATIO = re.compile(
    r'"numerator"\s{0,3}:\s{0,3}\{\s{0,40}"value"\s{0,3}:\s{0,3}(?P<over>\d{1,3}(?:\.\d{1,4})?)[^{}]{0,200}\}\s{0,3},\s{0,40}'
    r'"denominator"\s{0,3}:\s{0,3}\{\s{0,40}"value"\s{0,3}:\s{0,3}(?P<under>\d{1,3}(?:\.\d{1,4})?)[^{}]{0,200}\}'
)
"""A FHIR ratio of two numbers."""
CODED_SCORE = re.compile(
    r'"value(?:codeableconcept|string|integer)"\s{0,3}:\s{0,3}(?:\{\s{0,40}"(?:text|coding)"\s{0,3}:\s{0,3}'
    r'(?:\[\s{0,40}\{\s{0,40}(?:"system"\s{0,3}:\s{0,3}"[^"\n]{0,120}"\s{0,3},\s{0,40})?"(?:code|display)"\s{0,3}:\s{0,3})?)?'
    r'"?(?P<score>[0-3])"?\s{0,40}[,}\]]'
)
"""A bare score as the value of an observation in FHIR."""
HYBRIDISED = re.compile(r"fish|in situ|ratio|nucle|signal|percent")
REACH = 600
"""Characters between the code of an observation and its value, at most."""
TAG = re.compile(r"<(?P<end>/)?(?:\w{1,20}:)?(?P<name>[a-z][\w.-]{0,60})(?P<rest>[^<>]{0,500})>")
ATTRIBUTE = re.compile(r"(?P<name>[a-z][\w.:-]{0,40})\s?=\s?[\"'](?P<value>[^\"'<>]{0,200})[\"']")
NUMBER = re.compile(r"\s{0,5}[<>≤≥]?=?\s?\d{1,3}(?:\.\d{1,3})?(?=\s{0,20}(?:[,}\]<]|$))")
UNIT = "%"
OBSERVATION = re.compile(
    r"obx\|\d{0,4}\|[a-z]{0,3}\|(?P<code>[^|^\n]{0,40})\^(?P<name>[^|^\n]{1,160})[^|\n]{0,160}\|[^|\n]{0,20}\|(?P<value>[^|\n]{1,2000})"
    r"\|?(?P<unit>[^|\n]{0,40})(?:\|[^|\n]{0,80}){0,4}(?:\|(?P<status>[a-z]?))?(?:\|[^\n]{0,400})?"
)
"""A segment of an observation in HL7 v2: code and name, value, unit, status."""
COMPARISONS = frozenset(("<", ">", "<=", ">=", "="))
TAKEN_BACK = frozenset(("d", "w"))
"""Status of a value that is deleted, or was of another patient."""
LOINC = re.compile(r"\d{4,5}-\d")
BARE_SCORE = re.compile(r"[0-3]\s?\+?")
STAINED = re.compile(r"immun|\bihc\b|18474-7|85319-2|72383-3|score")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_-]")
CONTAINERS = frozenset((
    "resourcetype", "resource", "entry", "bundle", "code", "coding", "text", "display", "value", "valuestring",
    "valuecodeableconcept", "valuequantity", "valuedecimal", "valueinteger", "component", "system", "fullurl", "unit",
    "name", "id", "call", "type", "results", "tests", "markers", "biomarkers", "item", "items",
))  # fmt: skip
"""Names of what only holds a value."""
PERCENT = frozenset(("percent", "percentage", "pct"))
HTML = frozenset((
    "a", "b", "body", "br", "div", "em", "font", "h1", "h2", "h3", "h4", "head", "html", "i", "li", "ol", "p", "pre",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
))  # fmt: skip
"""Elements that lay out a page; a text that has them is read as it stands."""


def read_layout(folded: Folded) -> Folded:
    """Return the text with keys, elements and leaders as plain labels."""
    low = folded.low
    if SPACED_NAME.search(low) is not None:
        folded = _drawn_together(folded)
        low = folded.low
    if DOTTED.search(low) is not None:
        folded = replaced(folded, [Piece(*found.span(), ": ") for found in LEADER.finditer(low)])
    if "|" in folded.low and "obx|" in folded.low:
        folded = replaced(
            folded, [piece for found in OBSERVATION.finditer(folded.low) for piece in _observation(found)]
        )
    if '"' in folded.low and PAIR.search(folded.low) is not None:
        folded = _without_quotes(folded)
    return _without_tags(folded) if "<" in folded.low and "</" in folded.low else folded


def _drawn_together(folded: Folded) -> Folded:
    """Return the text with words that are spaced out letter by letter as words; wider gaps part them."""
    pieces = []
    for found in SPACED_OUT.finditer(folded.low):
        stretch = folded.low[found.start() : found.end()]
        narrow = GAP.finditer(stretch) if WIDE.search(stretch) else iter(())
        pieces += [
            Piece(found.start() + gap.start(), found.start() + gap.end(), " " if len(gap[0]) > 1 else "")
            for gap in narrow
        ]
    return replaced(folded, pieces)


def _words(folded: Folded, start: int, end: int) -> str:
    """Return a name of several words as these: ``her2Cep17Ratio`` becomes ``her2 cep17 ratio``."""
    return HUMP.sub(" ", folded.original(start, end)).lower()


def _is_percent(label: str) -> bool:
    return not PERCENT.isdisjoint(label.split())


# ---- HL7 v2


def _observation(found: re.Match[str]) -> Iterator[Piece]:
    """Return a segment of an observation as its name and value; one that was taken back as nothing.

    Of a coded value (``0^Negative^L``) the text is read, and its code where it is a score.
    """
    if found["status"] in TAKEN_BACK:
        yield Piece(*found.span(), ".")
        return
    yield Piece(found.start(), found.start("code"), "")
    if not LOINC.fullmatch(found["code"]):
        yield Piece(*found.span("code"), "")
    start, end = found.span("value")
    yield Piece(found.end("code"), found.start("name"), " ")
    yield Piece(found.end("name"), start, ": ")
    code, caret, text = found["value"].partition("^")
    scores = BARE_SCORE.fullmatch(code) is not None
    if scores and found["unit"] == "" and STAINED.search(found["name"] + found["code"]):
        yield Piece(start, start, "score ")
    if caret:
        last = text.find("^")
        shown = start + len(code)
        if code in COMPARISONS:  # '>^10'
            yield Piece(shown, shown + 1, "")
        else:
            yield Piece(shown, shown + 1, ", ") if scores else Piece(start, shown + 1, "")
        if last >= 0:
            yield Piece(shown + 1 + last, end, "")
    yield Piece(end, found.start("unit"), " ")
    yield Piece(found.end("unit"), found.end(), ".")


# ---- JSON


def _without_quotes(folded: Folded) -> Folded:
    """Return JSON as labels and values."""
    low = folded.low
    first = PAIR.search(low)
    if first is None:
        return folded
    begin = low.rfind("{", 0, first.start())
    if begin < 0:  # a part of an object
        begin = first.start()
    pieces = [piece for found in QUANTITY.finditer(low, begin) for piece in _percent(found)]
    pieces += [Piece(*found.span(), " ") for found in STATE.finditer(low, begin)]
    for found in RATIO.finditer(low, begin):
        over, under = found.span("over"), found.span("under")
        pieces += [Piece(found.start(), over[0], " "), Piece(over[1], under[0], " / ")]
        pieces.append(Piece(under[1], found.end(), " "))
    if STAINED.search(low, begin) is not None:
        pieces += [Piece(at, at, "score ") for at in _coded_scores(low, begin)]
    pieces.sort(key=_start)
    folded = replaced(folded, pieces)
    low = folded.low
    end = low.rfind("}") + 1
    return replaced(folded, list(_json(folded, begin, end or len(low))))


def _start(piece: Piece) -> int:
    return piece.start


def _coded_scores(low: str, begin: int) -> Iterator[int]:
    """Return where a bare score is the value of an observation of a stain."""
    for found in CODED_SCORE.finditer(low, begin):
        before = low[max(begin, found.start() - REACH) : found.start()]
        stained = max((item.end() for item in STAINED.finditer(before)), default=0)
        if stained and HYBRIDISED.search(before, stained) is None:
            yield found.start("score")


def _percent(found: re.Match[str]) -> tuple[Piece, ...]:
    """Return a quantity in percent as its number and the sign."""
    start, end = found.span("value")
    return Piece(found.start(), start, " "), Piece(end, end, UNIT), Piece(end, found.end(), " ")


def _json(folded: Folded, begin: int, end: int) -> Iterator[Piece]:
    parted = begin
    for found in TOKEN.finditer(folded.low, begin, end):
        kind, (start, stop) = found.lastgroup, found.span()
        blank = "" if start == parted else " "  # a run of blanks would part the columns of a table
        parted = -1 if kind == "string" else stop
        if kind == "key":
            held = found["key"].replace("_", "").replace(" ", "") in CONTAINERS
            written = _words(folded, *found.span("key"))
            yield Piece(start, stop, blank if held else f"{written}: ")
            bare = NUMBER.match(folded.low, stop)
            if bare is not None and _is_percent(written):
                yield Piece(bare.end(), bare.end(), UNIT)
        elif kind == "string":
            yield Piece(start, start + 1, "")
            yield Piece(stop - 1, stop, "")
        elif kind == "mark":
            yield Piece(start, stop, blank)
        else:
            yield Piece(start, stop, ".\n" if kind == "next" else ", ")


# ---- XML


def _without_tags(folded: Folded) -> Folded:
    """Return XML as labels and values; pages of HTML stay."""
    low = folded.low
    tags = list(TAG.finditer(low))
    if not tags or any(tag["name"] in HTML for tag in tags):
        return folded
    pieces: list[Piece] = []
    was_end = percent = False
    for tag in tags:
        if tag["end"]:
            bare = NUMBER.match(low, pieces[-1].end) if percent else None
            if bare is not None:
                pieces.append(Piece(bare.end(), bare.end(), UNIT))
            pieces.append(Piece(*tag.span(), ".\n" if was_end else ", "))
            was_end, percent = True, False
            continue
        name = "" if tag["name"] in CONTAINERS else _words(folded, *tag.span("name"))
        was_end, percent = False, _is_percent(name)
        pieces += [Piece(tag.start(), tag.start(), f"{name}: " if name else " ")]
        last = tag.start()
        for found in ATTRIBUTE.finditer(low, *tag.span("rest")):
            label = "" if found["name"] in CONTAINERS else f"{_words(folded, *found.span('name'))}: "
            pieces += [Piece(last, found.start("value"), label), Piece(found.end("value"), found.end("value"), ", ")]
            last = found.end("value")
        pieces.append(Piece(last, tag.end(), " "))
    return replaced(folded, pieces)
