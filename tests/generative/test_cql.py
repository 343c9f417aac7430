"""The exported CQL in an independent translator and engine (node) against the reference interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from generated_patients import random_cases

from her2crc.catalogue import export_criteria
from her2crc.criteria.cache import load_editions
from her2crc.criteria.cases import Case, boundary_cases
from her2crc.criteria.export_cql import export_cql
from her2crc.criteria.fields import Field
from her2crc.criteria.finding import case_fields, conditions
from her2crc.criteria.nodes import NODE_KINDS, And, Compare, CompareRatio, IsNull, IsTrue, Not, OneOf, Or, walk
from her2crc.criteria.run import decide
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.errors import UsageError
from her2crc.model.quantity import UNSETTLED, Ratio, Value
from her2crc.normalise import derive_facts

CQL = Path(__file__).parents[1] / "cql"
PATIENTS = 10_000
MANY_PATIENTS = 1_000_000
EDITIONS = load_editions()
SETS = {criteria.id: criteria for criteria in EDITIONS.sets if criteria.rows}

needs_node = pytest.mark.skipif(
    shutil.which("npm") is None, reason="node and npm, which run the independent CQL engine, are not installed"
)


@pytest.fixture(scope="session")
def engine() -> Path:
    if not (CQL / "node_modules" / "cql-execution").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=CQL, check=True, capture_output=True)
    return CQL / "run.mjs"


def parameters(criteria: CriteriaSet, case: Mapping[str, Value | None], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return a case as the parameters of the exported library: every one of them, null where unknown."""
    given: dict[str, Any] = {}
    for name in case_fields(criteria, fields):
        value = case.get(name)
        known = None if value is UNSETTLED else value
        if isinstance(known, Ratio):
            given |= {f"{name}_numerator": float(known.numerator), f"{name}_denominator": float(known.denominator)}
        elif fields[name].type == "ratio":
            given |= {f"{name}_numerator": None, f"{name}_denominator": None}
        else:
            given[name] = float(known) if isinstance(known, Decimal) else known
        given[f"{name}_unusable"] = value is UNSETTLED
    return given


def write_library(folder: Path, criteria: CriteriaSet, fields: Mapping[str, Field], cases: Iterable[Case]) -> None:
    (folder / f"{criteria.id}.cql").write_text(export_cql(criteria, fields))
    with (folder / f"{criteria.id}.jsonl").open("w") as lines:
        lines.writelines(json.dumps(parameters(criteria, case, fields)) + "\n" for case in cases)


def run_libraries(engine: Path, folder: Path) -> Iterator[dict[str, Any]]:
    done = subprocess.run(["node", engine, folder], cwd=CQL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield from map(json.loads, done.stdout.splitlines())


def differences(criteria: CriteriaSet, cases: Iterable[Case], answer: dict[str, Any]) -> list[Any]:
    found = []
    for case, status, row in zip(cases, answer["statuses"], answer["rows"], strict=True):
        outcome = decide(criteria, case)
        if (outcome.status, outcome.row.id if outcome.row else None) != (status, row):
            found.append((case, outcome.status, status, row))
    return found


@needs_node
def test_every_shipped_set_gives_the_same_in_an_independent_engine(
    engine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {name: list(random_cases(criteria, EDITIONS.fields, PATIENTS, seed=1)) for name, criteria in SETS.items()}
    for name, criteria in SETS.items():
        cases[name] += islice(boundary_cases(criteria, EDITIONS.fields, derive_facts, most=1_000), 2_000)
        write_library(tmp_path, criteria, EDITIONS.fields, cases[name])
    answers = {answer["set"]: answer for answer in run_libraries(engine, tmp_path)}
    assert set(answers) == set(SETS)
    for name, criteria in SETS.items():
        assert len(answers[name]["statuses"]) >= PATIENTS
        assert not differences(criteria, cases[name], answers[name])[:1], name
        assert len(set(answers[name]["statuses"])) > 1
    number, seconds = sum(map(len, cases.values())), sum(answer["seconds"] for answer in answers.values())
    with capsys.disabled():
        print(f"\ncql-execution: {number:,} decisions of {len(SETS)} sets, {number / seconds:,.0f} a second")


@needs_node
@pytest.mark.long
@pytest.mark.parametrize("criteria", SETS.values(), ids=SETS)
def test_a_million_patients_of_every_set(criteria: CriteriaSet, engine: Path, tmp_path: Path) -> None:
    def cases() -> Iterator[Case]:
        return random_cases(criteria, EDITIONS.fields, MANY_PATIENTS, seed=2)

    write_library(tmp_path, criteria, EDITIONS.fields, cases())
    (answer,) = run_libraries(engine, tmp_path)
    assert len(answer["statuses"]) == MANY_PATIENTS
    assert not differences(criteria, cases(), answer)[:1]


FIELDS = {
    field.name: field
    for field in (
        Field("count", "specimen", "g", "integer", "Count", minimum=Decimal(0)),
        Field("copies", "specimen", "g", "decimal", "Copies", minimum=Decimal(0)),
        Field("normal", "specimen", "g", "decimal", "Normal copies", minimum=Decimal(0)),
        Field("quotient", "specimen", "g", "ratio", "Quotient", minimum=Decimal(0)),
        Field("kind", "specimen", "g", "text", 'What "kind" it is'),
        Field("done", "specimen", "g", "boolean", "Whether it was done"),
    )
}


def local_set(*rows: tuple[str, Any, str]) -> CriteriaSet:
    """Return a set as a laboratory might write it, with names and codes that need quoting."""
    made = tuple(Row(name, when, "", then, 'It\'s so: \\ "quoted" */', SETS["s1613"].cite) for name, when, then in rows)
    applies = Or((IsNull("kind"), Not(OneOf("kind", ("dog's",)))))
    return msgspec.structs.replace(
        SETS["s1613"], id="local-set", applies=applies, rows=made, effective=date(2026, 1, 1)
    )


EVERY_KIND = local_set(
    ('high "ratio"', CompareRatio("copies", "normal", ">=", Decimal("2.2")), "positive"),
    ("whole", And((Compare("count", "<>", Decimal("2.5")), Compare("quotient", "=", Decimal("2.20")))), "equivocal"),
    (
        "other",
        Or((IsTrue("done"), OneOf("kind", ("it's", "back\\slash")), Compare("copies", "<", Decimal(-1)))),
        "negative",
    ),
    ("none", And((IsNull("done"), Not(IsNull("quotient")), Compare("copies", ">", Decimal("-0.5")))), "not_covered"),
)


def made_up_cases() -> list[Case]:
    cases: list[Case] = []
    for copies, normal in (("6.6", "3.0"), ("6.59999999", "3.0"), ("6.60000001", "3"), ("1", "0"), ("500", "227.3")):
        for count, quotient in (
            (2, Ratio(Decimal("6.6"), Decimal("3.0"))),
            (3, Ratio(Decimal(22), Decimal(9))),
            (UNSETTLED, None),
        ):
            for kind in ("dog's", "it's", "back\\slash", "x", None, UNSETTLED):
                for done in (True, False, None, UNSETTLED):
                    facts = {"count": count, "quotient": quotient, "kind": kind, "done": done}
                    cases.append({**facts, "copies": Decimal(copies), "normal": Decimal(normal)})
                    cases.append({**facts, "copies": None, "normal": UNSETTLED})
    return cases


def test_the_made_up_set_has_every_kind_of_node() -> None:
    assert {type(part) for node in conditions(EVERY_KIND) for part in walk(node)} == set(NODE_KINDS)


@needs_node
def test_every_kind_of_node_is_exact_in_an_independent_engine(engine: Path, tmp_path: Path) -> None:
    cases = made_up_cases()
    write_library(tmp_path, EVERY_KIND, FIELDS, cases)
    (answer,) = run_libraries(engine, tmp_path)
    assert not differences(EVERY_KIND, cases, answer)
    assert {row.id for row in EVERY_KIND.rows} | {None} == set(answer["rows"])


@needs_node
def test_numbers_at_their_threshold_are_exact_where_doubles_are_not(engine: Path, tmp_path: Path) -> None:
    assert float("6.6") < 2.2 * float("3.0"), "in doubles this ratio misses its own threshold"
    rule = local_set(
        ("ratio", Compare("quotient", ">=", Decimal("2.2")), "positive"),
        ("copies", Compare("copies", ">=", Decimal("8.42")), "positive"),
        ("below", And((Compare("quotient", "<", Decimal("2.2")), Compare("copies", "<", Decimal("8.42")))), "negative"),
    )
    cases: list[Case] = []
    for hundredths in range(1, 3_000):
        denominator = Decimal(hundredths) / 100
        for aside in ("0", "0.0001", "-0.0001"):
            at = Ratio(denominator * Decimal("2.2") + Decimal(aside), denominator)
            cases.append({"quotient": at, "copies": Decimal("8.42") + Decimal(aside) * (hundredths % 2)})
    adjusted = msgspec.structs.replace(SETS["heracles_adjusted"], id="adjusted")
    plasma = [
        derive_facts(
            {
                "specimen_kind": "plasma",
                "plasma_copies": Decimal(copies) / 1000,
                "tumour_fraction": Decimal(part) / 1000,
            }
        )
        for part in range(50, 1000, 7)
        for copies in range(2000 + 2382 * part // 100 - 2, 2000 + 2382 * part // 100 + 3)
    ]
    write_library(tmp_path, rule, FIELDS, cases)
    write_library(tmp_path, adjusted, EDITIONS.fields, plasma)
    first, second = run_libraries(engine, tmp_path)
    assert not differences(adjusted, plasma, first)[:1]
    assert {"positive", "negative"} == set(first["statuses"])
    assert not differences(rule, cases, second)[:1]
    assert {"positive", "negative"} == set(second["statuses"])
    at_threshold = [case for case in plasma if case["plasma_adjusted_copies"].excess(Decimal("25.82")) == 0]  # type: ignore[union-attr]
    assert at_threshold


def named_definitions(actions: Iterable[dict[str, Any]]) -> Iterator[str]:
    for action in actions:
        yield from (condition["expression"]["expression"] for condition in action["condition"])
        yield from named_definitions(action.get("action", ()))


@needs_node
def test_the_fhir_export_names_what_the_translator_finds_in_its_library(engine: Path, tmp_path: Path) -> None:
    plans = {}
    for name, text in export_criteria("fhir", EDITIONS.on(date.max), SETS).items():
        library, plan = (entry["resource"] for entry in json.loads(text)["entry"])
        plans[name.removesuffix(".fhir.json")] = library, plan
        (tmp_path / f"{library['name']}.cql").write_bytes(b64decode(library["content"][0]["data"]))
        (tmp_path / f"{library['name']}.jsonl").touch()
    answers = {answer["set"]: answer for answer in run_libraries(engine, tmp_path)}
    assert set(answers) == set(plans) == set(SETS)
    for name, (library, plan) in plans.items():
        found = answers[name]
        assert found["identifier"] == {"id": library["name"], "version": library["version"]}
        assert plan["library"] == [f"{library['url']}|{library['version']}"]
        named = list(named_definitions(plan["action"]))
        assert len(named) == 1 + len(SETS[name].rows)
        assert set(named) == set(found["definitions"]) - {"Row", "Status"}


@needs_node
def test_a_library_that_was_tampered_with_is_noticed(engine: Path, tmp_path: Path) -> None:
    criteria = SETS["heracles_2015"]
    cases = list(random_cases(criteria, EDITIONS.fields, 2_000, seed=3))
    write_library(tmp_path, criteria, EDITIONS.fields, cases)
    library = tmp_path / f"{criteria.id}.cql"
    library.write_text(library.read_text().replace(">= 50.0", "> 50.0"))
    (answer,) = run_libraries(engine, tmp_path)
    assert differences(criteria, cases, answer)


def test_a_threshold_that_cql_cannot_hold_is_refused() -> None:
    rule = local_set(("fine", Compare("copies", ">", Decimal("0.123456789")), "positive"))
    with pytest.raises(UsageError, match="decimals"):
        export_cql(rule, FIELDS)
