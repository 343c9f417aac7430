"""An answer as an HL7 v2.5.1 message (ORU^R01): the facts as results by test and specimen, then what each rule says.

Part of stage 5. A result has its LOINC code where the FHIR writer has one, else a local one (L), the name of the field.
What is unknown is not sent; what cannot be used is sent without a value and as not to be had (X).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.model.patient import Specimen
from her2crc.model.verdict import Assessment, SetVerdict, Status
from her2crc.report.fhir_terms import ON_SPECIMEN, FactTerm, MarkerVariant, SlideTest, terms
from her2crc.report.stated import (
    PLASMA,
    UNKNOWN,
    UNUSABLE,
    Facts,
    Stated,
    is_preliminary,
    matrix_of,
    patient_statements,
    shown_date,
    specimen_statements,
)
from her2crc.report.words import FIELDS, STATUS, explain, name_code, show_number

ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\n": "\\.br\\"}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What could end a segment or steer a receiver; a line break is escaped before."""

LOCAL, FINAL, COMPUTED, NOT_TO_BE_HAD = "L", "F", "P", "X"
NO_NAME = "^^^^^^S"
"""PID-5 must be there; name type S says that the patient goes by a number only."""

NOT_STATED = "^not stated"
COUNTS, RATIO = ("ish_her2_signals", "ish_cep17_signals"), "ish_ratio"
CONTRAST = "contrast"
CONTRAST_WORDS = "Contrast only, a rule of another organ: "

Values = tuple[str, str, str]
"""Type, value and unit of a result, escaped (OBX-2, 5, 6)."""


class Result(NamedTuple):
    """One OBX: what it is (OBX-3), its value, its group (OBX-4), its status (OBX-11), and a remark (NTE)."""

    code: str
    values: Values
    group: str = ""
    status: str = FINAL
    remark: str = ""


class Order(NamedTuple):
    """One OBR with its results, and the specimen that they are of (its SPM)."""

    code: str
    results: Sequence[Result]
    status: str
    specimen: Specimen | None = None
    matrix: str = ""


def report_hl7v2(assessment: Assessment, knowledge: Knowledge) -> bytes:
    """Return the message of one patient: UTF-8, segments ended by carriage returns.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave it, for names.
    """
    number = uuid5(NAMESPACE_URL, f"{assessment.patient_id}\n{assessment.knowledge.sha256}").hex[:20]
    day = f"{assessment.as_of:%Y%m%d}"
    segments = [
        f"MSH|^~\\&|HER2CRC||||{day}||ORU^R01^ORU_R01|{number}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{escape(assessment.patient_id)}||{NO_NAME}",
    ]
    for position, order in enumerate(_orders(assessment, knowledge), 1):
        segments += _segments(order, f"{position}", f"{number}-{position}", day)
    return "".join(f"{segment}\r" for segment in segments).encode()


def escape(text: str) -> str:
    """Return text that cannot end a field, a component or a segment."""
    return CONTROL.sub(" ", "".join(ESCAPES.get(char, char) for char in text))


def coded(code: str, text: str, system: str = "") -> str:
    """Return a coded value (CWE): LOINC, SNOMED CT and the like by their names, else local."""
    return "^".join((escape(code), escape(text), terms().v2_systems.get(system, LOCAL)))


def _segments(order: Order, position: str, number: str, day: str) -> Iterator[str]:
    collected = shown_date(order.specimen.collected_on).replace("-", "") if order.specimen else ""
    blanks = "|" * 3
    yield f"OBR|{position}||{number}|{order.code}|{blanks}{collected}{'|' * 15}{day}{blanks}{order.status}"
    for at, result in enumerate(order.results, 1):
        kind, value, unit = result.values
        yield f"OBX|{at}|{kind}|{result.code}|{result.group}|{value}|{unit}|{'|' * 4}{result.status}"
        if result.remark:
            yield f"NTE|1||{escape(result.remark)}"
    if order.specimen is not None:
        yield _spm(order.specimen, order.matrix)


def _spm(specimen: Specimen, matrix: str) -> str:
    kind = coded(terms().material[matrix], matrix, "v2_0487") if matrix else NOT_STATED
    known = specimen.specimen_kind is not None and specimen.specimen_kind not in terms().material
    method = coded("", specimen.specimen_kind or "") if known else ""
    site = terms().sites.get(specimen.site or "")
    place = coded(site.code, site.text, "snomed" if site.code else "") if site else ""
    day = shown_date(specimen.collected_on).replace("-", "")
    return f"SPM|1|^{escape(specimen.specimen_id)}||{kind}|||{method}|{place}{'|' * 9}{day}"


# ---- orders


def _orders(assessment: Assessment, knowledge: Knowledge) -> Iterator[Order]:
    for specimen in assessment.patient.specimens:
        facts = specimen_statements(specimen, assessment)
        sent = {name: stated for name, stated in facts.items() if stated.reason != UNKNOWN}
        yield from _specimen_orders(*_plain(specimen, matrix_of(specimen, facts)), sent, assessment, knowledge)
    about = [stated for stated in patient_statements(assessment).values() if stated.reason != UNKNOWN]
    results = [result for at, stated in enumerate(about, 1) for result in _marker(stated, f"{at}", knowledge)]
    if results:
        yield Order(coded("patient_facts", "markers and history"), results, FINAL)
    whole = [_verdict(name, item, item.status, "") for name, item in assessment.criteria.items()]
    yield Order(coded("verdicts", "what each published rule says of the patient"), whole, COMPUTED)


def _plain(specimen: Specimen, matrix: str) -> tuple[Specimen, str]:
    """Return what the specimen segment says: of plasma in one place only, it is left to our own codes.

    The segment has one material, which a receiver takes for both how and where the specimen was taken.
    """
    if matrix != PLASMA or specimen.site == specimen.specimen_kind:
        return specimen, matrix
    return msgspec.structs.replace(specimen, site=None, specimen_kind=None), ""


def _specimen_orders(
    specimen: Specimen, matrix: str, facts: Facts, assessment: Assessment, knowledge: Knowledge
) -> Iterator[Order]:
    said = {name for name in ON_SPECIMEN if terms().is_on_specimen(name, getattr(specimen, name))}
    left = {name: stated for name, stated in facts.items() if name not in said}
    for test in terms().tests:
        found = {name: left[name] for name in test.fields if name in left}
        if found and test.matrix == matrix:
            left = {name: stated for name, stated in left.items() if name not in found}
            status = COMPUTED if is_preliminary(found, assessment) else FINAL
            results = [item._replace(status=_status(item, status)) for item in _test(test, found, knowledge)]
            yield Order(coded(test.order or test.code, test.text, "loinc"), results, status, specimen, matrix)
    rest = [_local(knowledge.fields[name], stated) for name, stated in left.items()]
    if rest:
        yield Order(coded("specimen_facts", "further facts of the specimen"), rest, FINAL, specimen, matrix)
    verdicts = [
        _verdict(name, verdict, item.status, explain(item, knowledge))
        for name, verdict in assessment.criteria.items()
        if (item := verdict.specimens.get(specimen.specimen_id)) is not None
    ]
    yield Order(coded("verdicts", "what each published rule says"), verdicts, COMPUTED, specimen, matrix)


def _status(result: Result, status: str) -> str:
    return result.status if result.status == NOT_TO_BE_HAD else status


# ---- results


def _test(test: SlideTest, facts: Facts, knowledge: Knowledge) -> Iterator[Result]:
    """Yield the results of a test: first its value, then its parts; a copy number is a variant of one group."""
    if test.gene:
        call = facts.get(test.value)
        yield from _head(test.gene, terms().call.get(call.value, "") if call and call.value else "", "1")
        change = terms().copy_number_change
        code = coded(terms().parts["change"], "kind of DNA change", "loinc")
        yield Result(code, ("CWE", coded(change.code, change.display), ""), "1")
    elif test.value == RATIO:
        yield from _ratio(test, facts)
    elif test.value in facts:
        yield _score(test, facts[test.value])
    for name in test.parts:
        if name in facts:
            yield _result(knowledge.fields[name], facts[name])._replace(group="1" if test.gene else "")


def _score(test: SlideTest, stated: Stated) -> Result:
    code = coded(test.code, test.text, "loinc")
    if stated.value is None:
        return _not_to_be_had(code)
    return Result(code, ("CWE", coded(str(stated.value), terms().scores[stated.value].text), ""))


def _ratio(test: SlideTest, facts: Facts) -> Iterator[Result]:
    code, reported = coded(test.code, test.text, "loinc"), facts.get(RATIO)
    above, below = (facts[name].value if name in facts else None for name in COUNTS)
    if reported is not None:
        yield Result(code, _number(reported.value, "")) if reported.value is not None else _not_to_be_had(code)
    elif above is not None and below:
        yield Result(code, ("SN", f"^{above}^/^{below}", ""))


def _head(gene: str, presence: str, group: str) -> Iterator[Result]:
    if presence:
        value = coded(terms().presence[presence], presence, "loinc")
        yield Result(coded(terms().variant_code, "genetic variant", "loinc"), ("CWE", value, ""), group)
    symbol = coded(terms().genes[gene], gene, "hgnc")
    yield Result(coded(terms().parts["gene"], "gene studied", "loinc"), ("CWE", symbol, ""), group)


def _marker(stated: Stated, group: str, knowledge: Knowledge) -> Iterator[Result]:
    variants = terms().markers.get(stated.name, {}).get(str(stated.value), ())
    for variant in variants:
        yield from _variant(variant, f"{group}.{variant.gene}")
    msi = terms().msi
    if stated.name == "msi" and stated.value is not None:
        value = coded(msi.values[stated.value], stated.value, "loinc")
        yield Result(coded(msi.code, msi.text, "loinc"), ("CWE", value, ""))
    elif not variants:
        yield _local(knowledge.fields[stated.name], stated)


def _variant(variant: MarkerVariant, group: str) -> Iterator[Result]:
    yield from _head(variant.gene, variant.presence, group)
    if variant.protein:
        code = coded(terms().parts["protein"], "protein change", "loinc")
        yield Result(code, ("ST", escape(variant.protein), ""), group)


def _term(field: Field) -> FactTerm:
    return terms().fact(field.name, FIELDS.get(field.name, field.meaning))


def _result(field: Field, stated: Stated) -> Result:
    term = _term(field)
    return _fact(coded(term.code, term.text, "loinc"), field, stated) if term.code else _local(field, stated)


def _local(field: Field, stated: Stated) -> Result:
    return _fact(coded(field.name, _term(field).text), field, stated)


def _fact(code: str, field: Field, stated: Stated) -> Result:
    value = stated.value
    if value is None:
        return _not_to_be_had(code)
    match field.type:
        case "boolean":
            return Result(code, ("ID", "Y" if value else "N", ""))
        case "code":
            return Result(code, ("CWE", coded(value, name_code(value)), ""))
        case "decimal" | "ratio" | "integer":
            return Result(code, _number(value, _term(field).unit))
        case _:
            return Result(code, ("ST", escape(str(value)), ""))


def _number(value: Decimal | int, unit: str) -> Values:
    return "NM", show_number(value), f"{escape(unit)}^^UCUM" if unit else ""


def _not_to_be_had(code: str) -> Result:
    return Result(code, ("ST", "", ""), status=NOT_TO_BE_HAD, remark=f"No usable value ({UNUSABLE}).")


def _verdict(name: str, verdict: SetVerdict, status: Status, why: str) -> Result:
    prefix = CONTRAST_WORDS if verdict.role == CONTRAST else ""
    value = coded(status, STATUS[status].word)
    return Result(coded(name, prefix + verdict.name), ("CWE", value, ""), status=COMPUTED, remark=why)
