"""The codes that the FHIR and HL7 v2 writers write, from ``knowledge/terms/fhir_out.yaml``, with their types.

Part of stage 5. Every code is data there; this module only gives them types and says which test a fact belongs to.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import load_strict

SITE = "site"
ON_SPECIMEN = (SITE, "specimen_kind", "collected_on")
TERMS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "fhir_out.yaml"


class SlideTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test of a specimen: its material, the fact that is its value (or none), and the facts that are its parts."""

    id: str
    code: str
    text: str
    matrix: str
    value: str
    parts: tuple[str, ...]
    gene: str = ""
    order: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every fact that the test carries, each once."""
        return tuple(dict.fromkeys(name for name in (self.value, *self.parts) if name))


class FactTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a fact is written; without ``code`` under our own code system."""

    text: str
    code: str = ""
    unit: str = ""


class MarkerVariant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variant that says a marker's value."""

    gene: str
    presence: str
    protein: str = ""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coded question with its coded answers."""

    code: str
    text: str
    values: dict[str, str]


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site of a specimen: always words, a SNOMED CT code where one is confirmed."""

    text: str
    code: str = ""


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A HER2 score: its words, and its answer in LOINC."""

    text: str
    answer: str


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code with the name that its system gives it."""

    code: str
    display: str


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    systems: dict[str, str]
    profiles: dict[str, str]
    related_artifact: str
    v2_systems: dict[str, str]
    tests: tuple[SlideTest, ...]
    facts: dict[str, FactTerm]
    variant_code: str
    markers: dict[str, dict[str, tuple[MarkerVariant, ...]]]
    msi: Choice
    parts: dict[str, str]
    copy_number_change: Shown
    genes: dict[str, str]
    presence: dict[str, str]
    call: dict[str, str]
    scores: dict[int, Score]
    material: dict[str, str]
    sites: dict[str, Site]
    report_code: str
    interpretation: dict[str, str]

    def is_on_specimen(self, name: str, value: object) -> bool:
        """Tell whether the specimen itself says a fact: the site where it has words, how and when it was taken."""
        if value is None or name not in ON_SPECIMEN:
            return False
        return name != SITE or value in self.sites or value in self.material

    def fact(self, name: str, meaning: str) -> FactTerm:
        """Return how a fact is written; one that is not listed by its meaning, under our own code."""
        return self.facts.get(name) or FactTerm(meaning)


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the codes, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return load_strict(TERMS_FILE, Terms)
