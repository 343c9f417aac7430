"""The patient's other markers as the text states them: RAS, BRAF V600E, microsatellites, PIK3CA.

Only what is said in so many words: RAS is wild type where 'RAS' itself is, or both KRAS and NRAS are.
"""

from __future__ import annotations

from her2crc.frontends.text.context import CLAUSE, Context
from her2crc.frontends.text.findings import Marker, Span
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


def read_markers(ctx: Context, languages: Languages) -> list[Marker]:
    """Return the markers of one window, not those of relatives or of earlier tumours."""
    if "marker" not in ctx.kinds:
        return []
    stated: dict[str, list[tuple[str, Span]]] = {}
    for index, kind in enumerate(ctx.kinds):
        if kind != "marker" or ctx.void[index]:
            continue
        name = ctx.values[index]
        found = _value(ctx, index, COLUMNS[name], languages) if name in COLUMNS else None
        if found is not None and not _is_anothers(ctx, index):
            value, end = found
            first, last = ctx.folded.span(ctx.starts[index], end)
            stated.setdefault(name, []).append((value, Span(first, last)))
    if not stated:
        return []
    both_wild_type = all(_is_wild_type(stated.get(gene, [])) for gene in RAS_GENES)
    return [
        Marker(COLUMNS[name], value, span)
        for name, values in stated.items()
        for value, span in values
        if both_wild_type or name not in RAS_GENES or value != "wild_type"
    ]


def _is_wild_type(stated: list[tuple[str, Span]]) -> bool:
    """Tell whether a gene is stated, and each time as wild type."""
    return bool(stated) and all(value == "wild_type" for value, _ in stated)


def _value(ctx: Context, index: int, column: str, languages: Languages) -> tuple[str, int] | None:
    """Return the value that is stated of a marker of a column, and where the statement ends."""
    allowed, of_braf = VALUES[column], column == "braf_v600e"
    specific = of_braf and "v600e" in ctx.text(index)
    negated = index > 0 and ctx.kinds[index - 1] == "no" and ctx.levels[index] < CLAUSE
    if column == "msi" and " ".join(ctx.text(index).split()) in SELF:
        value = languages.meaning(ctx.text(index))
        return next(((code, ctx.ends[index]) for kind, code in value if kind == "marker_status"), None)
    for at in range(index + 1, min(index + LOOK, len(ctx.kinds))):
        kind, stated, end = ctx.kinds[at], ctx.values[at], ctx.ends[at]
        if ctx.levels[at] >= CLAUSE or ctx.void[at] or kind == "anchor":
            break
        specific = specific or (of_braf and "v600e" in ctx.text(at))
        if kind == "marker_status" and stated in allowed:
            if of_braf and stated == "mutant" and not specific:
                return None
            return stated, end
        if kind == "variant":
            codon = "".join([letter for letter in ctx.text(at) if letter.isdigit()])
            if column == "ras" and codon in languages.ras_codons and not negated:
                return "mutant", end
            return ("mutant", end) if column == "pik3ca" and not negated else None
        if kind == "absent" and column != "msi" and (specific or not of_braf):
            return "wild_type", end
        if kind in ("present", "status") and specific and stated != "negative":
            return "mutant", end
    return None


def _is_anothers(ctx: Context, index: int) -> bool:
    """Tell whether the sentence speaks of a relative, an earlier tumour or of tests to come before the name."""
    for at in range(index, max(-1, index - FAR), -1):
        if ctx.kinds[at] in ANOTHERS:
            return True
        if ctx.levels[at] > CLAUSE:
            break
    return False
