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
Object = Mapping[str, object]


class TumourContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which method of estimating tumour cells is used first."""

    first: str
    second: str


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
    """Return the code of a coded value."""
    return next((text_of(coding, "code") for coding in objects(item, key)), "")


def gene_of(coding: Object) -> Concept:
    """Return a gene with the name beside its number, which the reader compares."""
    shown = text_of(coding, "display") or None
    return Concept((Coding(text_of(coding, "system") or None, text_of(coding, "code") or None, shown),))


def change_of(variant: Object, key: str) -> str:
    """Return a change of protein or DNA, which is a text now and was a coded value before."""
    return text_of(variant, key) or code_of(variant, key)
