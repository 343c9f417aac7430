"""The files of the words of report text: a file of ``knowledge/terms/text`` is a language, loaded strictly.

``shared.yaml`` holds the names that all languages have in common. :mod:`her2crc.frontends.text.languages` makes one
pattern of them all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import KnowledgeError
from her2crc.frontends.text.fold import fold_phrase

FOLDER = Path(__file__).parents[2] / "knowledge" / "terms" / "text"

Plain = Literal[
    "ihc", "ish", "ish_hint", "tissue", "plasma", "digital", "cep17", "other_probe", "snr", "fold", "log2",
    "copies", "mutation", "fraction", "score_word", "ratio", "mean", "total", "signals", "cells", "counted",
    "percent", "no", "absent", "present", "contrast", "if", "recommend", "maybe", "general", "criterion",
    "elsewhere", "serum", "therapy", "anti", "test", "prior", "replaced", "amended", "current", "family",
    "patient", "neutral", "range", "separator", "filler", "percent_sign", "class_of", "link", "turn",
    "threshold", "per_cell", "says", "specimen", "ras_codon", "replaces", "replaced_by", "explains", "reported", "past",
    "no_result", "misread", "cohort", "whole", "graded", "antibody_column", "done", "control", "owner", "blood",
    "drug", "study", "inquiry", "label", "modal", "asks", "when", "this", "finds", "being", "owing", "either",
    "article", "prior_heading", "void_heading", "void_line", "not_heading", "considers", "cases", "of_group",
]  # fmt: skip
Named = Literal[
    "assay", "assay_method", "antibody", "marker", "status", "noun", "score", "numeral", "pattern", "comparator",
    "tumour", "site", "section", "marker_status",
]  # fmt: skip
QUOTES = "\"'"


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: words by what they do, and words that stand for a value."""

    code: str
    name: str
    words: dict[Plain, tuple[str, ...]] = {}
    named: dict[Named, dict[str, tuple[str, ...]]] = {}


def read_language(path: Path) -> Language:
    """Return a language of a file.

    Raises:
        KnowledgeError: an unknown key or kind of word, or not YAML.
    """
    found = load_strict(path, Language)
    phrases = [phrase for phrases in found.words.values() for phrase in phrases]
    if not all(map(fold_phrase, phrases)):
        raise KnowledgeError("a phrase is empty", where=path.name, fix="Remove it.")
    quoted = [phrase for phrase in phrases if phrase[0] in QUOTES]
    if quoted:
        raise KnowledgeError(f"a phrase is quoted twice: {quoted[0]}", where=path.name, fix="Leave one pair out.")
    return found


def read_languages(extra: tuple[Path, ...]) -> list[Language]:
    """Return the shipped languages and those of a user's own files.

    Raises:
        KnowledgeError: a file is wrong, or two have the same code.
    """
    languages = [read_language(path) for path in (*sorted(FOLDER.glob("*.yaml")), *extra)]
    codes = [item.code for item in languages]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            raise KnowledgeError(f"two languages have the code '{code}'", fix="Give each its own.")
    return languages
