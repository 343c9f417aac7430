"""What the header of a laboratory's column may mean: the words of several languages, as data, and their matching.

Used by :mod:`her2crc.read.propose`; nothing here decides, a person does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.read.columns import canonical, columns
from her2crc.read.mapped_cells import unit_of
from her2crc.read.score_words import stated_score

SCORE = "ihc_score"
BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,30})[)\]]")
WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "column_words.yaml"


class FieldWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The headers that mean a field: those that are exactly one of ``whole``, or hold the words of one of ``holds``.

    ``gene``: the column is of one gene of a marker that has several.
    """

    field: str
    whole: tuple[str, ...]
    holds: tuple[str, ...]
    gene: str = ""


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a combined cell may be written, under a header that means one of these fields."""

    pattern: str
    header: tuple[str, ...]


class WordsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file of words."""

    fields: tuple[FieldWords, ...]
    enough: Decimal
    some: Decimal
    sampled: int
    previewed: int
    signs: dict[str, str]
    letters: dict[str, str]
    fillers: frozenset[str]
    same: dict[str, str]
    ordered: frozenset[str]
    remarks: tuple[str, ...]
    dates: dict[str, tuple[str, ...]]
    encodings: tuple[str, ...]
    forms: tuple[Form, ...]
    values: dict[str, dict[str, tuple[str, ...]]]


class Meaning(NamedTuple):
    """The fields that a header may mean, whether the whole header says so, and the one gene of a marker it is of."""

    fields: tuple[str, ...]
    whole: bool
    gene: str = ""


@lru_cache(maxsize=1)
def words() -> WordsFile:
    """Return the words, loaded once. Raises KnowledgeError where the file is wrong."""
    return load_strict(WORDS_FILE, WordsFile)


def plain(text: str) -> str:
    """Return a text in lower case, without accents, signs and doubled blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_spellings()))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    for sign, word in words().signs.items():
        bare = bare.replace(sign, f" {word} ")
    return " ".join(bare.split())


def meaning_of(header: str) -> Meaning:
    """Return what a header may mean: our own name, else exactly known words, else the longest words that it holds.

    A remark in brackets on the unit or the way of writing, such as (%) or (DD/MM/YYYY), says nothing of the field.
    """
    if canonical(header) in columns():
        return Meaning((canonical(header),), True)
    for written in (plain(header), plain(BRACKETS.sub(_without_remark, header))):
        exact = _whole().get(_key(written)) or _of_percent(written)
        if exact:
            return Meaning(exact, True, _genes().get(_key(written), ""))
    held = {phrase: fields for phrase, fields in _held().items() if f" {phrase} " in f" {written} "}
    longest = max(map(len, held), default=0)
    found = {field: None for phrase, fields in held.items() if len(phrase) == longest for field in fields}
    return Meaning(tuple(found), False)


def _of_percent(written: str) -> tuple[str, ...]:
    return tuple(filter(unit_of, _whole().get(_key(written.removesuffix(" percent")), ())))


def _key(written: str) -> tuple[str, ...]:
    """Return the words of a header without those that say nothing, in any order where the order says nothing."""
    file = words()
    said = [file.same.get(word, word) for word in written.split() if word not in file.fillers] or written.split()
    return tuple(said) if file.ordered.intersection(said) else tuple(sorted(said))


def _without_remark(found: re.Match[str]) -> str:
    return "" if plain(found.group(1)) in _remarks() else found.group()


@lru_cache(maxsize=1)
def _remarks() -> frozenset[str]:
    return frozenset(map(plain, words().remarks))


@lru_cache(maxsize=1)
def _genes() -> Mapping[tuple[str, ...], str]:
    return {_key(plain(phrase)): item.gene for item in words().fields if item.gene for phrase in item.whole}


def code_of(field: str, cell: str) -> str | None:
    """Return the code of a field that a cell says in one of the languages; None where it says none."""
    return _codes().get((field, plain(cell))) or (stated_score(cell) if field == SCORE else None)


@lru_cache(maxsize=1)
def _spellings() -> dict[int, str]:
    return str.maketrans(words().letters)


@lru_cache(maxsize=1)
def _whole() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for phrase, fields in _by_phrase([(item.field, item.whole) for item in words().fields]).items():
        found[_key(phrase)] = tuple(dict.fromkeys((*found.get(_key(phrase), ()), *fields)))
    return found


@lru_cache(maxsize=1)
def _held() -> Mapping[str, tuple[str, ...]]:
    return _by_phrase([(item.field, item.holds) for item in words().fields])


def _by_phrase(entries: list[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for field, phrases in entries:
        for phrase in phrases:
            found[plain(phrase)] = (*found.get(plain(phrase), ()), field)
    return found


@lru_cache(maxsize=1)
def _codes() -> Mapping[tuple[str, str], str]:
    return {
        (field, plain(word)): code
        for field, codes in words().values.items()
        for code, said in codes.items()
        for word in said
    }
