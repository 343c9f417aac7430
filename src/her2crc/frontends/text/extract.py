"""From text to findings: fold, find the items, see what they stand in, bind the values, close the findings.

Rules and word lists only: the same text gives the same findings, each with its place. A text that names nothing of
interest costs one search.
"""

from __future__ import annotations

import re
from functools import lru_cache

from her2crc.frontends.text.cohorts import void_cohorts
from her2crc.frontends.text.context import Context
from her2crc.frontends.text.definitions import void_definitions
from her2crc.frontends.text.findings import PLASMA, TISSUE, Reading, Review, Span
from her2crc.frontends.text.fold import Folded, fold
from her2crc.frontends.text.generalities import void_generalities
from her2crc.frontends.text.languages import Languages, load_languages
from her2crc.frontends.text.layout import read_layout
from her2crc.frontends.text.legends import read_legends
from her2crc.frontends.text.markers import read_markers
from her2crc.frontends.text.markup import read_markup
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.sections import Headings, Sections, read_origins
from her2crc.frontends.text.sharing import read_sharing
from her2crc.frontends.text.tables import read_tables
from her2crc.frontends.text.walk import Walker
from her2crc.frontends.text.windows import names_any
from her2crc.frontends.text.wording import read_wording

NOTHING = Reading()
TITLE = 300
"""Characters in which a report says what was tested."""
OF_TISSUE = frozenset(("specimen", "control", "ihc", "ish"))
"""What a title names that is about more than blood."""
EMBEDDED = re.compile(r"ffpe|paraffin|tissue|gewebe|tissu|tejido|tessut|doku|组织|石蜡|蜡块|切片|組織|対照")
NAMED = frozenset(("anchor", "iscn"))
"""Items without which a window states nothing of HER2."""


@lru_cache(maxsize=4)
def _prepared(languages: Languages) -> tuple[Scanner, Headings]:
    return Scanner(languages), Headings(languages)


def _is_of_blood(folded: Folded, scanner: Scanner, kinds: list[str], *, titled: bool) -> bool:
    """Tell whether the title lines of a report name blood as what was sequenced, and no tissue beside it.

    Args:
        folded: the report.
        scanner: finds its items.
        kinds: those of the items of its last window; a report that is all title has no other.
        titled: asks for a line before that of the first result.
    """
    if len(folded.low) <= TITLE and "plasma" not in kinds:
        return False
    items = scanner.items(folded, 0, min(TITLE, len(folded.low)))
    first = items.kinds.index("anchor") if "anchor" in items.kinds else len(items.kinds)
    named = set(items.kinds[:first])
    if "plasma" not in named or not OF_TISSUE.isdisjoint(named):
        return False
    if titled:
        line = folded.low.rfind("\n", 0, items.starts[first]) if first < len(items.kinds) else TITLE
        if items.starts[items.kinds.index("plasma")] > line:
            return False
    return EMBEDDED.search(folded.low, 0, items.ends[first - 1]) is None


def extract(text: str, languages: Languages | None = None) -> Reading:
    """Return the HER2 findings of a text, what a person must look at, and the patient's other markers.

    Args:
        text: report text, any length; places count its characters.
        languages: the word lists; the shipped ones if none are given.
    """
    elements, folded = read_markup(fold(text))
    folded = read_sharing(read_wording(read_layout(folded)))
    if not names_any(folded.low):
        return Reading(tuple(elements)) if elements else NOTHING
    words = languages or load_languages()
    scanner, headings = _prepared(words)
    folded = read_tables(read_legends(folded, words), scanner)
    sections = headings.sections(folded)
    walker = Walker(words, Sections(sections, read_origins(folded, scanner, sections)))
    markers, kinds = [], [""]
    for first, last in scanner.windows(folded):
        items = scanner.items(folded, first, last)
        kinds = items.kinds
        if not kinds:
            continue
        ctx = Context(folded, items, words.joining)
        if not NAMED.isdisjoint(kinds):
            void_generalities(ctx, words)
            void_definitions(ctx, words)
            void_cohorts(ctx, words)
            walker.read(ctx)
        markers.extend(read_markers(ctx, words))
    walker.values.settle()
    analytes = {draft.analyte for draft in walker.values.drafts}
    if TISSUE in analytes and _is_of_blood(folded, scanner, kinds, titled=PLASMA in analytes):
        walker.values.settle_material(folded.low, EMBEDDED if PLASMA in analytes else None)
    walker.values.settle_tumours()
    walker.values.settle_entries(folded.low)
    walker.values.settle_times()
    found = [draft.finish(folded) for draft in walker.values.drafts if not draft.is_empty()]
    found.extend(elements)
    review = [
        Review(item.reason, Span(*folded.span(item.span.start, item.span.end)), item.field) for item in walker.review
    ]
    return Reading(tuple(found), tuple(review), tuple(markers))
