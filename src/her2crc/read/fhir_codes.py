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

ANALYTE, MEASURE, RATIO = "analyte", "measure", "ratio"
"""Lists of names that are asked for by name, and the measure that two analytes have together."""
UNCLEAR = "fhir_display_unclear"
"""The message that a name beside a code says nothing of it: the only one after which the result is used."""
HER2 = "her2"
HER2_INSIDE = re.compile(r"(?<![a-z])her[ -]?2(?!\d)|erb-?b-?2(?!\d)", re.IGNORECASE)
"""HER2 in a text, also where it is run together with other words."""
OWN = "urn:her2crc:"
"""Code systems of what this program writes itself."""
LOINC_ANSWER = re.compile(r"LA\d+-\d")
"""A code that only LOINC has, so that it is known without its system."""
WORD = re.compile(r"[^\W\d_]{2,}")

SlideKind = Literal["score", "decimal", "count", "ratio", "words", "panel", "status"]
Kind = SlideKind | Literal["ignored", "msi", "stage", "variant", "legacy", "part"]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of an observation or component: the field it fills, and what must stand beside it.

    ``says``: what it is of, by list of names (analyte, method, material, measure): a name that says only something else
    contradicts it. ``refuses``: an analyte that no name beside it may speak of, with the message for that.
    ``texts``: a component without a code is known by one of these.
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
    says: dict[str, tuple[str, ...]] = {}
    refuses: dict[str, str] = {}
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
    names: dict[str, AnswerList]
    watched: dict[str, str]
    silent: tuple[str, ...]
    answers: dict[str, AnswerList]
    scores_of: dict[str, tuple[str, ...]]
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
        if not coding.system and LOINC_ANSWER.fullmatch(code):
            system = "loinc"
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

    def without(self, text: str) -> str:
        """Return a text without the phrases that mean something here."""
        return self._words.sub(" ", plain(text))

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
        self.units = frozenset(unit for code in file.codes for unit in code.units)
        self._codes = {(code.system, code.code): code for code in file.codes if code.code}
        self._texts = {plain(text): code for code in file.codes for text in code.texts}
        self._names = {name: Answers(names, self._system_of) for name, names in file.names.items()}
        self.answers = {name: Answers(answers, self._system_of) for name, answers in file.answers.items()}
        self._watched = frozenset((*(code.code for code in file.codes if code.code), *columns()))

    def find(self, concept: Concept | str | None) -> Code | None:
        """Return the code that an observation or component has, of several one that is read.

        A coding without a system is taken as LOINC.
        """
        if not isinstance(concept, Concept):
            return None
        known = self._known(concept)
        if known:
            return next((code for code in known if code.kind != "ignored"), known[0])
        return self._texts.get(plain(concept.text)) if concept.text and self._texts else None

    def _known(self, concept: Concept) -> list[Code]:
        keys = [
            (self._system_of.get(coding.system, "") if coding.system else "loinc", coding.code or "")
            for coding in concept.coding
        ]
        return [self._codes[key] for key in keys if key in self._codes]

    def may_concern(self, concept: Concept | str | None) -> bool:
        """Tell, fast and rather too often than too seldom, whether an observation with this code may be one to read.

        Looks at codes without their systems; the codes of our own system are the names of columns.
        """
        if not isinstance(concept, Concept):
            return False
        for coding in concept.coding:
            if coding.code in self._watched:
                return True
        is_part = concept.text is not None and plain(concept.text) in self._texts
        return is_part or bool(self.watched_in(concept))

    def system(self, coding: Coding) -> str:
        """Return our name for a coding's code system, empty for one that is not known."""
        return self._system_of.get(coding.system or "", "")

    def misplaced(self, concept: Concept) -> str:
        """Return a code that is read, but stands with another code system than its own; empty for none."""
        codes = {code: system for system, code in self._codes if self._codes[system, code].kind != "part"}
        given = (
            item.code for item in concept.coding if item.system and self.system(item) != codes.get(item.code or "")
        )
        return next((code for code in given if code in codes), "")

    def watched_in(self, concept: Concept) -> str:
        """Return which of the markers that are read here the names of a result speak of; empty for none, or our own."""
        if is_own(concept):
            return ""
        names = names_in(concept)
        said = {value for text in names for value in self._names[ANALYTE].of_text(text)}
        said |= {HER2} if any(map(HER2_INSIDE.search, names)) else set()
        return ", ".join(shown for value, shown in self.file.watched.items() if value in said)

    def speaks_of_her2(self, text: str | None, concept: Concept | None) -> bool:
        """Tell whether a value in words speaks of HER2, whatever it is the value of."""
        texts = (text or "", *(names_in(concept) if concept is not None else ()))
        return any(map(HER2_INSIDE.search, texts))

    def misnaming(self, concept: Concept) -> str:
        """Return the message that a name or second code beside a known code is of another test; empty where none is.

        ``UNCLEAR`` where a name only does not say what was tested: no reason not to believe the code.
        """
        code = self.find(concept)
        if code is None or not code.says:
            return ""
        if any(_differ(code, other) for other in self._known(concept)):
            return "fhir_codes_contradict"
        names = names_in(concept)
        wrong = next(filter(None, (self._contradiction(code, text) for text in names)), "")
        named = self.watched_in(concept) or any(map(self._names[ANALYTE].of_text, names))
        return wrong or (UNCLEAR if not named and any(map(self._is_unknown, names)) else "")

    def _contradiction(self, code: Code, text: str) -> str:
        """Return the message that a name is of another test than a code, empty where it does not say so.

        A name that speaks of two analytes may be that of their ratio.
        """
        said = {name: self._names[name].of_text(text) for name in code.says}
        analytes = said.get(ANALYTE, set())
        refused = next((message for analyte, message in code.refuses.items() if analyte in analytes), "")
        if len(analytes) > 1 and RATIO in code.says.get(MEASURE, ()):
            said[MEASURE].add(RATIO)
        wrong = any(values and values.isdisjoint(code.says[name]) for name, values in said.items())
        return refused or ("fhir_display_contradicts" if wrong else "")

    def _is_unknown(self, text: str) -> bool:
        for names in self._names.values():
            text = names.without(text)
        return bool(set(WORD.findall(text)) - set(self.file.silent))


def names_in(concept: Concept) -> list[str]:
    """Return the names of a concept: its text and those beside its codes."""
    return [text for text in (concept.text, *(coding.display for coding in concept.coding)) if text]


def is_own(concept: Concept | str | None) -> bool:
    """Tell whether this program itself writes what has this code."""
    return isinstance(concept, Concept) and any((coding.system or "").startswith(OWN) for coding in concept.coding)


def _differ(one: Code, other: Code) -> bool:
    both = one.says.keys() & other.says.keys()
    return any(set(one.says[name]).isdisjoint(other.says[name]) for name in both)


@lru_cache(maxsize=REMEMBERED)
def plain(text: str) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(text.casefold().split())


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
