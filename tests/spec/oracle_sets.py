"""What each published set says of a case whose facts are all settled: plain Python, two-valued, exact.

This is half of the test oracle (`oracle.py` deals with unknown facts). It is written from the decided meaning
of the sets and from the facts, not from the criteria files, and imports nothing of her2crc. An attribute that
is ``None`` here means "there is no such result" (a reflex test not done, a pattern not stated), never
"not known yet". An answer is a status, or ``status: place`` where the same status stands in two places of a
source and the difference matters (see `oracle.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

POSITIVE, NEGATIVE, EQUIVOCAL = "positive", "negative", "equivocal"
INDETERMINATE, NOT_COVERED = "indeterminate", "not_covered"

NARROW_PATTERNS = (None, "complete", "basolateral")
BROAD_PATTERNS = (None, "complete", "basolateral", "lateral")


@dataclass(frozen=True)
class Case:
    """The base facts; derived copies are computed here again, independently of the product."""

    specimen_kind: str | None = None
    ihc_score: Fraction | None = None
    ihc_percent: Fraction | None = None
    ihc_pattern: str | None = None
    ish_ratio: Fraction | None = None
    ish_her2_copies: Fraction | None = None
    ish_cell_percent: Fraction | None = None
    ngs_copies: Fraction | None = None
    ngs_call: str | None = None
    tumour_purity: Fraction | None = None
    plasma_copies: Fraction | None = None
    tumour_fraction: Fraction | None = None


Rule = Callable[[Case], str]


def reflex(tested: object, amplified: bool) -> str:
    """2+: the in situ test decides; while there is none the case is equivocal."""
    if tested is None:
        return EQUIVOCAL
    return POSITIVE if amplified else NEGATIVE


# ---- immunohistochemistry with in situ hybridisation


def csco_article(c: Case) -> str:
    if c.ihc_score == 3:
        return POSITIVE if c.ihc_percent > 50 and c.ihc_pattern in NARROW_PATTERNS else NOT_COVERED
    if c.ihc_score == 2:
        return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio > 2 and c.ish_cell_percent > 50)
    return NEGATIVE


def nccn_colon(c: Case) -> str:
    if c.ihc_score == 3:
        return POSITIVE if c.ihc_percent > 50 and c.ihc_pattern in BROAD_PATTERNS else NOT_COVERED
    if c.ihc_score == 2:
        return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio >= 2 and c.ish_cell_percent > 50)
    return NEGATIVE


def heracles_2015(c: Case) -> str:
    if c.ihc_score < 2:
        return NEGATIVE
    if c.ihc_pattern not in BROAD_PATTERNS:
        return NOT_COVERED
    amplified = c.ish_ratio is not None and c.ish_ratio >= 2 and c.ish_cell_percent >= 50
    if c.ihc_score == 3 and c.ihc_percent >= 50:
        return POSITIVE
    if c.ihc_percent <= 10 or (c.ihc_score == 2 and c.ihc_percent < 50):
        return NEGATIVE
    return reflex(c.ish_ratio, amplified)


def heracles_trial(c: Case) -> str:
    if c.ihc_score < 2:
        return NEGATIVE
    if c.ihc_percent <= 50:
        return NOT_COVERED
    if c.ihc_score == 3:
        return POSITIVE
    return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio > 2 and c.ish_cell_percent > 50)


def fujii_2020(c: Case) -> str:
    if c.ihc_score == 3:
        if c.specimen_kind == "biopsy":
            return POSITIVE
        return POSITIVE if c.specimen_kind == "resection" and c.ihc_percent > 10 else NOT_COVERED
    if c.ihc_score == 2:
        return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio >= 2)
    return NEGATIVE


def triumph(c: Case) -> str:
    if c.ish_ratio is not None and c.ish_ratio >= 2:
        return POSITIVE
    if c.ihc_score < 2:
        return NEGATIVE
    if c.ihc_score == 3:
        return _triumph_strong(c)
    if c.ish_ratio is not None:
        return NEGATIVE
    return EQUIVOCAL if c.specimen_kind == "biopsy" or c.ihc_percent > 10 else NOT_COVERED


def _triumph_strong(c: Case) -> str:
    if c.specimen_kind == "biopsy":
        return POSITIVE
    if c.specimen_kind == "cytology" or c.ihc_percent == 10:
        return NOT_COVERED
    if c.ihc_percent > 10:
        return POSITIVE
    return reflex(c.ish_ratio, False)


def s1613(c: Case) -> str:
    if c.ihc_score == 2:
        return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio > 2)
    return POSITIVE if c.ihc_score == 3 else NEGATIVE


def destiny(c: Case) -> str:
    if c.ihc_score == 2:
        return NOT_COVERED if c.ish_ratio == 2 else s1613(c)
    return POSITIVE if c.ihc_score == 3 else NEGATIVE


def pyrotinib_nct04380012(c: Case) -> str:
    widespread = c.ihc_score >= 2 and c.ihc_percent > 50
    if c.ihc_score < 2:
        return NEGATIVE
    if widespread and c.ish_ratio is not None and c.ish_ratio > 2:
        return POSITIVE
    if c.ihc_score == 2:
        if c.ish_ratio is not None and c.ish_ratio <= 2:
            return NEGATIVE
        return EQUIVOCAL if widespread else NOT_COVERED
    if c.ish_ratio is not None and c.ish_ratio <= 2:
        return NOT_COVERED
    return INDETERMINATE if widespread else NOT_COVERED


def sun_2023(c: Case) -> str:
    return POSITIVE if c.ish_ratio >= 2 or c.ish_her2_copies >= 6 else NEGATIVE


# ---- any one method; a sequencing call that was never made counts as clear


def mountaineer(c: Case) -> str:
    if c.ihc_score == 3 or (c.ish_ratio is not None and c.ish_ratio > 2) or c.ngs_call == "amplified":
        return POSITIVE
    if c.ish_ratio == 2 or c.ngs_call == "equivocal":
        return NOT_COVERED
    return EQUIVOCAL if c.ihc_score == 2 and c.ish_ratio is None else NEGATIVE


def singh_2024(c: Case) -> str:
    by_reflex = destiny(c)
    if by_reflex == POSITIVE or c.ngs_call == "amplified":
        return POSITIVE
    return NOT_COVERED if c.ngs_call == "equivocal" else by_reflex


def mypathway(c: Case) -> str:
    if c.ihc_score == 3 or c.ish_ratio > 2 or c.ngs_call == "amplified":
        return POSITIVE
    return NOT_COVERED if c.ngs_call == "equivocal" else NEGATIVE


# ---- other organs, for contrast


def gea_2016(c: Case) -> str:
    if c.ihc_score < 2:
        return NEGATIVE
    if c.specimen_kind != "biopsy" and c.ihc_percent < 10:
        return NOT_COVERED
    if c.ihc_score == 3:
        return POSITIVE if c.ihc_pattern in BROAD_PATTERNS else NOT_COVERED
    return reflex(c.ish_ratio, c.ish_ratio is not None and c.ish_ratio >= 2)


def breast_2018(c: Case) -> str:
    group = _breast_group(c)
    if group == 1:
        return POSITIVE
    if c.ihc_score < 2:
        return NEGATIVE
    if c.ihc_score == 3 and c.ihc_pattern not in (None, "complete"):
        return NOT_COVERED
    if c.ihc_score == 3 and c.ihc_percent > 10:
        return POSITIVE
    if c.ihc_score == 2 and c.ihc_percent <= 10:
        return NOT_COVERED
    if group is None:
        return EQUIVOCAL
    return f"{POSITIVE if group == 3 else NEGATIVE}: group {group}"


def _breast_group(c: Case) -> int | None:
    """The dual-probe group (4 stands for 4 and 5, which the decided text joins); None without a test."""
    if c.ish_ratio is None:
        return None
    if c.ish_ratio >= 2:
        return 1 if c.ish_her2_copies >= 4 else 2
    return 3 if c.ish_her2_copies >= 6 else 4


# ---- copies


def copies_in_tumour(observed: Fraction, fraction: Fraction) -> Fraction:
    """Copies per tumour cell when every other cell has two."""
    return (observed - 2 * (1 - fraction)) / fraction


def guarded_negative(c: Case, excluded: Callable[[Fraction], bool]) -> str:
    """Low copies are negative only where enough tumour was sequenced for a positive to show."""
    if c.tumour_purity < Fraction("0.20"):
        return INDETERMINATE
    return NEGATIVE if excluded(copies_in_tumour(c.ngs_copies, c.tumour_purity)) else INDETERMINATE


def yeh_2019(c: Case) -> str:
    if c.ngs_copies >= Fraction("8.42"):
        return POSITIVE
    if c.ngs_copies > Fraction("3.04"):
        return NOT_COVERED
    return guarded_negative(c, lambda copies: copies < 6)


def cenaj_2019(c: Case) -> str:
    return POSITIVE if c.ngs_copies >= 6 else guarded_negative(c, lambda copies: copies < 6)


def strata_2019(c: Case) -> str:
    if c.ngs_copies >= 10:
        return POSITIVE
    return guarded_negative(c, lambda copies: copies < (10 if c.ngs_copies >= 6 else 6))


def fujii_cnv(c: Case) -> str:
    return EQUIVOCAL if c.ngs_copies > 4 else guarded_negative(c, lambda copies: copies <= 4)


def guardant360_observed(c: Case) -> str:
    if c.plasma_copies >= Fraction("2.4"):
        return POSITIVE
    return NEGATIVE if c.tumour_fraction >= Fraction("0.05") else INDETERMINATE


def heracles_adjusted(c: Case) -> str:
    if c.tumour_fraction < Fraction("0.05"):
        return INDETERMINATE
    return POSITIVE if copies_in_tumour(c.plasma_copies, c.tumour_fraction) >= Fraction("25.82") else NEGATIVE
