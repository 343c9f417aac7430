"""The FHIR codes that are read, from ``knowledge/terms/fhir_codes.yaml``, made ready for looking up.

Every code, answer word, status and message is data there; this module only gives them types and finds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.read.columns import columns
from her2crc.read.fhir_resources import Coding, Concept

CODES_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "fhir_codes.yaml"

REMEMBERED = 4096
"""Texts and concepts whose meaning is kept, because files say the same things over and over."""

SlideKind = Literal["score", "decimal", "count", "ratio", "words", "panel", "status"]
Kind = SlideKind | Literal["ignored", "msi", "stage", "variant", "legacy", "part"]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of an observation or component: the field it fills, and what must stand beside it.

    ``words``: a display must hold one of them. ``texts``: a component without a code is known by one of these.
    ``not_words``: a display that holds one is of another test, with the message that says so.
    ``warning``: the message that each use brings. ``emit``: whether we may write it.
    """

    code: str
    name: str
    kind: Kind
    system: str = "loinc"
    group: str = ""
    field: str = ""
    fields: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    not_words: dict[str, tuple[str, ...]] = {}
    texts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    warning: str = ""
    emit: bool = True


class AnswerCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of an answer."""

    system: str
    code: str
    emit: bool = True


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value, and the codes and texts that mean it."""

    value: str
    texts: tuple[str, ...] = ()
    codes: tuple[AnswerCode, ...] = ()


class AnswerList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answers to one question; ``match`` says whether a text must be, or must hold, one of the texts."""

    match: Literal["whole", "words"]
    rows: tuple[Answer, ...]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person is told, and how serious it is."""

    level: Literal["error", "conflict", "warning"]
    text: str


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A marker of the patient's tumour, and its genes, all of which must be wild type for it to be so.

    ``counts``: ``any`` change of the protein, only ``v600e``, or any as long as it is ``described``.
    """

    field: str
    genes: tuple[str, ...]
    counts: Literal["any", "v600e", "described"]


class LineOfTherapy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a treatment says which line it is.

    ``numbers`` are addresses of extensions, an inner one after that of the outer one and a ``#``. ``intent`` is the
    extension with the intent, of which ``curative`` are the codes that make it no line for metastatic disease.
    """

    numbers: tuple[str, ...]
    intent: str
    curative: tuple[str, ...]


class CodesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    systems: dict[str, tuple[str, ...]]
    codes: tuple[Code, ...]
    answers: dict[str, AnswerList]
    markers: tuple[Marker, ...]
    her2_gene: str
    profiles: dict[str, str]
    status: dict[str, dict[str, str]]
    replaces: tuple[str, ...]
    planned_intents: tuple[str, ...]
    line_of_therapy: LineOfTherapy
    body_structure: str
    messages: dict[str, Message]


class Answers:
    """One answer list, ready for looking up."""

    def __init__(self, answers: AnswerList, system_of: dict[str, str]) -> None:
        self._system_of = system_of
        self._codes = {(code.system, code.code): row.value for row in answers.rows for code in row.codes}
        self._texts = {plain(text): row.value for row in answers.rows for text in row.texts}
        longest_first = sorted(self._texts, key=len, reverse=True)
        self._words = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
        self._whole = answers.match == "whole"

    def of_code(self, system: str, code: str) -> str | None:
        """Return the value that a code of a named system means."""
        return self._codes.get((system, code))

    def of_coding(self, coding: Coding) -> str | None:
        """Return the value that a code means; an ICD-10 code also counts by its category and chapter."""
        system, code = self._system_of.get(coding.system or ""), coding.code or ""
        if system == "icd10":
            tries: Iterable[str] = (code, code.partition(".")[0], code[:1])
            return next((self._codes[system, part] for part in tries if (system, part) in self._codes), None)
        return self._codes.get((system or "", code))

    def of_text(self, text: str | None) -> set[str]:
        """Return the values that a text means; of overlapping phrases the longest counts."""
        if not text:
            return set()
        if self._whole:
            value = self._texts.get(plain(text))
            return set() if value is None else {value}
        return {self._texts[phrase] for phrase in self._words.findall(plain(text))}

    def of_concept(self, concept: Concept | None) -> set[str]:
        """Return what a concept means: none, one, or several values that contradict each other.

        A code decides, and the words beside it may say more, but must not say only something else.
        """
        if concept is None:
            return set()
        coded = {value for value in map(self.of_coding, concept.coding) if value is not None}
        said = self.of_text(concept.text).union(*(self.of_text(coding.display) for coding in concept.coding))
        return coded if coded and (not said or coded & said) else coded | said


class Codebook:
    """The file, ready for looking up."""

    def __init__(self, file: CodesFile) -> None:
        self.file = file
        self._system_of = {url: name for name, urls in file.systems.items() for url in urls}
        self._codes = {(code.system, code.code): code for code in file.codes if code.code}
        self._texts = {plain(text): code for code in file.codes for text in code.texts}
        self.answers = {name: Answers(answers, self._system_of) for name, answers in file.answers.items()}
        self._watched = frozenset((*(code.code for code in file.codes if code.code), *columns()))

    def find(self, concept: Concept | str | None) -> Code | None:
        """Return the code that an observation or component has; one without a system is taken as LOINC."""
        if not isinstance(concept, Concept):
            return None
        for coding in concept.coding:
            system = self._system_of.get(coding.system, "") if coding.system else "loinc"
            if (system, coding.code) in self._codes:
                return self._codes[system, coding.code or ""]
        return self._texts.get(plain(concept.text)) if concept.text and self._texts else None

    def may_concern(self, concept: Concept | str | None) -> bool:
        """Tell, fast and rather too often than too seldom, whether an observation with this code may be one to read.

        Looks at codes without their systems; the codes of our own system are the names of columns.
        """
        if not isinstance(concept, Concept):
            return False
        for coding in concept.coding:
            if coding.code in self._watched:
                return True
        return concept.text is not None and plain(concept.text) in self._texts

    def system(self, coding: Coding) -> str:
        """Return our name for a coding's code system, empty for one that is not known."""
        return self._system_of.get(coding.system or "", "")

    def misnaming(self, concept: Concept) -> str:
        """Return the message that the name beside a known code is of another test; empty where it is not."""
        code = self.find(concept)
        if code is None:
            return ""
        shown = [item.display for item in concept.coding if item.code == code.code and item.display]
        for message, words in code.not_words.items():
            if any(_holds(text, words) for text in shown):
                return message
        wrong = bool(code.words) and any(not _holds(text, code.words) for text in shown)
        return "fhir_display_contradicts" if wrong else ""


@lru_cache(maxsize=REMEMBERED)
def plain(text: str) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(text.casefold().split())


@lru_cache(maxsize=REMEMBERED)
def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in plain(text) for word in words)


@lru_cache(maxsize=REMEMBERED)
def misnaming(concept: Concept) -> str:
    """Return what :meth:`Codebook.misnaming` says, remembered."""
    return codebook().misnaming(concept)


@lru_cache(maxsize=1)
def codebook() -> Codebook:
    """Return the codes, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return Codebook(load_strict(CODES_FILE, CodesFile))


FILL_NOTHING = ("part", "ignored", "status", "panel")


def describe_codes() -> str:
    """Return the reference table of what is read from where, as Markdown (``docs/reference/fhir.md``)."""
    lines = ["| code | what | fills | written | remark |", "|---|---|---|---|---|"]
    for code in codebook().file.codes:
        known_by = f"{code.system} {code.code}" if code.code else "text: " + ", ".join(code.texts)
        fills = "" if code.kind in FILL_NOTHING else ", ".join(code.fields or (code.field,))
        remark = codebook().file.messages[code.warning].text if code.warning else ""
        written = "yes" if code.emit and code.code and fills else "no"
        lines.append(f"| {known_by} | {code.name} | {fills} | {written} | {remark} |")
    return "\n".join(lines) + "\n"
