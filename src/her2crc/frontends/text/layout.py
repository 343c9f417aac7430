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
SPACED_OUT = re.compile(r"(?<![^ \n])[^ \n](?: {1,4}[^ \n](?![^ \n])){5,}+")
"""Single letters with spaces between."""
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
TAG = re.compile(r"<(?P<end>/)?(?:\w{1,20}:)?(?P<name>[a-z][\w.-]{0,60})(?P<rest>[^<>]{0,500})>")
ATTRIBUTE = re.compile(r"(?P<name>[a-z][\w.:-]{0,40})\s?=\s?[\"'](?P<value>[^\"'<>]{0,200})[\"']")
NUMBER = re.compile(r"\s{0,5}[<>≤≥]?=?\s?\d{1,3}(?:\.\d{1,3})?(?=\s{0,20}(?:[,}\]<]|$))")
UNIT = "%"
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
    if "h e r" in low or "e r b b" in low:
        folded = _drawn_together(folded)
        low = folded.low
    if "..." in low or ". . ." in low:
        folded = replaced(folded, [Piece(*found.span(), ": ") for found in LEADER.finditer(low)])
    if "{" in folded.low and PAIR.search(folded.low) is not None:
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


# ---- JSON


def _without_quotes(folded: Folded) -> Folded:
    """Return JSON as labels and values."""
    low = folded.low
    first = PAIR.search(low)
    begin = low.rfind("{", 0, first.start()) if first is not None else -1
    if begin < 0:
        return folded
    folded = replaced(folded, [piece for found in QUANTITY.finditer(low, begin) for piece in _percent(found)])
    low = folded.low
    end = low.rfind("}") + 1
    return replaced(folded, list(_json(folded, begin, end or len(low))))


def _percent(found: re.Match[str]) -> tuple[Piece, ...]:
    """Return a quantity in percent as its number and the sign."""
    start, end = found.span("value")
    return Piece(found.start(), start, " "), Piece(end, end, UNIT), Piece(end, found.end(), " ")


def _json(folded: Folded, begin: int, end: int) -> Iterator[Piece]:
    for found in TOKEN.finditer(folded.low, begin, end):
        kind, (start, stop) = found.lastgroup, found.span()
        if kind == "key":
            held = found["key"].replace("_", "").replace(" ", "") in CONTAINERS
            written = _words(folded, *found.span("key"))
            yield Piece(start, stop, " " if held else f"{written}: ")
            bare = NUMBER.match(folded.low, stop)
            if bare is not None and _is_percent(written):
                yield Piece(bare.end(), bare.end(), UNIT)
        elif kind == "string":
            yield Piece(start, start + 1, "")
            yield Piece(stop - 1, stop, "")
        elif kind == "mark":
            yield Piece(start, stop, " ")
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
