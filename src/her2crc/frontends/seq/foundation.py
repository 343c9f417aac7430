"""Copy numbers of a FoundationOne XML report.

Its ``ratio`` is the fold change and its ``copy-number`` is already per tumour cell: in the vendor's sample report every
gene obeys copies = (2 ratio - 2 (1 - purity)) / purity with the stated ``purity-assessment``.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from her2crc.errors import InputError
from her2crc.frontends.seq.profile import GeneValue, Profile
from her2crc.frontends.seq.tables import number
from her2crc.frontends.seq.terms import terms

PERCENT = 100


def read_reports(root: Element, file: str) -> list[Profile]:
    """Read each report's copy numbers, as far as it lists them; a gene that is not listed is unknown.

    Raises:
        InputError: there is no report of variants in the file.
    """
    reports = list(_named(root, "variant-report"))
    if not reports:
        raise InputError("The report holds no results that can be read (variant-report).", where=file)
    return [_profile(report, at, file) for at, report in enumerate(reports, 1)]


def _profile(report: Element, at: int, file: str) -> Profile:
    genes = {}
    for position, item in enumerate(_named(report, "copy-number-alteration"), 1):
        gene = item.get("gene", "").upper()
        if gene == terms().gene or gene in terms().neighbours:
            genes[gene] = _value(item, position)
    return Profile(
        report.get("specimen") or f"report {at}",
        "",
        "foundation_xml",
        file,
        genes=genes,
        purity=_share(number(report.get("purity-assessment", ""))),
    )


def _share(purity: float | None) -> float | None:
    """Return a purity as a share: the reports write percent, and what lies below 1 can only be a share."""
    return purity / PERCENT if purity and purity >= 1 else purity or None


def _value(item: Element, position: int) -> GeneValue:
    amplified = item.get("type", "").casefold() in terms().foundation["amplification"]
    sure = item.get("equivocal", "").casefold() != "true"
    call = ("amplified" if sure else "equivocal") if amplified else None
    fold, copies = number(item.get("ratio", "")), number(item.get("copy-number", ""))
    return GeneValue(fold, None, copies, call, None, None, position)


def _named(root: Element, name: str) -> Iterator[Element]:
    return (item for item in root.iter() if item.tag.rpartition("}")[-1].casefold() == name)
