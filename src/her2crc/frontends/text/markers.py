"""The patient's other markers as the text states them: RAS, BRAF V600E, microsatellites, PIK3CA.

Only what is said in so many words: RAS is wild type where 'RAS' itself is, or both KRAS and NRAS are.
"""

from __future__ import annotations

from collections.abc import Iterator

from her2crc.frontends.text.context import CLAUSE, Context
from her2crc.frontends.text.findings import Marker, Span
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.languages import Languages

RAS_GENES = ("KRAS", "NRAS")
COLUMNS = {
    "RAS": "ras",
    "KRAS": "ras",
    "NRAS": "ras",
    "BRAF": "braf_v600e",
    "MSI": "msi",
    "MMR": "msi",
    "PIK3CA": "pik3ca",
}
SELF = ("mss", "msi-h", "msi-l", "msi h", "msi l", "pmmr", "dmmr")
LOOK = 6
"""Items after a name that can state its value."""
FAR = 40
"""Items before a name that can say whose it is."""
ANOTHERS = frozenset(("family", "prior", "test", "if", "recommend"))
VALUES = {"ras": ("wild_type", "mutant"), "braf_v600e": ("wild_type", "mutant"), "pik3ca": ("wild_type", "mutant"),
          "msi": ("stable", "high")}  # fmt: skip


def read_markers(ctx: Context, folded: Folded, languages: Languages) -> list[Marker]:
    """Return the markers of one window, not those of relatives or of earlier tumours."""
    stated: dict[str, list[tuple[str, Span]]] = {}
    for index, item in enumerate(ctx.items):
        if item.kind != "marker" or item.value not in COLUMNS or ctx.void[index]:
            continue
        found = _value(ctx, index, languages)
        if found is not None:
            value, end = found
            stated.setdefault(item.value, []).append((value, Span(*folded.span(item.start, end))))
    return list(_columns(stated))


def _columns(stated: dict[str, list[tuple[str, Span]]]) -> Iterator[Marker]:
    for name, values in stated.items():
        for value, span in values:
            if name in RAS_GENES and value == "wild_type" and not _both_wild_type(stated):
                continue
            yield Marker(COLUMNS[name], value, span)


def _both_wild_type(stated: dict[str, list[tuple[str, Span]]]) -> bool:
    return all({value for value, _ in stated.get(gene, [])} == {"wild_type"} for gene in RAS_GENES)


def _value(ctx: Context, index: int, languages: Languages) -> tuple[str, int] | None:
    """Return the value that is stated of a marker, and where the statement ends."""
    items, column = ctx.items, COLUMNS[ctx.items[index].value]
    allowed, specific = VALUES[column], "v600e" in ctx.text(index)
    negated = index > 0 and items[index - 1].kind == "no" and ctx.levels[index] < CLAUSE
    if _is_anothers(ctx, index):
        return None
    if " ".join(ctx.text(index).split()) in SELF:
        value = languages.meaning(ctx.text(index))
        return next(((code, items[index].end) for kind, code in value if kind == "marker_status"), None)
    for at in range(index + 1, min(index + LOOK, len(items))):
        item = items[at]
        if ctx.levels[at] >= CLAUSE or ctx.void[at] or item.kind == "anchor":
            break
        specific = specific or "v600e" in ctx.text(at)
        if item.kind == "marker_status" and item.value in allowed:
            if column == "braf_v600e" and item.value == "mutant" and not specific:
                return None
            return item.value, item.end
        if item.kind == "variant":
            codon = "".join(letter for letter in ctx.text(at) if letter.isdigit())
            if column == "ras" and codon in languages.ras_codons and not negated:
                return "mutant", item.end
            return ("mutant", item.end) if column == "pik3ca" and not negated else None
        if item.kind == "absent" and column != "msi" and (specific or column != "braf_v600e"):
            return "wild_type", item.end
        if item.kind in ("present", "status") and specific and column == "braf_v600e" and item.value != "negative":
            return "mutant", item.end
    return None


def _is_anothers(ctx: Context, index: int) -> bool:
    """Tell whether the sentence speaks of a relative, an earlier tumour or of tests to come before the name."""
    for at in range(index, max(-1, index - FAR), -1):
        if ctx.items[at].kind in ANOTHERS:
            return True
        if ctx.levels[at] > CLAUSE:
            break
    return False
