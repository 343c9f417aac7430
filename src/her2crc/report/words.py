"""The words that people read: statuses, fields, codes and figures, the same in every form of the report.

Part of stage 5. The answer carries identifiers; this module alone turns them into words, so that a status is
called the same in the terminal, on the page and in print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Evidence, Retest, SpecimenVerdict

PERCENT = 100
NONE_KNOWN = "not stated"


class StatusWord(NamedTuple):
    """How one status is shown: never by colour alone."""

    word: str
    symbol: str
    code: str
    plain: str


STATUS = {
    "positive": StatusWord("positive", "●", "POS", "a lot of HER2 in at least one sample (positive)"),
    "negative": StatusWord("negative", "○", "NEG", "little or no HER2 in what was tested (negative)"),
    "equivocal": StatusWord("equivocal", "◐", "EQV", "between the two, so that a second test is needed"),
    "indeterminate": StatusWord("indeterminate", "?", "IND", "not known yet, because a result is missing or unclear"),
    "not_covered": StatusWord(
        "not covered", "\N{EN DASH}", "n/c", "nothing, because the rule is not about this situation"
    ),
}

MET = {True: ("met", "✓"), False: ("not met", "✗"), None: ("unknown", "?")}
ADVISED = {True: ("test", "✓"), False: ("do not test", "✗"), None: ("cannot be said", "?")}

FIELDS = {
    "tumour": "tumour type",
    "site": "site",
    "specimen_kind": "biopsy or resection",
    "collected_on": "day taken",
    "scoring_system": "scoring rule used",
    "ihc_score": "IHC score",
    "ihc_percent": "percent of cells staining",
    "ihc_pattern": "staining pattern",
    "ihc_antibody": "antibody",
    "ish_her2_signals": "HER2 signals counted",
    "ish_cep17_signals": "CEP17 signals counted",
    "ish_nuclei": "nuclei counted",
    "ish_ratio": "HER2/CEP17 ratio",
    "ish_her2_copies": "HER2 copies per nucleus",
    "ish_cep17_copies": "CEP17 copies per nucleus",
    "ish_cell_percent": "percent of nuclei with a ratio of 2 or more",
    "ngs_copies": "ERBB2 copies in tissue",
    "ngs_fold": "ERBB2 fold change in tissue",
    "ngs_call": "laboratory's call on amplification",
    "ngs_assay": "sequencing assay",
    "tumour_purity": "tumour purity",
    "ngs_tumour_copies": "copies per tumour cell",
    "plasma_copies": "ERBB2 copies in plasma",
    "tumour_fraction": "tumour fraction in plasma",
    "plasma_max_vaf": "highest allele fraction in plasma",
    "plasma_max_vaf_gene": "gene of that variant",
    "plasma_assay": "plasma assay",
    "plasma_adjusted_copies": "plasma copies adjusted for tumour fraction",
    "ras": "RAS",
    "braf_v600e": "BRAF V600E",
    "msi": "microsatellites",
    "pik3ca": "PIK3CA",
    "erbb2_mutation": "ERBB2 variant",
    "metastatic": "metastatic disease",
    "lines_of_therapy": "lines of therapy",
    "progressed_on_standard": "progressed on standard treatment",
    "prior_anti_egfr": "earlier anti-EGFR antibody",
    "prior_anti_her2": "earlier HER2-directed drug",
    "side": "side of the primary",
    "stage": "UICC stage",
    "highest_ihc_score": "highest IHC score",
    "primary_tested": "whether the primary was tested",
    "metastasis_tested": "whether a metastasis was tested",
    "any_positive": "whether a rule says positive",
    "any_discordant": "whether specimens differ",
}

PLAIN_TESTS = {
    "ras": "a gene test called RAS",
    "ihc": "a stain of the tissue for HER2",
    "specimen_kind": "looking up how the sample was taken",
    "ish": "a count of the HER2 gene in the tissue",
    "purity": "an estimate of how much of the sample is tumour",
    "ngs_call": "the laboratory's own conclusion of its gene test",
    "ngs": "the number of HER2 gene copies from the gene test",
    "plasma_fraction": "how much of the DNA in the blood sample is from the tumour",
    "plasma": "the number of HER2 gene copies in the blood sample",
}


def clean(text: str) -> str:
    """Return text without control characters, which could steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def name_code(code: str) -> str:
    """Write a code (``wild_type``, ``lymph_node``) as words."""
    return code.replace("_", " ")


def name_field(name: str, knowledge: Knowledge) -> str:
    """Write the name of a field, or of a set whose status is asked for, as words."""
    if name in knowledge.criteria:
        return f"status under {knowledge.criteria[name].name}"
    return FIELDS.get(name, name_code(name))


def name_fields(names: Iterable[str], knowledge: Knowledge) -> str:
    """Write several field names as one list."""
    return ", ".join(name_field(name, knowledge) for name in names)


def explain(verdict: SpecimenVerdict, knowledge: Knowledge) -> str:
    """Return why a set says what it says of a specimen, and what would decide; in words, not in field names."""
    if not verdict.missing:
        return verdict.why
    missing = name_fields(verdict.missing, knowledge)
    return f"{verdict.why} Would be decided by: {missing}." if verdict.row else f"Open until known: {missing}."


def show_number(value: Decimal | int) -> str:
    """Write a number with the digits that were reported."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def show_share(fraction: Decimal) -> str:
    """Write a fraction 0..1 as a percentage, with no digit that was not reported."""
    return f"{(fraction * PERCENT).normalize():f} %"


def show_fact(value: object) -> str:
    """Write one fact of the patient."""
    if value is None:
        return NONE_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return name_code(str(value))


def show_effective(day: date, precision: str) -> str:
    """Write an effective date with no more precision than the source gives."""
    digits = {"year": "%Y", "month": "%Y-%m"}.get(precision, "%Y-%m-%d")
    return day.strftime(digits)


def show_evidence(item: Evidence) -> str:
    """Write a figure with its interval and counts: ``46.9 % (34.3 to 59.8; 30/64, counts derived)``."""
    parts = [f"{item.interval[0]} to {item.interval[1]}"] if item.interval else []
    if item.events is not None:
        parts.append(f"{item.events}/{item.total}{', counts derived' if item.inferred else ''}")
    return f"{item.value} ({'; '.join(parts)})" if parts else item.value


def show_chance(item: Retest) -> str:
    """Write a chance with its interval: ``6.3 % (1.8 to 13.5)``."""
    low, high = (f"{bound * PERCENT:.1f}" for bound in item.interval)
    return f"{item.probability * PERCENT:.1f} % ({low} to {high})"


def show_lesions_needed(item: Retest, most: int) -> str:
    """Say how many further lesions, all negative, make the next one negative with the wanted certainty."""
    goal = f"below {(1 - item.certainty) * PERCENT:.0f} %"
    if item.lesions_needed is None:
        return f"Even after {most} further lesions, all negative, the chance at the next one is not {goal}."
    if not item.lesions_needed:
        return f"The chance is already {goal}."
    return f"After {count(item.lesions_needed, 'further lesion')}, all negative, the chance at the next one is {goal}."


def count(number: int, noun: str) -> str:
    """Write a count with its noun, plural by s."""
    return f"{number} {noun}{pick(number, '', 's')}"


def pick(number: int, one: str, many: str) -> str:
    """Return the form of a word that goes with a number."""
    return one if number == 1 else many


def join_words(words: Sequence[str]) -> str:
    """Write a list as a person does: ``a, b and c``."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
