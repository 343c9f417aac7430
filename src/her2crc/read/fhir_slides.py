"""One test of a stained slide (HER2 staining or hybridisation) into facts, whoever's slide it is.

Part of :mod:`her2crc.read.fhir`. What a test says depends on nothing but its code, value and components, and files say
the same things over and over: so each content is read once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from her2crc.model.record import RawValue
from her2crc.read.fhir_codes import ANALYTE, REMEMBERED, UNCLEAR, Code, codebook, is_own, misnaming, names_in
from her2crc.read.fhir_resources import Component, Concept, Quantity, Ratio, Resource
from her2crc.read.fhir_values import (
    NotRead,
    bare_status,
    lacks_unit,
    read_count,
    read_decimal,
    read_ratio,
    read_stain,
    read_words,
    values_of,
)
from her2crc.read.fhir_variants import gene_of, parts_of
from her2crc.read.hl7v2_words import meaning_of

CEP17 = "cep17"

_ENCODER = msgspec.json.Encoder()
_CONTENT = msgspec.json.Decoder(tuple[Component, ...])


class Remark(NamedTuple):
    """A message about a test: its id, the field that it leaves unknown (or none) and its safe detail."""

    id: str
    field: str
    what: str = ""


class Slide(NamedTuple):
    """What a test says: facts by field, and remarks."""

    facts: tuple[tuple[str, RawValue], ...]
    remarks: tuple[Remark, ...]


def read_slide(observation: Resource) -> Slide:
    """Return what an observation says whose code is one of a slide test."""
    head = Component(
        observation.code if isinstance(observation.code, Concept) else None,
        observation.value_codeable_concept,
        observation.value_quantity,
        observation.value_string,
        observation.value_integer,
        observation.value_ratio,
        observation.value_range,
        observation.value_boolean,
        observation.value_date_time,
        observation.value_time,
        observation.value_period,
        observation.value_sampled_data,
        observation.data_absent_reason,
    )
    return _read_content(_ENCODER.encode((head, *observation.component)))


@lru_cache(maxsize=REMEMBERED)
def _read_content(content: bytes) -> Slide:
    """Read a test and its components from their JSON, in which all digits are kept."""
    head, *parts = _CONTENT.decode(content)
    code = codebook().find(head.code)
    if code is None:
        return Slide((), ())
    said = [*_said(code, head, parts)]
    facts = tuple(item for item in said if not isinstance(item, Remark))
    return Slide(facts, tuple(item for item in said if isinstance(item, Remark)))


def _said(code: Code, head: Component, parts: list[Component]) -> Iterator[tuple[str, RawValue] | Remark]:
    try:
        _check_gene(parts)
    except NotRead as reason:
        yield Remark(reason.id, code.field, reason.what)
        return
    yield from _answers(code, code, head)
    for part in parts:
        own = codebook().find(part.code) or _named(part.code, code.group)
        if own is not None and own.group and (own.group == code.group or own.code):
            if own.group != code.group:
                is_cep17 = code.group == "ihc" and CEP17 in own.says.get(ANALYTE, ())
                yield Remark("fhir_cep17_part_under_ihc" if is_cep17 else "fhir_part_of_other_test", "", own.code)
            yield from _answers(code, own, part)
        elif own is None and part.code is not None:
            yield from _unknown(part, part.code)


def _named(concept: Concept | None, group: str) -> Code | None:
    """Return what the name of a part that has no LOINC code stands for in a test of this group, as in HL7 v2.

    A name of signals counted is not enough: their mean and their total are often called the same.
    """
    if concept is None or any(codebook().system(coding) == "loinc" for coding in concept.coding):
        return None
    names = (meaning_of(Concept(text=text), group).name for text in names_in(concept))
    known = (codebook().find(name.concept) for name in names if name is not None)
    fit = (code for code in known if code is not None and code.group == group)
    return next((code for code in fit if code.code or code.kind != "count"), None)


def _unknown(part: Component, concept: Concept) -> Iterator[Remark]:
    """Yield that a part is not known, if it names a marker or is a number."""
    if named := codebook().watched_in(concept):
        yield Remark("fhir_name_not_known", "", named)
    elif not is_own(concept) and any(isinstance(value, (Quantity, Ratio, int)) for value in values_of(part)):
        yield Remark("fhir_part_not_known", "")


def _check_gene(parts: list[Component]) -> None:
    """Refuse a test of another gene than HER2."""
    for part in parts_of(parts).get("gene", ()):
        if gene_of(part).symbol != codebook().file.her2_gene:
            raise NotRead("fhir_gene_not_her2")


def _answers(test: Code, code: Code, answer: Component) -> Iterator[tuple[str, RawValue] | Remark]:
    """Yield what an answer says; a part under the code of another test does not say that this one was done."""
    try:
        wrong = misnaming(answer.code) if answer.code is not None else ""
        if wrong and wrong != UNCLEAR:
            raise NotRead(wrong, code.code)
        if wrong and code is not test:  # that of the test itself is told where it is read
            yield Remark(wrong, "", code.code)
        yield from _read(code, answer).items()
        if lacks_unit(answer, code):
            yield Remark("fhir_unit_missing", code.field)
    except NotRead as reason:
        yield Remark(reason.id, code.field if code.group == test.group else "", reason.what)


def _read(code: Code, answer: Component) -> Mapping[str, RawValue]:
    match code.kind:
        case "score":
            return read_stain(answer, code)
        case "ratio":
            return read_ratio(answer, code)
        case "count":
            return {code.field: read_count(answer, code)}
        case "words":
            return {code.field: read_words(answer)}
        case "panel" if not values_of(answer):
            return {}  # its components and members say it
        case "panel" | "status":
            raise bare_status(answer)
        case _:
            return {code.field: read_decimal(answer, code)}
