"""The HL7 v2 reader: ORU^R01 messages, one or many, bare or in batches or MLLP frames, into patient records.

Takes the file apart (``hl7v2_message``), gathers orders with their results and specimens, and turns them into the
FHIR resources they would be (``hl7v2_results``), which the FHIR reader reads. Words are data (``terms/hl7v2.yaml``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.as_fhir import Converted
from her2crc.read.fhir_case import TISSUE
from her2crc.read.fhir_resources import Concept
from her2crc.read.fhir_values import meanings
from her2crc.read.hl7v2_message import Component, Message, Repetition, Segment, component_text, read_messages
from her2crc.read.hl7v2_results import OF_SPECIMEN, Order, Placed, context, order_number, read_order, speaks_of_markers
from her2crc.read.hl7v2_words import PATIENT_FACTS, read_concept, translated, words
from her2crc.read.rows import Found, collect, lost
from her2crc.read.source import refuse_too_large

MESSAGE_TYPE, PATIENT, BORN, DIAGNOSIS, DIAGNOSIS_TYPE = 9, 3, 7, 3, 6
RESULTS, NOT_RESULTS = "ORU", "hl7_not_oru"
UNNAMED = "no authority"
NUMBER_KIND = 5
"""Component of an identifier (CX) that says its kind."""
COLLECTED, OBR_SOURCE, SOURCE_SITE = 7, 15, 3
SPM_TYPE, SPM_METHOD, SPM_SITE, SPM_COLLECTED = 4, 7, 8, 17
DAY = re.compile(r"(\d{4})(\d{2})?(\d{2})?")
Key = tuple[str, str]


def read_hl7v2(data: bytes, name: str) -> list[PatientRecord]:
    """Read the patients of a file of HL7 v2 messages, in the order first seen.

    Returns:
        One record a patient (PID-3 with its assigning authority). Places are written ``FILE:message 1, OBX 2``.

    Raises:
        MissingExtraError: the package hl7 is not installed.
        InputError: too large, no message in it, or no message that can be read. A single unusable result or message is
            an issue instead.
    """
    return read_hl7v2_files([(data, name)])


def read_hl7v2_files(files: Sequence[tuple[bytes, str]]) -> list[PatientRecord]:
    """Read files of messages (content and name) as one feed, in their order. Raises as :func:`read_hl7v2`."""
    feed = _File()
    for data, name in files:
        refuse_too_large(len(data), name)
        for message in read_messages(data, name, words().character_sets):
            feed.take(message)
    return feed.records(files[0][1])


class _File:
    """The patients of a file as they are met; what belongs to nobody is kept so that its error is seen."""

    def __init__(self) -> None:
        self.patients: dict[Key, Converted] = {}
        self.lost: list[Found] = []
        self.skipped: list[Issue] = []

    def records(self, name: str) -> list[PatientRecord]:
        shared = Counter(number for number, _ in self.patients)
        for (number, authority), converted in self.patients.items():
            converted.patient_id = f"{number} ({authority or UNNAMED})" if shared[number] > 1 else number
        if not self.patients:
            fix = "Export whole ORU^R01 messages with PID-3."
            faults = [*(issue for found in self.lost for issue in found.issues), *self.skipped]
            if not faults:
                raise InputError("The messages hold no patient (PID) and no results.", where=name, fix=fix)
            raise InputError(faults[0].text, where=faults[0].place, fix=fix)
        first, *others = (converted.record() for converted in self.patients.values())
        return [replace(first, issues=(*self.skipped, *first.issues)), *others, *collect(self.lost)]

    def take(self, message: Message) -> None:
        fault = message.fault or ("" if message.segments[0].text(MESSAGE_TYPE).upper() == RESULTS else NOT_RESULTS)
        if fault == NOT_RESULTS:
            self.skipped.append(_issue(fault, message.place))
        elif fault:
            self.lose(message.place, fault)
        if fault:
            return
        for group in _by_patient(message.segments):
            self.take_patient(group, message)

    def take_patient(self, group: list[Segment], message: Message) -> None:
        key = _patient_key(group[0])
        if key is None:
            self.lose(group[0].place, "hl7_no_patient")
            return
        converted = self.patients.setdefault(key, Converted(key[0], words().messages))
        if message.character_set:
            converted.note("hl7_character_set", message.place, what=message.character_set)
        converted.add_birth(group[0].place, _iso_day(group[0].text(BORN)))
        for segment in group:
            if segment.broken:
                converted.note("hl7_broken_segment", segment.place)
            elif segment.name == "DG1":
                _read_diagnosis(segment, converted)
        for obr, parts in _orders(group):
            read_order(Order(obr, tuple(_placed(obr, parts, converted))), converted)

    def lose(self, place: str, id: str) -> None:
        self.lost.append(lost(place.rpartition(":")[2], _issue(id, place)))


def _issue(id: str, place: str) -> Issue:
    message = words().messages[id]
    return Issue(message.level, id, message.text, place=place)


def _by_patient(segments: tuple[Segment, ...]) -> Iterator[list[Segment]]:
    """Yield the segments of each patient; before the first PID there is nothing of a patient, or it is missing."""
    group: list[Segment] = []
    for segment in segments:
        if segment.name == "PID" and group:
            yield group
            group = []
        if group or segment.name in ("PID", "OBR", "OBX"):
            group.append(segment)
    if group:
        yield group


def _patient_key(pid: Segment) -> Key | None:
    """Return the identifier of PID-3 (in old versions PID-2) and the authority that gave it.

    Of several, the first of a kind that stands for the patient in a hospital, so that the order does not matter.
    """
    if pid.name != "PID":
        return None
    kinds = words().patient_numbers
    for field in (PATIENT, PATIENT - 1):
        numbers = [item for item in pid.repetitions(field) if item[0][0].strip() not in ("", '""')]
        ranked = (item for kind in kinds for item in numbers if component_text(item, NUMBER_KIND) == kind)
        chosen = next(ranked, next(iter(numbers), None))
        if chosen is not None:
            return chosen[0][0].strip(), component_text(chosen, 4)
    return None


def _orders(group: list[Segment]) -> Iterator[tuple[Segment, list[Segment]]]:
    """Yield each order with the results and specimens that follow it; results without an order are one of their own.

    An order with nothing after it is one where it names a specimen itself (OBR-15).
    """
    obr: Segment | None = None
    parts: list[Segment] = []
    for segment in group:
        if segment.name == "OBR":
            if parts or (obr and obr.repetitions(OBR_SOURCE)):
                yield obr or _no_order(parts), parts
            obr, parts = _whole(segment), []
        elif segment.name == "SPM" or (segment.name == "OBX" and not segment.broken):
            parts.append(_whole(segment))
    if parts or (obr and obr.repetitions(OBR_SOURCE)):
        yield obr or _no_order(parts), parts


def _whole(segment: Segment) -> Segment:
    """Return a segment, without what it says where it may be incomplete."""
    return segment._replace(fields=()) if segment.broken else segment


def _no_order(parts: list[Segment]) -> Segment:
    return Segment("OBR", parts[0].place)


def _placed(obr: Segment, parts: list[Segment], converted: Converted) -> Iterator[Placed]:
    """Yield each result with the name of its specimen, where the order has anything that is read, or no result at all.

    One specimen is that of all results. Of several, a result has the one that it names or that stands before it.
    """
    results = [segment for segment in parts if segment.name == "OBX"]
    if not _is_of_specimens(obr, parts, results):
        yield from (Placed(segment, "") for segment in results)
        return
    named = {spm.place: _read_specimen(spm, obr, converted) for spm in parts if spm.name == "SPM"}
    names = set(named.values()) or {_specimen_of_order(obr, converted)}
    current = next(iter(names)) if len(names) == 1 else ""
    for segment in parts:
        if segment.name == "SPM":
            current = named[segment.place]
            continue
        own = segment.identifier(OF_SPECIMEN)
        if own not in names and not current and speaks_of_markers(obr, [segment]):
            converted.note("hl7_specimen_unclear", segment.place)
        yield Placed(segment, own if own in names else current)


def _is_of_specimens(obr: Segment, parts: list[Segment], results: list[Segment]) -> bool:
    """Tell whether the specimen of an order matters: a result is read, the test is ours, or it is tissue with none.

    A tube of blood for some other test does not matter, nor does tissue that has results of other tests only.
    """
    test = context(obr)
    if test == PATIENT_FACTS:
        return False
    sources = [read_concept(_inner(item[0])) for item in obr.repetitions(OBR_SOURCE)]
    if results or test:
        return speaks_of_markers(obr, results) or (bool(test) and bool(sources or len(results) < len(parts)))
    return any(map(_is_tissue, [*sources, *(concept for spm in parts for concept in _types(spm))]))


def _is_tissue(said: Concept) -> bool:
    return TISSUE in meanings(said, "matrix") or bool(meanings(said, "specimen_kind") - {""})


def _types(spm: Segment) -> list[Concept]:
    said = (read_concept(item) for field in (SPM_TYPE, SPM_METHOD) for item in spm.repetitions(field))
    return [translated("specimen_kind", concept) for concept in said]


def _read_specimen(spm: Segment, obr: Segment, converted: Converted) -> str:
    """Read a specimen and return its name: the laboratory's, else that of who took it, else that of the order."""
    name = spm.identifier(2, 2) or spm.identifier(2, 1) or order_number(obr) or spm.place
    site = spm.repetitions(SPM_SITE)
    converted.add_specimen(
        spm.place, name, _types(spm), _site(read_concept(site[0])) if site else None, _iso_day(spm.text(SPM_COLLECTED))
    )
    return name


def _specimen_of_order(obr: Segment, converted: Converted) -> str:
    """Read the specimen source of old messages (OBR-15); without it, the results are kept apart from all others."""
    name = order_number(obr) or obr.place
    source = obr.repetitions(OBR_SOURCE)
    if not source:
        converted.note("hl7_specimen_not_named", obr.place, specimen=name, what=name)
        converted.add_specimen(obr.place, name, ())
        return name
    inner = _inner(source[0][SOURCE_SITE]) if len(source[0]) > SOURCE_SITE else ()
    site = _site(read_concept(inner)) if inner else None
    converted.add_specimen(
        obr.place,
        name,
        [read_concept(_inner(source[0][0]))],
        site,
        _iso_day(obr.text(COLLECTED)),
    )
    return name


def _inner(component: Component) -> Repetition:
    """Return the sub-components of a component as components: a coded value inside another value."""
    return tuple((text,) for text in component)


def _site(said: Concept) -> Concept:
    return translated("site", said)


def _iso_day(written: str) -> str:
    found = DAY.match(written)
    return "-".join(part for part in found.groups() if part) if found else written


def _read_diagnosis(dg1: Segment, converted: Converted) -> None:
    said = dg1.repetitions(DIAGNOSIS)
    if dg1.text(DIAGNOSIS_TYPE).upper() not in words().confirmed_diagnoses:
        converted.note("hl7_diagnosis_not_used", dg1.place)
    elif said:
        converted.add_diagnosis(dg1.place, read_concept(said[0]))
