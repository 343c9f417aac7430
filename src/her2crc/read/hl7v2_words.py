"""What the names and codes of HL7 v2 results mean, from ``knowledge/terms/hl7v2.yaml`` and ``fhir_codes.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.read.column_words import code_of
from her2crc.read.column_words import meaning_of as header_meaning
from her2crc.read.columns import given_fields
from her2crc.read.fhir_codes import Code, Message, codebook, plain
from her2crc.read.fhir_resources import Coding, Concept
from her2crc.read.hl7v2_message import Repetition, component_text

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "hl7v2.yaml"
PUNCTUATION = re.compile(r"[^\w%/+<>=]+")
CODING_STARTS = (1, 4)
"""A coded value holds two codes: identifier, text and system from the first component on, and from the fourth."""
LOINC, LOCAL = "http://loinc.org", "local"
"""System of a code that no known coding system defines."""
LOINC_CODE = re.compile(r"\d{1,6}-\d")
PATIENT_FACTS, SPECIMEN_FACTS, VERDICTS = "patient_facts", "specimen_facts", "verdicts"
"""The contexts of the orders that our own writer sends."""


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local names of one result, and what it stands for: a code, a part without code, a gene, or a plain field."""

    names: tuple[str, ...]
    code: str = ""
    text: str = ""
    gene: str = ""
    change: str = ""
    field: str = ""
    within: dict[str, tuple[str, ...]] = {}

    @property
    def concept(self) -> Concept:
        """The code, or the text that stands for it."""
        return Concept((Coding(LOINC, self.code),) if self.code else (), self.text or None)

    @property
    def stands_for(self) -> str:
        """The field that the result fills, or the gene it is about."""
        code = codebook().find(self.concept)
        return self.field or self.gene or (code.field if code is not None else "")

    @property
    def fills(self) -> frozenset[str]:
        """The fields that the result can fill; a gene those of its marker."""
        of_gene = (marker.field for marker in codebook().file.markers if self.gene in marker.genes)
        return frozenset(of_gene) if self.gene and not self.code else frozenset(filter(None, (self.stands_for,)))


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes and names of orders whose results may have short names; ``group`` of the fields that these can fill."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    group: str = ""


class ValueTypes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OBX-2 by what is done with it."""

    number: tuple[str, ...]
    structured: tuple[str, ...]
    coded: tuple[str, ...]
    words: tuple[str, ...]
    free_text: tuple[str, ...]
    attachment: tuple[str, ...]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    character_sets: dict[str, str]
    coding_systems: dict[str, str]
    unit_system: str
    result_status: dict[str, str]
    patient_numbers: tuple[str, ...]
    unobtainable: tuple[str, ...]
    void_orders: tuple[str, ...]
    confirmed_diagnoses: tuple[str, ...]
    value_types: ValueTypes
    short_text: int
    contexts: dict[str, Context]
    clear_alone: tuple[str, ...]
    names: tuple[Name, ...]
    watched: tuple[str, ...]
    watched_words: tuple[str, ...]
    values: dict[str, dict[str, str]]
    messages: dict[str, Message]


class Meaning(NamedTuple):
    """What a result is: by its code, or by its name.

    Where these disagree, ``contradiction`` is the code and ``fields`` are those that either would have filled.
    ``watched``: the name speaks of a marker that is read here.
    """

    concept: Concept
    code: Code | None = None
    name: Name | None = None
    contradiction: str = ""
    fields: tuple[str, ...] = ()
    watched: bool = False


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return load_strict(WORDS_FILE, Words)


def folded(text: str) -> str:
    """Return a name without differences of case, spacing and most punctuation."""
    return PUNCTUATION.sub(" ", text.casefold()).strip()


def read_concept(repetition: Repetition) -> Concept:
    """Return a coded value (CE, CWE) with the names of its coding systems as FHIR has them."""
    codings = []
    for start in CODING_STARTS:
        code, shown, system = (component_text(repetition, start + step) for step in range(3))
        if code or shown:
            known = words().coding_systems.get(system.upper(), LOCAL)
            codings.append(Coding(known, code or None, shown or None))
    return Concept(tuple(codings), component_text(repetition, 9) or None)


def context_of(order: Concept) -> str:
    """Return which test an order is of, so that short names of its results are clear; empty where that is not said."""
    codings = (*order.coding, *([Coding(LOCAL, None, order.text)] if order.text else ()))
    said = {name for coding in codings for name in _contexts(coding)}
    return said.pop() if len(said) == 1 else ""


def meaning_of(concept: Concept, context: str) -> Meaning:
    """Return what a result is by its code and by its name, which must not contradict each other."""
    code = codebook().find(Concept(concept.coding))
    is_part = code is not None and code.kind == "part"
    texts = [text for coding in concept.coding for text in _texts(coding)] or ([concept.text] if concept.text else [])
    named = _all_named(texts, context, any(coding.system == LOINC for coding in concept.coding))
    own = {name.field: name for coding in concept.coding for name in _own_name(coding, context)}
    if own:
        named = {field: name for name in named.values() for field in name.fills} | own
    fields = set(named) | ({code.field} if code is not None and code.field else set())
    other_code = code is None and any(coding.system == LOINC for coding in concept.coding)
    if not is_part and named and (len(fields) > 1 or other_code):
        stated = (coding.code for coding in concept.coding if LOINC_CODE.fullmatch(coding.code or ""))
        return Meaning(concept, contradiction=next(stated, None) or "given", fields=tuple(sorted(fields)))
    watched = any(map(_holds_marker, texts))
    return Meaning(concept, code, next(iter(named.values()), None) if code is None else None, watched=watched)


def _all_named(texts: list[str], context: str, has_loinc: bool) -> dict[str, Name]:
    """Return what the names of a result stand for; what one says of a gene counts before what others say of it.

    Beside a LOINC code only the listed names count. A gene counts before its marker: KRAS before RAS.
    """
    found = [
        name for text in texts for name in _named(text, context) or ([] if has_loinc else _translated(text, context))
    ]
    of_genes = {field for name in found if name.gene for field in name.fills}
    told = (name for name in found if name.field not in of_genes)
    return {name.stands_for: name for name in sorted(told, key=lambda name: bool(name.change))}


def _contexts(coding: Coding) -> set[str]:
    return {
        name
        for name, context in words().contexts.items()
        if coding.code in context.codes
        or folded(coding.display or "") in _folded_all(context.names)
        or (context.group and _groups(coding.display or "") == {context.group})
    }


def _own_name(coding: Coding, context: str) -> Iterator[Name]:
    """Yield the field that a local code names; one word could be of another test: it counts in our own orders only."""
    code = coding.code or ""
    is_clear = "_" in code or context in (PATIENT_FACTS, SPECIMEN_FACTS)
    if coding.system == LOCAL and is_clear and code in given_fields():
        yield Name(names=(), field=code)


def _texts(coding: Coding) -> list[str]:
    """Return the words of a code: its display, and of a local code also the code itself."""
    own = coding.code if coding.system == LOCAL else None
    return [text for text in (coding.display, own) if text]


def _named(text: str, context: str) -> list[Name]:
    return _names().get(("", folded(text)), []) or _names().get((context, folded(text)), [])


@lru_cache(maxsize=1024)
def _translated(text: str, context: str) -> tuple[Name, ...]:
    """Return what a name means as a header of a laboratory's table, in any of its languages.

    It must stand in an order of that test, or say which marker it is of and leave no doubt about the method.
    """
    meant = header_meaning(text)
    if not meant.whole or len(meant.fields) != 1 or meant.fields[0] not in given_fields():
        return ()
    group = words().contexts[context].group if context else ""
    is_clear = meant.fields[0] in words().clear_alone and _names_marker(text)
    fits = is_clear or given_fields()[meant.fields[0]].group == group
    known = (name for name in words().names if meant.fields[0] in name.fills and not name.change)
    same = (name for name in known if not meant.gene or name.gene == meant.gene)
    return (next(same, None) or Name(names=(), field=meant.fields[0]),) if fits else ()


def _names_marker(text: str) -> bool:
    """Tell whether a name holds a marker, and says more of it than that."""
    return folded(text) not in _folded_all(words().watched) and _holds_marker(text)


def _holds_marker(text: str) -> bool:
    said = text.casefold()
    is_word = any(word in folded(text).split() for word in words().watched_words)
    return is_word or any(word in said for word in words().watched)


@lru_cache(maxsize=1024)
def _groups(text: str) -> frozenset[str]:
    """Return the groups of the fields that a name means as a header of a table."""
    meant = header_meaning(text) if _names_marker(text) else None
    fields = meant.fields if meant and meant.whole else ()
    return frozenset(given_fields()[field].group for field in fields if field in given_fields())


@lru_cache(maxsize=1)
def _names() -> dict[tuple[str, str], list[Name]]:
    found: dict[tuple[str, str], list[Name]] = {}
    for name in words().names:
        for context, texts in {"": name.names, **name.within}.items():
            for text in texts:
                found.setdefault((context, folded(text)), []).append(name)
    return found


@lru_cache(maxsize=64)
def _folded_all(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(folded, texts))


def usual_answer(code: str, text: str) -> str:
    """Return an answer in the words of ``fhir_codes.yaml``, where the laboratory's words for it are known."""
    return words().values.get(code, {}).get(plain(text), text)


def translated(field: str, concept: Concept) -> Concept:
    """Return a coded value with the words of other languages for a field as its codes, where they are known."""
    texts = (coding.display and (code_of(field, coding.display) or coding.display) for coding in concept.coding)
    codings = (Coding(item.system, item.code, text) for item, text in zip(concept.coding, texts, strict=True))
    return Concept(tuple(codings), concept.text and (code_of(field, concept.text) or concept.text))
