"""FHIR: the published example files, fact by fact as a person read them, and what holds for every file.

The inputs are HL7's genomics-reporting examples (CC0), and files composed in the style of other guides (mCODE, German
molecular tumour board, Lithuanian laboratory guide, plain LOINC), as JSON, lines and XML; the expected facts stand
beside them.
"""

import copy
import json
import random
from pathlib import Path

import pytest
from fhir_builders import (
    coded,
    gene,
    part,
    patient,
    plasma_case,
    protein,
    quantity,
    read_all,
    resource,
    result,
    specimen,
    text,
    variant,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from her2crc.read import read_bytes

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
FILES = sorted(path.name for path in GOLDEN.iterdir() if path.name != "expected.json")


def shown(records):
    return [
        {
            "patient_id": record.patient_id,
            "rows": [
                {"place": row.place} | {name: str(item) for name, item in row.values.items()} for row in record.rows
            ],
            "issues": [f"{issue.level} {issue.id} {issue.place}" for issue in record.issues],
        }
        for record in records
    ]


def test_every_example_has_its_expectation():
    assert sorted(EXPECTED) == FILES
    assert len(FILES) == 19


@pytest.mark.parametrize("name", FILES)
def test_published_examples(name):
    assert shown(read_bytes((GOLDEN / name).read_bytes(), name)) == EXPECTED[name]


def document(name):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


JSON_FILES = [name for name in FILES if name.endswith(".json")]
BUNDLES = [name for name in JSON_FILES if document(name)["resourceType"] == "Bundle"]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_order_of_entries_does_not_matter_in_published_files(name):
    file = document(name)
    for seed in range(20):
        random.Random(seed).shuffle(file["entry"])
        assert shown(read_all(file)) == EXPECTED[name]


@pytest.mark.parametrize("name", BUNDLES)
def test_dropping_an_observation_never_adds_a_value_in_published_files(name):
    file = document(name)
    before = known(read_all(file))
    for entry in [item for item in file["entry"] if item["resource"]["resourceType"] == "Observation"]:
        if entry["resource"]["status"] == "entered-in-error":
            continue  # without it nothing says that what is derived from it is wrong
        fewer = file | {"entry": [item for item in file["entry"] if item is not entry]}
        assert known(read_all(fewer)) <= before


# ---- generated files
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
SPECIMENS = st.sampled_from(["s1", "s2", "b1", None])
STATUS = st.sampled_from(["final", "final", "preliminary"])
CONTENT = st.one_of(
    st.builds(lambda score: ("18474-7", score, []), st.sampled_from(["0", "1+", "2+", "3+", "strong", ">2", 3, 7])),
    st.builds(lambda n: ("18474-7", "3+", [part(text("percent"), quantity(n, "%"))]), st.integers(0, 100)),
    st.builds(
        lambda code, number: (code, quantity(number), []),
        st.sampled_from(["49683-6", "74860-8", "74861-6", "62361-1"]),
        st.decimals(0, 40, places=1).map(float),
    ),
    st.builds(lambda code: ("81695-9", coded(code), []), st.sampled_from(["LA14122-8", "LA26203-2"])),
    st.builds(
        lambda symbol, status, more: ("69548-6", coded(status), [gene(symbol), *more]),
        st.sampled_from(["KRAS", "NRAS", "BRAF", "PIK3CA", "ERBB2"]),
        st.sampled_from([PRESENT, ABSENT]),
        st.lists(
            st.sampled_from(
                [protein("p.Val600Glu"), part("82155-3", quantity(9, "1")), part("81258-6", quantity(0.2, "1"))]
            ),
            max_size=2,
        ),
    ),
)
BASE = [
    patient(),
    specimen("s1"),
    specimen("s2", collection={"bodySite": text("liver")}),
    specimen("b1", kind="PLAS"),
    resource("Condition", "c1", code=text("Malignant tumor of colon"), subject={"reference": "Patient/p1"}),
]


@st.composite
def observations(draw):
    drawn = draw(st.lists(st.tuples(CONTENT, SPECIMENS, STATUS), max_size=7))
    return [
        result(f"o{number}", code, given, of, parts, status)
        for number, ((code, given, parts), of, status) in enumerate(drawn)
    ]


def known(records):
    """Every field of every specimen that has a value."""
    return {
        (record.patient_id, row.values.get("specimen_id", ""), name)
        for record in records
        for row in record.rows
        for name in row.values
    }


def of_bundle(resources):
    return read_all({"resourceType": "Bundle", "entry": [{"resource": item} for item in resources]})


@settings(max_examples=300, deadline=None)
@given(observations(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(items, chance):
    mixed = [*BASE, *items]
    chance.shuffle(mixed)
    assert of_bundle(mixed) == of_bundle([*BASE, *items])


@settings(max_examples=300, deadline=None)
@given(observations())
def test_dropping_an_observation_never_adds_a_value(items):
    before = known(of_bundle([*BASE, *items]))
    for left_out in range(len(items)):
        assert known(of_bundle([*BASE, *items[:left_out], *items[left_out + 1 :]])) <= before


@settings(max_examples=150, deadline=None)
@given(observations())
def test_what_is_not_read_changes_nothing(items):
    noise = [
        result("lab", "718-7", quantity(13.5)),
        result("note", text("see the report"), "3+"),
        resource("Practitioner", "d"),
        resource("Device", "x", type=text("scanner"), status="active"),
    ]
    assert of_bundle([*BASE, *items, *noise]) == of_bundle([*BASE, *items])


@settings(max_examples=300, deadline=None)
@given(observations(), st.data())
def test_a_broken_observation_takes_only_itself_away(items, data):
    if not items:
        return
    number = data.draw(st.integers(0, len(items) - 1))
    broken = copy.deepcopy(items)
    broken[number]["component"] = "broken"
    (with_fault,), (without,) = of_bundle([*BASE, *broken]), of_bundle([*BASE, *items[:number], *items[number + 1 :]])
    assert with_fault.rows == without.rows
    assert {issue.id for issue in with_fault.issues} == {issue.id for issue in without.issues} | {"fhir_bad_resource"}


@settings(max_examples=400, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(["code", "component", "specimen", "subject", "valueQuantity", "status", "identifier", "contained"]),
)
def test_nothing_in_a_field_leads_to_a_traceback(junk, field):
    (record,) = of_bundle([*BASE, result("o1", "18474-7", "3+") | {field: junk}])
    assert record.patient_id == "p1"


def test_a_plasma_case_has_no_tissue_fields():
    record = plasma_case(variant("v", "ERBB2", PRESENT, part("82155-3", quantity(9, "1"))))
    assert not any(name.startswith(("ngs_", "ihc_", "ish_")) for row in record.rows for name in row.values)
