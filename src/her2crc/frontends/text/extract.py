"""From text to findings: fold, find the items, see what they stand in, bind the values, close the findings.

Rules and word lists only: the same text gives the same findings, each with its place. A text that names nothing of
interest costs one search.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

from her2crc.frontends.text.context import Context
from her2crc.frontends.text.findings import Reading, Review, Span
from her2crc.frontends.text.fold import Folded, fold
from her2crc.frontends.text.languages import Languages, load_languages
from her2crc.frontends.text.layout import read_layout
from her2crc.frontends.text.markers import read_markers
from her2crc.frontends.text.markup import read_markup
from her2crc.frontends.text.scan import HER2, OTHER_NAMES, Patterns, compile_patterns, items_of, read_origins, scan
from her2crc.frontends.text.sections import Sections, heading_pattern, read_sections
from her2crc.frontends.text.sharing import read_sharing
from her2crc.frontends.text.tables import read_tables
from her2crc.frontends.text.walk import Walker
from her2crc.frontends.text.wording import read_wording

NOTHING = Reading()
NAMED = frozenset(("anchor", "iscn"))
"""Items without which a window states nothing of HER2."""


@lru_cache(maxsize=4)
def _patterns(languages: Languages) -> tuple[Patterns, re.Pattern[str]]:
    return compile_patterns(languages), heading_pattern(languages)


def _walker(folded: Folded, text: str, words: Languages, patterns: Patterns, headings: re.Pattern[str]) -> Walker:
    sections = read_sections(folded.low, words, headings)
    return Walker(words, Sections(sections, read_origins(folded, text, words, patterns, sections)))


def extract(text: str, languages: Languages | None = None) -> Reading:
    """Return the HER2 findings of a text, what a person must look at, and the patient's other markers.

    Args:
        text: report text, any length; places count its characters.
        languages: the word lists; the shipped ones if none are given.
    """
    elements, folded = read_markup(fold(text))
    folded = read_sharing(read_wording(read_layout(folded, text)))
    low = folded.low
    if HER2.search(low) is None and not any(name in low for name in OTHER_NAMES):
        return Reading(tuple(elements)) if elements else NOTHING
    words = languages or load_languages()
    master, headings = _patterns(words)
    folded = read_tables(folded, words, partial(items_of, folded=folded, text=text, languages=words, patterns=master))
    low = folded.low
    walker: Walker | None = None
    markers = []
    for items in scan(folded, text, words, master):
        if walker is None:
            walker = _walker(folded, text, words, master, headings)
        if not items:
            continue
        ctx = Context(low, items, lambda at: text[folded.span(at, at + 1)[0]], words.joining)
        if not NAMED.isdisjoint([item.kind for item in items]):
            walker.read(ctx)
        markers.extend(read_markers(ctx, folded, words))
    if walker is None:
        return Reading(tuple(elements)) if elements else NOTHING
    walker.values.settle()
    walker.values.settle_tumours()
    walker.values.settle_times()
    found = [draft.finish(folded) for draft in walker.values.drafts if not draft.is_empty()]
    found.extend(elements)
    review = tuple(
        Review(item.reason, Span(*folded.span(item.span.start, item.span.end)), item.field) for item in walker.review
    )
    return Reading(tuple(found), review, tuple(markers))
