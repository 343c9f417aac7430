"""The results of one HL7 v2 order (OBR with its OBX and SPM) as the FHIR resources they would be.

A result is known by its code or, where that is local, by its name. Parts of a variant are put together by OBX-4.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from her2crc.read.as_fhir import ABSENT, GENE, PRESENT, PROTEIN, VARIANT, Converted, loinc, part, to_specimen
from her2crc.read.column_words import code_of
from her2crc.read.columns import fields, specimen_columns
from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_resources import Component, Concept, Identifier
from her2crc.read.fhir_values import NotRead
from her2crc.read.hl7v2_message import Repetition, Segment
from her2crc.read.hl7v2_values import ERROR, TYPE, VALUE, Value, as_component, as_observation, own_value, read_value
from her2crc.read.hl7v2_words import VERDICTS, Meaning, Name, context_of, meaning_of, read_concept, words

PLACER, FILLER, SERVICE, ORDER_STATUS = 2, 3, 4, 25
OBSERVATION, SUB_ID, RESULT_STATUS, OF_SPECIMEN = 3, 4, 11, 33
PRESENCES = {"mutant": PRESENT, "wild_type": ABSENT}
CHANGE = re.compile(r"(?:p\.)?(\(?[A-Z][a-z]{0,2}\d+(?:[A-Z][a-z]{0,2}|\*|fs\S*|del\S*|dup\S*|ins\S*|_\S+)\)?)")
"""A change of the protein as laboratories write it, with or without its prefix."""


class Placed(NamedTuple):
    """A result, with the name of its specimen."""

    obx: Segment
    specimen: str


class Order(NamedTuple):
    """An order: its header, and its results with their specimens."""

    obr: Segment
    results: tuple[Placed, ...]


def order_number(obr: Segment) -> str:
    """Return the number of the laboratory for an order, else that of who ordered it."""
    return obr.identifier(FILLER) or obr.identifier(PLACER)


def context(obr: Segment) -> str:
    """Return which test an order is of, empty where that is not known."""
    service = obr.repetitions(SERVICE)
    return context_of(read_concept(service[0])) if service else ""


def speaks_of_markers(obr: Segment, results: list[Segment]) -> bool:
    """Tell whether any result of an order is one that is read, so that its specimen matters."""
    meanings = (_meaning(obx, context(obr)) for obx in results)
    return any(found.code is not None or found.name is not None or found.contradiction for found in meanings)


def read_order(order: Order, converted: Converted) -> None:
    """Read the results of an order into the resources of its patient."""
    if order.obr.text(ORDER_STATUS) in words().void_orders:
        converted.note("hl7_order_cancelled", order.obr.place)
        return
    if context(order.obr) != VERDICTS:  # what rules said of an earlier answer is never read back
        _Results(order, converted).read()


class _Results:
    """One order as it is read: heads and parts of variants wait until all its results are seen."""

    def __init__(self, order: Order, converted: Converted) -> None:
        self.order, self.converted = order, converted
        self.context = context(order.obr)
        self.texts: set[tuple[Repetition, ...]] = set()
        self.heads: dict[str, list[tuple[Placed, Value]]] = defaultdict(list)
        self.parts: dict[str, list[tuple[Placed, Component]]] = defaultdict(list)

    def read(self) -> None:
        for result in self.order.results:
            try:
                self.take(result)
            except NotRead as reason:
                self.converted.note(reason.id, result.obx.place, what=reason.what)
        for sub_id in {**self.heads, **self.parts}:
            self.put_together(self.heads[sub_id], self.parts[sub_id])

    def take(self, result: Placed) -> None:
        meaning, kind = _meaning(result.obx, self.context), result.obx.text(TYPE).upper()
        if kind in words().value_types.attachment:
            raise NotRead("hl7_attachment")
        if meaning.contradiction:
            for field in meaning.fields or ("",):
                self.note("hl7_code_and_name", result, field, meaning.contradiction)
        elif kind in words().value_types.free_text and not self.is_answer(result, meaning):
            self.note_text(result, _field(meaning))
        elif meaning.code is not None or meaning.name is not None:
            self.take_known(result, meaning)
        elif meaning.watched:
            raise NotRead("hl7_name_not_known")

    def note_text(self, result: Placed, field: str) -> None:
        """Say once of all lines of a report that it is not read."""
        lines = result.obx.repetitions(OBSERVATION)
        if lines not in self.texts:
            self.texts.add(lines)
            self.note("hl7_free_text", result, field)

    def is_answer(self, result: Placed, meaning: Meaning) -> bool:
        """Tell whether a free text is a short answer: of a known result, and not one of several lines of a report."""
        asked = result.obx.repetitions(OBSERVATION)
        lines = sum(other.obx.repetitions(OBSERVATION) == asked for other in self.order.results)
        is_known = meaning.code is not None or meaning.name is not None
        return is_known and lines == 1 and len(result.obx.text(VALUE)) <= words().short_text

    def take_known(self, result: Placed, meaning: Meaning) -> None:
        code, name, field = meaning.code, meaning.name, _field(meaning)
        stated = (code.code if code else name.code if name else "") or ""
        try:
            value = Value(absent=ERROR) if self.is_unobtainable(result) else read_value(result.obx, stated)
        except NotRead as reason:
            self.note(reason.id, result, field, reason.what)
            return
        if name is not None:
            self.take_named(result, name, value)
        elif code is not None and code.kind == "part":
            if not self.is_void(result):
                self.parts[result.obx.text(SUB_ID)].append((result, as_component(loinc(code.code), value)))
        elif code is not None and code.kind == "variant":
            self.heads[result.obx.text(SUB_ID)].append((result, value))
        else:
            self.observe(result, meaning.concept, value)

    def take_named(self, result: Placed, name: Name, value: Value) -> None:
        if name.gene:
            self.take_gene(result, name, value)
        elif not name.field:
            self.observe(result, name.concept, value)
        elif value.absent:
            self.note("hl7_unobtainable", result, name.field)
        elif (value.as_written() or value.ratio) and not self.is_void(result):
            self.give(result, name.field, value)

    def give(self, result: Placed, field: str, value: Value) -> None:
        """Give a value to the field that a name stands for, as it was written."""
        try:
            written = own_value(value, fields()[field])
        except NotRead as reason:
            self.note(reason.id, result, field)
            return
        if self.status(result) not in ("final", "corrected"):
            self.note("hl7_status_uncertain", result, field)
        owner = result.specimen if field in specimen_columns() else ""
        self.converted.give(result.obx.place, field, code_of(field, written) or written, owner)

    def take_gene(self, result: Placed, name: Name, value: Value) -> None:
        """A test of one gene: its result says whether a change was found, or which, or how many copies there are."""
        parts = [part(GENE, Concept(text=name.gene))]
        written = CHANGE.fullmatch(value.as_written())
        if value.absent and not name.code:
            for field in name.fills:
                self.note("hl7_unobtainable", result, field)
            return
        state = next((code for field in name.fills if (code := code_of(field, value.as_written()))), "")
        if name.code:
            parts.append(as_component(name.concept, value))
            value = Value()
        elif state in PRESENCES:
            value = Value(text=PRESENCES[state])
        elif written is not None:
            parts.append(part(PROTEIN, f"p.{written.group(1)}"))
            value = Value(text=PRESENT)
        if name.change and written is None and not name.code:
            parts.append(part(PROTEIN, name.change))
        self.observe(result, loinc(VARIANT), value, tuple(parts))

    def put_together(self, heads: list[tuple[Placed, Value]], parts: list[tuple[Placed, Component]]) -> None:
        """Make a variant of what has one sub-identifier; parts without a head do not say whether it is present."""
        components = tuple(component for _, component in parts)
        for result, value in heads or [(parts[0][0], Value())]:
            self.observe(result, loinc(VARIANT), value, components)

    def observe(self, result: Placed, code: Concept, value: Value, parts: tuple[Component, ...] = ()) -> None:
        obx = result.obx
        number = order_number(self.order.obr)
        same = "|".join((number, obx.text(OBSERVATION) or obx.text(OBSERVATION, 2), obx.text(SUB_ID)))
        self.converted.add(
            obx.place,
            as_observation(
                obx.place,
                code,
                value,
                status=self.status(result),
                specimen=to_specimen(result.specimen),
                component=parts,
                identifier=Identifier("order", same) if number else None,
            ),
        )

    def status(self, result: Placed) -> str:
        stated = result.obx.text(RESULT_STATUS) or self.order.obr.text(ORDER_STATUS)
        return words().result_status.get(stated.upper(), "")

    def is_unobtainable(self, result: Placed) -> bool:
        return result.obx.text(RESULT_STATUS).upper() in words().unobtainable

    def is_void(self, result: Placed) -> bool:
        status = self.status(result)
        if codebook().file.status["Observation"].get(status) != "no":
            return False
        self.note("hl7_status_not_used", result, what=status)
        return True

    def note(self, id: str, result: Placed, field: str = "", what: str = "") -> None:
        of_patient = field and field not in specimen_columns()
        specimen = "" if of_patient else result.specimen
        self.converted.note(id, result.obx.place, field=field, specimen=specimen, what=what)


def _field(meaning: Meaning) -> str:
    """Return the field that a result fills, as far as one is known before its value; of a gene and its parts none."""
    if meaning.code is not None and meaning.code.kind != "part":
        return meaning.code.field
    return "" if meaning.name is None or meaning.name.gene else meaning.name.stands_for


def _meaning(obx: Segment, context: str) -> Meaning:
    observation = obx.repetitions(OBSERVATION)
    return meaning_of(read_concept(observation[0]) if observation else Concept(), context)
