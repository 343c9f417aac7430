"""One reported genetic variant, or the report that there is none: which gene, whether present, how described.

The gene counts only where its code and the name beside it agree: in public files genes stand with each other's number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from her2crc.read.fhir_codes import Code, codebook
from her2crc.read.fhir_resources import Coding, Component, Concept, Resource
from her2crc.read.fhir_values import NotRead, meanings, read_choice, read_words, value_of

FAULTS = ("fhir_value_kind", "fhir_two_values")
GENE_CODE = re.compile(r"(?:HGNC:)?\d+|[A-Z][A-Z0-9-]{0,14}")
SYMBOL = re.compile(r"[A-Z][A-Z0-9-]{0,14}")
PROTEIN = re.compile(r"(?<!\w)p\.\(?[A-Z]")


class Result(NamedTuple):
    """An observation to read, with its code, the name of its specimen and its place."""

    code: Code
    observation: Resource
    specimen: str
    place: str


class Gene(NamedTuple):
    """A gene as the file names it; ``known`` where it is one that is read, ``code_alone`` where no name stands by."""

    symbol: str
    known: bool = False
    code_alone: bool = False


class Variant(NamedTuple):
    """What an observation says: ``status`` is ``present``, ``absent`` or empty (not stated), as is ``source``.

    ``protein`` and ``dna`` are the changes as written; ``of_copies`` where the change is one of copy number; ``fault``
    is the message that the value cannot be one of a variant.
    """

    result: Result
    genes: tuple[Gene, ...]
    status: str
    source: str = ""
    protein: tuple[str, ...] = ()
    dna: tuple[str, ...] = ()
    of_copies: bool = False
    fault: str = ""

    @property
    def described(self) -> tuple[str, ...]:
        """The protein changes, or the DNA changes where no protein change is given."""
        return self.protein or self.dna


def parts_of(components: Iterable[Component]) -> dict[str, list[Component]]:
    """Return the components of a variant by what they say: gene, copies, vaf, protein, dna, source, change."""
    parts: dict[str, list[Component]] = defaultdict(list)
    for part in components:
        code = codebook().find(part.code)
        if code is not None and code.kind == "part":
            parts[code.field].append(part)
    return parts


def gene_of(part: Component) -> Gene:
    """Return the gene of a component.

    Raises:
        NotRead: it names no gene, or its code and the name beside it are of different genes.
    """
    value = value_of(part)
    concept = Concept(text=value) if isinstance(value, str) else value
    if not isinstance(concept, Concept):
        raise NotRead("fhir_variant_without_gene")
    shown = [text for text in (concept.text, *(coding.display for coding in concept.coding)) if text]
    said = {gene for coding in concept.coding for gene in _coded(coding)}.union(*(_named(text) for text in shown))
    if len(said) != 1:
        codes = " and ".join(
            coding.code for coding in concept.coding if coding.code and GENE_CODE.fullmatch(coding.code)
        )
        raise NotRead("fhir_gene_contradiction" if said else "fhir_variant_without_gene", codes or "given")
    symbol = said.pop()
    candidates = [*shown, *(coding.code or "" for coding in concept.coding)]
    if symbol:
        return Gene(symbol, known=True, code_alone=not any(_named(text) == {symbol} for text in candidates))
    return Gene(next((text for text in candidates if SYMBOL.fullmatch(text)), ""))


def read_variant(result: Result) -> Variant:
    """Return what an observation of a variant says. Raises :class:`NotRead` as :func:`gene_of`."""
    if result.code.kind == "legacy":
        return _read_legacy(result)
    parts = parts_of(result.observation.component)
    genes = tuple(gene_of(part) for part in parts["gene"])
    if not genes:
        raise NotRead("fhir_variant_without_gene")
    try:
        status, fault = read_choice(result.observation, "presence"), ""
    except NotRead as reason:
        status, fault = "", reason.id if reason.id in FAULTS else ""
    change = {_choice(part, "change") for part in parts["change"]}
    return Variant(
        result,
        genes,
        status,
        next((_choice(part, "source") for part in parts["source"]), ""),
        _texts(parts["protein"]),
        _texts(parts["dna"]),
        of_copies="copies" in change or bool(parts["copies"] or parts["relative"]),
        fault=fault,
    )


def _coded(coding: Coding) -> set[str]:
    """Return the gene that a code means; the empty name stands for any gene that is not read."""
    table, code = codebook().answers["gene"], coding.code or ""
    is_number = code.removeprefix("HGNC:").isdigit()
    if codebook().system(coding) == "hgnc" or code.startswith("HGNC:"):
        meant = table.of_code("hgnc", "HGNC:" + code.removeprefix("HGNC:")) if is_number else None
        return {meant} if meant else table.of_text(code) or {""}
    return table.of_text(code)


def _named(text: str) -> set[str]:
    return codebook().answers["gene"].of_text(text) or {""}


def _choice(answer: Resource | Component, name: str) -> str:
    try:
        return read_choice(answer, name)
    except NotRead:
        return ""


def _texts(parts: list[Component]) -> tuple[str, ...]:
    return tuple(_written(parts))


def _written(parts: list[Component]) -> Iterator[str]:
    for part in parts:
        try:
            yield read_words(part)
        except NotRead:
            continue


def _read_legacy(result: Result) -> Variant:
    """Read one of the old codes that public files use for different genes: its name must say which gene it is."""
    concept = result.observation.code
    named = meanings(concept, "gene") & set(result.code.genes) if isinstance(concept, Concept) else frozenset()
    if len(named) != 1:
        raise NotRead("fhir_legacy_gene")
    genes = (Gene(min(named), known=True),)
    status = _choice(result.observation, "presence")
    try:
        words = read_words(result.observation)
    except NotRead:
        words = ""
    if not status and (PROTEIN.search(words) or meanings(words, "v600e")):
        return Variant(result, genes, "present", protein=(words,))
    return Variant(result, genes, status)
