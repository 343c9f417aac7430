"""The FHIR writer against the genomics-reporting profiles: in our own wording, and as compiled where they are at hand.

No package ships the guide, and its text is not committed here. docs/decisions/0017-profile-validation.md says how the
folder of compiled profiles is made that HER2CRC_GENOMICS_PROFILES names; without it the tests of it are skipped.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from pyrofile_validator import Validator
from pyrofile_validator.config import ValidatorConfig
from written_patients import ANSWERS, KNOWLEDGE, patients

from her2crc.flow import assess
from her2crc.model.patient import Patient
from her2crc.report.fhir import report_fhir
from her2crc.report.fhir_terms import terms

GOLDEN = Path(__file__).parents[1] / "golden"
ALLOWED = yaml.safe_load((GOLDEN / "fhir_out" / "allow-list.yaml").read_text(encoding="utf-8"))
GUIDE_EXAMPLES = sorted((GOLDEN / "fhir").glob("Bundle-*.json")) + sorted((GOLDEN / "fhir").glob("Observation-*.json"))
FOLDER = "HER2CRC_GENOMICS_PROFILES"
NO_FOLDER = f"{FOLDER} names no folder of compiled genomics-reporting profiles; decision 0017 says how to make one"
FEW = settings(max_examples=60, deadline=None)
MANY = settings(max_examples=300, deadline=None)

GENOMICS = "http://hl7.org/fhir/uv/genomics-reporting/"
TBD = GENOMICS + "CodeSystem/tbd-codes-cs"
LOINC = "http://loinc.org"
LABORATORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
GENETICS = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GE"}

CLAIMED = ("variant", "implication", "report")
Resource = dict[str, Any]

# ---- the constraints that our resources can meet or miss, in our own words

VARIANT_PARTS = {
    "gene-studied": (LOINC, "48018-6", "*", "CodeableConcept", 1),
    "representative-protein-hgvs": (LOINC, "48005-3", "1", "CodeableConcept", 1),
    "coding-change-type": (LOINC, "48019-4", "1", "CodeableConcept", 1),
    "copy-number": (LOINC, "82155-3", "1", "Quantity", 0),
}
IMPLICATION_PARTS = {
    "therapeutic-implication": (TBD, "therapeutic-implication", "*", "CodeableConcept", 1),
    "medication-assessed": (LOINC, "51963-7", "*", "CodeableConcept", 1),
}
MUST_DERIVE: list[Resource] = [
    {"id": "Observation.derivedFrom", "path": "Observation.derivedFrom", "min": 1},
    {"id": "Observation.value[x]", "path": "Observation.value[x]", "max": "0"},
]


def sliced(path: str, by: str) -> Resource:
    return {"id": path, "path": path, "slicing": {"discriminator": [{"type": "value", "path": by}], "rules": "open"}}


def categories(kind: str, wanted: dict[str, Resource]) -> list[Resource]:
    path = f"{kind}.category"
    elements = [sliced(path, "coding") | {"min": len(wanted)}]
    for name, code in wanted.items():
        elements += [
            {"id": f"{path}:{name}", "path": path, "sliceName": name, "min": 1, "max": "1"},
            {"id": f"{path}:{name}.coding", "path": f"{path}.coding", "min": 1, "max": "1", "patternCoding": code},
        ]
    return elements


def components(parts: dict[str, Any]) -> list[Resource]:
    path = "Observation.component"
    elements = [sliced(path, "code")]
    for name, (system, code, most, kind, least) in parts.items():
        pattern = {"coding": [{"system": system, "code": code}]}
        elements += [
            {"id": f"{path}:{name}", "path": path, "sliceName": name, "min": 0, "max": most},
            {"id": f"{path}:{name}.code", "path": f"{path}.code", "min": 1, "patternCodeableConcept": pattern},
            {"id": f"{path}:{name}.value[x]", "path": f"{path}.value[x]", "min": least, "type": [{"code": kind}]},
        ]
    return elements


def profile(name: str, kind: str, code: Resource, elements: list[Resource]) -> Resource:
    coded = {"id": f"{kind}.code", "path": f"{kind}.code", "min": 1, "patternCodeableConcept": {"coding": [code]}}
    return {
        "resourceType": "StructureDefinition",
        "url": f"{GENOMICS}StructureDefinition/{name}",
        "name": name,
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": kind,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{kind}",
        "derivation": "constraint",
        "differential": {"element": [{"id": kind, "path": kind}, coded, *elements]},
    }


def own_wording() -> list[Resource]:
    both = categories("Observation", {"labCategory": LABORATORY, "geCategory": GENETICS})
    implied, variant = {"system": TBD, "code": "therapeutic-implication"}, {"system": LOINC, "code": "69548-6"}
    report = {"system": LOINC, "code": "51969-4"}
    implication = [*both, *MUST_DERIVE, *components(IMPLICATION_PARTS)]
    return [
        profile("variant", "Observation", variant, both + components(VARIANT_PARTS)),
        profile("therapeutic-implication", "Observation", implied, implication),
        profile("genomic-report", "DiagnosticReport", report, categories("DiagnosticReport", {"Genetics": GENETICS})),
    ]


# ---- the guide, compiled


@functools.cache
def guide() -> tuple[Resource, ...]:
    """Every definition of the folder; the test is skipped where there is none."""
    if not os.environ.get(FOLDER):
        pytest.skip(NO_FOLDER)
    files = sorted(Path(os.environ[FOLDER]).glob("*.json"))
    definitions = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    claimed = {terms().profiles[name] for name in CLAIMED}
    missing = claimed - {definition["url"] for definition in definitions}
    assert not missing, f"{FOLDER} names a folder without the compiled profiles {sorted(missing)}"
    return tuple(definitions)


def readable(definition: Resource) -> Resource:
    """Without the slicing of extensions inside a slice: the validator takes it for the slicing of the slice itself."""
    definition = copy.deepcopy(definition)
    for element in definition.get("snapshot", {}).get("element", ()):
        if ":" in element["id"].rpartition(".")[0]:
            element.pop("slicing", None)
    return definition


SOURCES: dict[str, Callable[[], list[Resource]]] = {
    "own wording": own_wording,
    "compiled": lambda: [readable(definition) for definition in guide()],
}


@pytest.fixture(scope="module", params=SOURCES)
def validator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Validator:
    definitions, folder = SOURCES[request.param](), tmp_path_factory.mktemp("profiles")
    for number, definition in enumerate(definitions):
        (folder / f"{number}.json").write_text(json.dumps(definition), encoding="utf-8")
    return Validator(ValidatorConfig(local_package_paths=[str(folder)]))


def complaints(validator: Validator, document: Resource) -> list[str]:
    known = {(item["code"], item["path"]) for item in ALLOWED["pyrofile-validator"]}
    found = validator.validate_resource(document).issues
    return [f"{item.code} {item.path}: {item.message}" for item in found if (item.code, item.path) not in known]


# ---- what we write


def bundle(name: str) -> Resource:
    document: Resource = json.loads(report_fhir(ANSWERS[name], KNOWLEDGE))
    return document


@pytest.mark.parametrize("name", ANSWERS)
def test_every_example_keeps_the_profiles(name: str, validator: Validator) -> None:
    assert complaints(validator, bundle(name)) == []


@given(patient=patients())
@FEW
def test_any_patient_keeps_the_profiles(patient: Patient, validator: Validator) -> None:
    assert complaints(validator, json.loads(report_fhir(assess(patient, KNOWLEDGE), KNOWLEDGE))) == []


@pytest.mark.long
@given(patient=patients())
@MANY
def test_many_patients_keep_the_profiles(patient: Patient, validator: Validator) -> None:
    document = json.loads(report_fhir(assess(patient, KNOWLEDGE), KNOWLEDGE))
    assert complaints(validator, document) == []


@pytest.mark.parametrize("path", GUIDE_EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_the_guide_keep_them_as_well(path: Path, validator: Validator) -> None:
    """The control: what the guide itself calls right is not refused, but for what is not loaded here."""
    found = complaints(validator, json.loads(path.read_text(encoding="utf-8")))
    assert [item for item in found if not item.startswith(("reference.unresolved", "profile.unknown"))] == []


# ---- what it must see


def claiming(document: Resource, name: str) -> list[Resource]:
    claimed = [entry["resource"] for entry in document["entry"]]
    return [item for item in claimed if item.get("meta", {}).get("profile") == [terms().profiles[name]]]


def part_of(resource: Resource, code: str) -> Resource:
    return next(part for part in resource["component"] if part["code"]["coding"][0]["code"] == code)


def broken(change: str) -> Resource:
    """A good bundle with one fault of a kind that a validator must see."""
    document = copy.deepcopy(bundle("EX-04-3plus-in-30-percent"))
    variant, implication, report = (claiming(document, name)[0] for name in CLAIMED)
    match change:
        case "status":
            del variant["status"]
        case "gene has no value":
            del part_of(variant, "48018-6")["valueCodeableConcept"]
        case "copies twice":
            variant["component"] += [{"code": part_of(variant, "82155-3")["code"]}]
        case "no laboratory":
            variant["category"] = variant["category"][1:]
        case "no genetics":
            variant["category"][1]["coding"][0]["code"] = "PAT"
        case "another code":
            variant["code"]["coding"][0]["code"] = "81252-9"
        case "derived from nothing":
            del implication["derivedFrom"]
        case "value":
            implication["valueString"] = "responsive"
        case "medication has no value":
            del part_of(implication, "51963-7")["valueCodeableConcept"]
        case "report of another kind":
            report["code"]["coding"][0]["code"] = "11502-2"
        case "report of another laboratory":
            report["category"][0]["coding"][0]["code"] = "SP"
    return document


@pytest.mark.parametrize(
    "change",
    [
        "status",
        "gene has no value",
        "copies twice",
        "no laboratory",
        "no genetics",
        "another code",
        "derived from nothing",
        "value",
        "medication has no value",
        "report of another kind",
        "report of another laboratory",
    ],
)
def test_the_validator_sees_what_it_should(change: str, validator: Validator) -> None:
    assert complaints(validator, broken(change))


def test_every_allowed_gap_is_dated_and_explained() -> None:
    for name, gaps in ALLOWED.items():
        assert name in ("fhirkit-rs", "pyrofile-validator", "bindings", "not-validated")
        assert all(gap["since"] and gap["reason"] for gap in gaps)


# ---- what the validator does not look at: types of values, and codes from the sets of the guide


def values(node: Resource, stem: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            yield key[len(stem) :], value


def is_in(value: Any, value_set: Resource) -> bool:
    """Tell whether a code is in a set; of a set by hierarchy only the system is known."""
    for part in value_set["compose"]["include"]:
        listed = [code["code"] for code in part.get("concept", ())]
        for code in value.get("coding", ()):
            if code["system"] == part["system"] and (not listed or code["code"] in listed):
                return True
    return False


def misfits(resource: Resource) -> list[str]:
    """What a resource says in another type, or from another set, than the profile that it claims."""
    by_url = {definition["url"]: definition for definition in guide()}
    found: list[str] = []
    for url in resource["meta"]["profile"]:
        elements = {element["id"]: element for element in by_url[url]["snapshot"]["element"]}
        kind = resource["resourceType"]
        rules = [(resource, at.rpartition(".")[2], item) for at, item in elements.items() if at.count(".") == 1]
        for part in resource.get("component", ()):
            fitting = [at for at, item in elements.items() if is_coded(part, at, item, kind)]
            rules += [(part, "value[x]", elements[f"{at.removesuffix('.code')}.value[x]"]) for at in fitting]
        for node, name, item in rules:
            if name.endswith("[x]"):
                found += wrong(node, name.removesuffix("[x]"), item, by_url)
    return found


def is_coded(part: Resource, at: str, item: Resource, kind: str) -> bool:
    pattern = item.get("patternCodeableConcept", {}).get("coding", [])
    is_code = at.startswith(f"{kind}.component:") and at.endswith(".code")
    return is_code and any(code in part["code"]["coding"] for code in pattern)


def wrong(node: Resource, stem: str, item: Resource, by_url: dict[str, Resource]) -> Iterator[str]:
    types = {kind["code"].lower() for kind in item.get("type", ())}
    binding = item.get("binding", {})
    known = by_url.get(binding.get("valueSet", "")) if binding.get("strength") in ("required", "extensible") else None
    for kind, value in values(node, stem):
        if kind.lower() not in types:
            yield f"{item['id']} {kind}"
        elif known is not None and not is_in(value, known):
            yield f"{item['id']} {known['id']}"


@pytest.mark.parametrize("name", ANSWERS)
def test_values_have_the_types_and_codes_that_the_guide_names(name: str) -> None:
    allowed = {item["path"] for item in ALLOWED["bindings"]}
    claimed = [item for kind in CLAIMED for item in claiming(bundle(name), kind)]
    found = {misfit for item in claimed for misfit in misfits(item)}
    assert {item for item in found if item.split()[0] not in allowed} == set()


@pytest.mark.parametrize("change", ["gene as text", "copies as text", "a gene of no register", "a period"])
def test_a_wrong_type_or_code_is_seen(change: str) -> None:
    document = copy.deepcopy(bundle("EX-04-3plus-in-30-percent"))
    [variant, *_], [report] = claiming(document, "variant"), claiming(document, "report")
    gene, copies = part_of(variant, "48018-6"), part_of(variant, "82155-3")
    match change:
        case "gene as text":
            gene["valueString"] = gene.pop("valueCodeableConcept")["coding"][0]["display"]
        case "copies as text":
            copies["valueString"] = "many"
        case "a gene of no register":
            gene["valueCodeableConcept"] = {"text": "ERBB2"}
        case "a period":
            report["effectivePeriod"] = {"start": report.pop("effectiveDateTime")}
    assert misfits(report if change == "a period" else variant)
