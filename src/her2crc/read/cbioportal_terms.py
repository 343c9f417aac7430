"""The words and columns of cBioPortal studies, from ``knowledge/terms/cbioportal.yaml``, made ready for looking up.

Which file, column or word means what is data there; the modules of the reader only follow it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.model.record import Issue
from her2crc.read.fhir_codes import AnswerList, Answers, Message
from her2crc.read.rows import BLANK

TERMS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "cbioportal.yaml"


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of file: the meta files that announce it, and its usual names."""

    kind: str
    name: str
    meta: tuple[str, ...]
    files: tuple[str, ...]


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is read as it is written, from the first of these columns."""

    field: str
    columns: tuple[str, ...]


class StudySays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a study is known to say of its own copy numbers, and on what basis."""

    id: str
    zero_is_no_call: bool
    positive_log2_is_amplified: bool
    basis: str


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    her2_gene: str
    her2_entrez: str
    kinds: tuple[Kind, ...]
    expected: tuple[str, ...]
    blank: tuple[str, ...]
    patient_id: tuple[str, ...]
    sample_id: tuple[str, ...]
    columns: tuple[Column, ...]
    purity: tuple[str, ...]
    assay: tuple[str, ...]
    tumour: tuple[str, ...]
    sample_type: tuple[str, ...]
    material: tuple[str, ...]
    specimen_kind: tuple[str, ...]
    metastatic_site: tuple[str, ...]
    side: tuple[str, ...]
    msi: tuple[str, ...]
    answers: dict[str, AnswerList]
    cna_columns: dict[str, tuple[str, ...]]
    calls: dict[str, tuple[str, ...]]
    fold_decimals: int
    studies: tuple[StudySays, ...]
    maf: dict[str, str]
    protein_changing: tuple[str, ...]
    not_protein_changing: tuple[str, ...]
    not_somatic: tuple[str, ...]
    ras_codons: tuple[str, ...]
    whole_exome: tuple[str, ...]
    messages: dict[str, Message]


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the terms, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return load_strict(TERMS_FILE, Terms)


@lru_cache(maxsize=1)
def _answers() -> dict[str, Answers]:
    return {name: Answers(answers, {}) for name, answers in terms().answers.items()}


@lru_cache(maxsize=4096)
def meant(question: str, text: str) -> frozenset[str]:
    """Return what a written value means by one list of answers; the empty word stands for 'says nothing'."""
    return frozenset(_answers()[question].of_text(text))


@lru_cache(maxsize=1)
def _blanks() -> frozenset[str]:
    return BLANK | frozenset(terms().blank)


def is_blank(cell: str) -> bool:
    """Tell whether a cell says that nothing is known."""
    return cell.strip().lower() in _blanks()


def issue(id: str, place: str, *, what: str = "", field: str = "", specimen: str = "") -> Issue:
    """Return an issue; its level and text stand in the terms."""
    message = terms().messages[id]
    return Issue(message.level, id, message.text.format(what=what), specimen, field, place)
