"""Values shared out over names, rewritten as a statement each.

'The primary and the metastasis were 1+ and 3+, respectively' becomes 'the primary were 1+; the metastasis were 3+', and
'primary / metastasis: 1+ / 3+' 'primary: 1+; metastasis: 3+'. Each character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from her2crc.frontends.text.fold import Folded, Piece

VALUE = (
    r"(?:[0-3] ?\+|0(?![.,\d%]| %)|\d{1,3}(?:[.,]\d{1,2})?(?: ?%)?"
    r"|(?:not |non-?)?amplified|positive|negative|equivocal|not overexpressed|overexpressed)"
)
AND = r"(?:,? ?(?:and|und|et|y|e|&) ?|, ?)"
EACH = re.compile(r",? ?\(?(?:respectively|respectivement|respectivamente|rispettivamente)\)?")
VALUES = re.compile(
    rf"(?<![a-z\d.,]){VALUE}(?:{AND}{VALUE}){{1,3}}(?P<unit> of (?:the |all )?(?:tumou?r )?(?:cells|nuclei))?$"
)
ONE = re.compile(VALUE)
JOIN = re.compile(r",? (?:and|und|et|y|e|&) |, ")
VERB = re.compile(
    r" (?:is|are|was|were|had|has|have|show|shows|showed|scored|est|sont|etait|etaient|es|son|era|eran|fue|fueron|sono"
    r"|erano)(?![a-z])|:"
)
OF_MANY = re.compile(r"(?<![a-z])(?:rates?|cohorts?|patients|cases|tumou?rs|cancers|arms?|groups?|stud|trial)")
"""Words of a sentence that speaks of many patients."""
BOTH = re.compile(r"(?:^|(?<= ))both ")
GOVERNS = re.compile(r".* (?:of|in|for|from|at|di|de|nel|en|dans) ")
END = re.compile(r"\n|[.;](?= )")
LONGEST, LONGEST_NAMES = 300, 130
"""Characters of a sentence that shares values out, and of names with slashes between."""
NAME = r"[a-z][a-z0-9 ().-]{0,30}?"
SCORED = r"(?:[0-3] ?\+|0(?![.,\d])|(?:not |non-?)?amplified|positive|negative|equivocal|pos|neg)"
SLASHED = re.compile(r"/ ?(?:[0-3] ?\+|0|not |non|amp|pos|neg|equ)")
"""What a text with such values holds: the cheap test."""
SLASHED_VALUES = re.compile(rf"[:=] ?(?P<values>{SCORED}(?: ?/ ?{SCORED}){{1,3}})(?![\w/+])")
SLASHED_NAMES = re.compile(rf"(?<![a-z\d/])(?P<names>{NAME}(?: ?/ ?{NAME}){{1,3}}) ?$")
SLASH = re.compile(r" ?/ ?")
QUOTIENT = re.compile(r"neu|ce[np]|chr|d17z1|cell|nucle|(?:her|erb)[^\n]*\n(?:.|\n)*(?:her-?2|erb)")
"""Names beside a slash that are no two of them: 'HER2/neu', 'HER2/CEP17', 'copies/cell', 'HER2/ERBB2'."""
Stretch = tuple[int, int]
Statements = tuple[int, int, list[list[Piece]]]
"""Where a sentence begins and ends, and what is written for each of its names."""


def read_sharing(folded: Folded) -> Folded:
    """Return the text with each shared-out value beside its name."""
    low = folded.low
    if "respecti" in low or "rispettiv" in low:
        folded = _rewritten(folded, [_shared(low, found) for found in EACH.finditer(low)])
        low = folded.low
    if "/" in low and SLASHED.search(low) is not None:
        folded = _rewritten(folded, [_slashed(low, found) for found in SLASHED_VALUES.finditer(low)])
    return folded


def _rewritten(folded: Folded, statements: Sequence[Statements | None]) -> Folded:
    """Return the text with some of its stretches as statements, one for each name."""
    pieces: list[Piece] = []
    done = 0
    for start, end, stated in filter(None, statements):
        if start < done:
            continue
        pieces.append(Piece(done, start))
        for number, statement in enumerate(stated):
            pieces += [Piece(end, end, "; ")] * (number > 0) + statement
        done = end
    return folded.rewritten([*pieces, Piece(done, len(folded.low))]) if pieces else folded


def _shared(low: str, each: re.Match[str]) -> Statements | None:
    """Return the statements of a sentence that says 'respectively'."""
    least = max(0, each.start() - LONGEST)
    begin = max((found.end() for found in END.finditer(low, least, each.start())), default=least)
    values = VALUES.search(low, begin, each.start())
    if values is None or OF_MANY.search(low, begin, values.start()):
        return None
    verbs = VERB.finditer(low, begin, values.start())
    verb = next((found for found in verbs if JOIN.search(low, begin, found.start())), None)
    unit = values.span("unit") if values["unit"] else (values.end(), values.end())
    parts = [found.span() for found in ONE.finditer(low, values.start(), unit[0])]
    names = _names(low, begin, verb.start(), len(parts)) if verb is not None else []
    if verb is None or not names:
        return None
    governing = GOVERNS.match(low, *names[0])
    prefix = Piece(names[0][0], governing.end() if governing is not None else names[0][0])
    closed = low.startswith(")", each.end()) and "(" in low[verb.start() : values.start()]
    end = each.end() + closed
    said, tail = Piece(verb.start(), values.start()), Piece(each.end(), end)
    stated = [
        [*([prefix] if number else []), Piece(*name), said, Piece(*value), Piece(*unit), tail]
        for number, (name, value) in enumerate(zip(names, parts, strict=True))
    ]
    return begin, end, stated


def _names(low: str, begin: int, end: int, count: int) -> list[Stretch]:
    """Return the last names of a list, the first of them with what stands before it; none where they are too few."""
    both = BOTH.search(low, begin, end)
    first = both.end() if both is not None else begin
    joins = [found.span() for found in JOIN.finditer(low, first, end)][1 - count :]
    if len(joins) != count - 1:
        return []
    edges = [first, *[at for join in joins for at in join], end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _slashed(low: str, found: re.Match[str]) -> Statements | None:
    """Return the statements of names and values that slashes part."""
    named = SLASHED_NAMES.search(low, max(0, found.start() - LONGEST_NAMES), found.start())
    if named is None:
        return None
    names, values = _parts(low, *named.span("names")), _parts(low, *found.span("values"))
    if len(names) != len(values) or QUOTIENT.search("\n".join(low[start:end] for start, end in names)):
        return None
    stated = [
        [Piece(*name), Piece(name[1], name[1], ": "), Piece(*value)] for name, value in zip(names, values, strict=True)
    ]
    return named.start(), found.end(), stated


def _parts(low: str, start: int, end: int) -> list[Stretch]:
    edges = [start, *[at for found in SLASH.finditer(low, start, end) for at in found.span()], end]
    return list(zip(edges[::2], edges[1::2], strict=True))
