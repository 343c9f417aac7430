"""The words of DNPM JSON (``knowledge/terms/dnpm.yaml``), and a tolerant look into its objects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.read.fhir_codes import Message
from her2crc.read.fhir_resources import Coding, Concept

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "dnpm.yaml"
HGNC = "http://www.genenames.org"
Object = Mapping[str, object]


class TumourContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which method of estimating tumour cells is used first."""

    first: str
    second: str


class Therapies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where treatments stand in a record, and the status of those that state none."""

    path: tuple[str, ...]
    status: str = ""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    specimen_types: dict[str, str]
    methods: dict[str, str]
    sites: dict[str, str]
    expression: dict[str, str]
    not_stated: tuple[str, ...]
    metastasized: str
    benign: tuple[str, ...]
    gains: tuple[str, ...]
    microsatellites: dict[str, str]
    tumour_content: TumourContent
    therapies: tuple[Therapies, ...]
    drug_status: dict[str, str]
    drugs: dict[str, str]
    messages: dict[str, Message]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return load_strict(WORDS_FILE, Words)


def objects(parent: object, *path: str) -> list[Object]:
    """Return the objects at the end of a path of keys; lists on the way are looked through, other values ignored."""
    found = parent if isinstance(parent, list) else [parent]
    for key in path:
        inner = [item.get(key) for item in found if isinstance(item, dict)]
        found = [item for value in inner for item in (value if isinstance(value, list) else [value])]
    return [item for item in found if isinstance(item, dict)]


def text_of(item: Object, key: str) -> str:
    """Return a text or number as it is written, empty for anything else."""
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


def code_of(item: Object, key: str) -> str:
    """Return the code of a coded value, which was a bare text in the first model (bwHC)."""
    return text_of(item, key) or next((text_of(coding, "code") for coding in objects(item, key)), "")


def owner_of(item: Object, key: str) -> str:
    """Return the id that a reference to a patient or specimen names, which was a bare text in the first model."""
    return text_of(item, key) or next((text_of(reference, "id") for reference in objects(item, key)), "")


def results_of(report: Object, key: str) -> list[Object]:
    """Return the results of one kind, which stood in the report itself in the first model."""
    return objects(report, "results", key) or objects(report, key)


def gene_of(coding: Object) -> Concept:
    """Return a gene with the name beside its number, which the reader compares."""
    number = text_of(coding, "code") or text_of(coding, "hgncId")
    shown = text_of(coding, "display") or text_of(coding, "symbol")
    system = text_of(coding, "system") or (HGNC if text_of(coding, "hgncId") else "")
    return Concept((Coding(system or None, number or None, shown or None),))


def change_of(variant: Object, key: str) -> str:
    """Return a change of protein or DNA, which is a text now and was a coded value before."""
    return code_of(variant, key)
