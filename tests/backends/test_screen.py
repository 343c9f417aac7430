"""``screen`` says of every patient what ``assess`` says; every input and output, a kill, and what is lost."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cohort_rows import FIELDS, NAMES, NUMBERS, assessed, random_rows

import her2crc
from her2crc.backends.cli.main import group
from her2crc.criteria.library import Knowledge

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
duckdb = pytest.importorskip("duckdb")
import pyarrow.parquet as pq  # noqa: E402 - after the check that it is there

EXAMPLES = Path(her2crc.__file__).parent / "examples"
PATIENTS = 100


def as_texts(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({n: pa.array([None if r[n] is None else str(r[n]) for r in rows], pa.string()) for n in NAMES})


def as_typed(rows: list[dict[str, Any]], number: pa.DataType) -> pa.Table:
    def column(name: str) -> pa.Array:
        values = [row[name] for row in rows]
        if name in NUMBERS:
            return pa.array([None if value is None else float(value) for value in values], pa.float64()).cast(number)
        if name in FIELDS and FIELDS[name].type == "boolean":
            return pa.array(values, pa.bool_())
        texts = pa.array([None if value is None else str(value) for value in values], pa.string())
        return texts.dictionary_encode() if name in FIELDS else texts

    return pa.table({name: column(name) for name in NAMES})


def agree(table: pa.Table, knowledge: Knowledge, verdicts: Any, patients: Any) -> None:
    """Verdicts, testing, next tests, actions and facts are those of ``assess``, line by line."""
    written = {
        name: (table[name].cast(pa.string()) if pa.types.is_float32(table[name].type) else table[name]).to_pylist()
        for name in table.column_names
    }
    lines = {(p, s, c): rest for p, s, c, *rest in pl.from_arrow(verdicts).iter_rows()}
    about = {row["patient_id"]: row for row in pl.from_arrow(patients).iter_rows(named=True)}
    for single in assessed(written, knowledge):
        name = single.patient_id
        for set_id, verdict in single.criteria.items():
            assert lines.pop((name, None, set_id)) == [verdict.status, None, [], verdict.discordant]
            for specimen, one in verdict.specimens.items():
                assert lines.pop((name, specimen, set_id)) == [one.status, one.row, list(one.missing), None]
        row = about.pop(name)
        first = single.next_tests[0] if single.next_tests else None
        expected = {
            "specimens": len(single.patient.specimens),
            "testing_recommended": single.testing.recommended,
            "testing_missing": list(single.testing.missing),
            "next_test": first.test if first else None,
            "next_test_specimen": first.specimen if first else None,
            "next_tests": list(dict.fromkeys(test.test for test in single.next_tests)),
            "actions_fit": [action.id for action in single.actions if action.fits],
            "actions_open": [action.id for action in single.actions if action.fits is None],
            **{field: getattr(single.patient.genes, field) for field in ("ras", "msi", "erbb2_mutation")},
            **{field: getattr(single.patient.history, field) for field in ("metastatic", "stage", "side")},
        }
        assert {key: row[key] for key in expected} == expected
    assert not lines
    assert not about


@pytest.mark.parametrize(
    ("seed", "unusable", "make"),
    [
        (1, 0.02, as_texts),
        (2, 0.0, as_texts),
        (3, 0.0, lambda rows: as_typed(rows, pa.float64())),
        (4, 0.0, lambda rows: as_typed(rows, pa.float32())),
    ],
    ids=["texts with unusable values", "texts", "doubles", "single precision"],
)
@pytest.mark.parametrize("engine", ["duckdb", "kernel"])
def test_a_table_gives_what_assess_gives(
    seed: int, unusable: float, make: Callable[[Any], pa.Table], engine: str, knowledge: Knowledge
) -> None:
    table = make(random_rows(seed, PATIENTS, unusable))
    frames = her2crc.screen(table, knowledge=knowledge, engine=engine)
    agree(table, knowledge, frames.verdicts, frames.patients)
    assert 0 < frames.summary["by_reference"] < PATIENTS


def test_a_set_of_ones_own_may_compare_a_quotient(tmp_path: Path) -> None:
    shipped = next((Path(her2crc.__file__).parent / "knowledge" / "criteria" / "sun_2023").glob("*.yaml"))
    text = shipped.read_text(encoding="utf-8").replace("id: sun_2023", "id: our_laboratory")
    text = text.replace("ish_her2_copies >= 6.0", "ish_her2_signals / ish_nuclei >= 1.975")
    text = text.replace("ish_her2_copies < 6.0", "ish_her2_signals / ish_nuclei < 1.975")
    (tmp_path / "own.yaml").write_text(text.replace("[ish_ratio, ish_her2_copies]", "[ish_ratio]"), encoding="utf-8")
    knowledge = her2crc.load_knowledge(criteria_dir=tmp_path)
    table = as_typed(random_rows(12, 60, 0.0), pa.float64())
    frames = her2crc.screen(table, knowledge=knowledge)
    agree(table, knowledge, frames.verdicts, frames.patients)
    counts = frames.summary["counts"]["our_laboratory"]["specimens"]
    assert counts["positive"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_very_many_tables_give_what_assess_gives(seed: int, knowledge: Knowledge) -> None:
    for make in (as_texts, lambda rows: as_typed(rows, pa.float64())):
        table = make(random_rows(seed, 2_000, 0.02 if make is as_texts else 0.0))
        frames = her2crc.screen(table, knowledge=knowledge)
        agree(table, knowledge, frames.verdicts, frames.patients)


def test_frames_come_back_as_they_went_in(knowledge: Knowledge) -> None:
    pandas = pytest.importorskip("pandas")
    table = as_texts(random_rows(5, 20, 0.0))
    from_polars = her2crc.screen(pl.from_arrow(table), knowledge=knowledge)
    assert isinstance(from_polars.verdicts, pl.DataFrame)
    from_pandas = her2crc.screen(table.to_pandas(), knowledge=knowledge)
    assert isinstance(from_pandas.patients, pandas.DataFrame)
    timed = ("seconds", "patients_per_second")
    one, two = ({k: v for k, v in found.summary.items() if k not in timed} for found in (from_polars, from_pandas))
    assert one == two
    with pytest.raises(her2crc.errors.UsageError):
        her2crc.screen(42, knowledge=knowledge)


# ---- inputs


def shuffled(table: pa.Table) -> pa.Table:
    order = list(range(table.num_rows))
    random.Random(0).shuffle(order)
    return table.take(order)


def write_csv(table: pa.Table, path: Path) -> str:
    pl.from_arrow(table).write_csv(path, separator=";")
    return str(path)


def write_packed_csv(table: pa.Table, path: Path) -> str:
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(pl.from_arrow(table).write_csv().encode()))
    return str(path.with_suffix(".csv.gz"))


def write_parquet(table: pa.Table, path: Path) -> str:
    pq.write_table(table, path.with_suffix(".parquet"), row_group_size=25)
    return str(path.with_suffix(".parquet"))


def write_by_polars(table: pa.Table, path: Path) -> str:
    pl.from_arrow(table).write_parquet(path.with_suffix(".parquet"))
    return str(path.with_suffix(".parquet"))


def write_parts(table: pa.Table, path: Path) -> str:
    path.mkdir()
    for at in range(3):
        pq.write_table(table.slice(at * 30, 30 if at < 2 else None), path / f"{at}.parquet")
    return str(path / "*.parquet")


def write_duckdb(table: pa.Table, path: Path) -> str:
    with duckdb.connect(str(path)) as connection:
        connection.register("given", table)
        connection.execute('CREATE TABLE "specimen table" AS SELECT * FROM given')
    return f"duckdb:///{path}?table=specimen table"


def write_excel(table: pa.Table, path: Path) -> str:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (table.column_names, *(list(row.values()) for row in table.to_pylist())):
        book.active.append(row)
    book.save(path.with_suffix(".xlsx"))
    return str(path.with_suffix(".xlsx"))


@pytest.mark.parametrize(
    "write", [write_csv, write_packed_csv, write_parquet, write_by_polars, write_parts, write_duckdb, write_excel]
)
@pytest.mark.parametrize("order", [lambda table: table, shuffled], ids=["by patient", "shuffled"])
def test_every_kind_of_table_is_read(
    write: Callable[[pa.Table, Path], str], order: Callable[[pa.Table], pa.Table], tmp_path: Path, knowledge: Knowledge
) -> None:
    table = order(as_texts(random_rows(6, 60, 0.02)))
    output = tmp_path / "out"
    summary = her2crc.screen(write(table, tmp_path / "given"), output, knowledge=knowledge)
    agree(table, knowledge, pq.read_table(output / "verdicts"), pq.read_table(output / "patients"))
    rejects = pq.read_table(output / "rejects.parquet").to_pylist()
    errors = [line for line in rejects if line["kind"] == "error"]
    assert summary["rejects"] == len(rejects)
    assert errors
    assert all(line["line"] and line["file"] and line["field"] and line["reason"] for line in errors)
    assert json.loads((output / "summary.json").read_text(encoding="utf-8")) == summary


@pytest.mark.parametrize("bucket", [32_000_000, 20_000], ids=["one bucket", "several buckets"])
def test_fhir_export_is_read_patient_by_patient(
    bucket: int, tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("her2crc.cohort.record_inputs.BUCKET_BYTES", bucket)
    fhir = Path(__file__).parents[1] / "golden" / "fhir"
    bundle = json.loads((fhir / "composed_mcrc_mcode_bundle.json").read_text(encoding="utf-8"))
    export = tmp_path / "export"
    export.mkdir()
    by_type: dict[str, list[str]] = {}
    for copy in range(30):
        for entry in bundle["entry"]:
            resource = json.loads(
                re.sub(r'"reference": "(\w+)/', rf'"reference": "\1/{copy}-', json.dumps(entry["resource"]))
            )
            resource["id"] = f"{copy}-{resource['id']}"
            by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind, lines in by_type.items():
        if kind == "Observation":
            (export / f"{kind}.ndjson.gz").write_bytes(gzip.compress("\n".join([*lines, "{broken"]).encode()))
        else:
            (export / f"{kind}.ndjson").write_text("\n".join(lines), encoding="utf-8")
    summary = her2crc.screen(export, tmp_path / "out", knowledge=knowledge)
    single = her2crc.read_patients(
        "\n".join(line for lines in by_type.values() for line in lines).encode(), knowledge, "all.ndjson"
    )
    assert summary["patients"] == len(single) == 30
    verdicts = pq.read_table(tmp_path / "out" / "verdicts").to_pylist()
    found = {(v["patient_id"], v["specimen_id"], v["criteria"]): v["status"] for v in verdicts}
    for patient in single:
        for set_id, verdict in her2crc.assess(patient, knowledge).criteria.items():
            assert found[patient.patient_id, None, set_id] == verdict.status
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    lost = sum(issue.level in ("error", "conflict") for patient in single for issue in patient.issues)
    assert len(rejects) == lost + 1
    unreadable = [(line["file"], line["line"]) for line in rejects if line["id"] == "fhir_unreadable"]
    assert unreadable == [("Observation.ndjson.gz", len(by_type["Observation"]) + 1)]


def test_origimed_gives_the_published_counts(tmp_path: Path, knowledge: Knowledge) -> None:
    summary = her2crc.screen(EXAMPLES / "origimed_crc", tmp_path / "out", knowledge=knowledge)
    assert (summary["patients"], summary["specimens"], summary["rejects"]) == (1225, 1225, 0)
    assert any("discrete copy numbers" in note for note in summary["notes"]), "absent files are said"
    specimens = pl.from_arrow(pq.read_table(tmp_path / "out" / "specimens"))
    joined = specimens.join(pl.from_arrow(pq.read_table(tmp_path / "out" / "patients")), on="patient_id")
    amplified = joined.filter(pl.col("ngs_call") == "amplified")
    assert len(amplified) == 27
    assert (len(amplified.filter(pl.col("stage") == 4)), len(joined.filter(pl.col("stage") == 4))) == (14, 439)
    away = pl.col("site").is_not_null() & (pl.col("site") != "primary")
    assert (len(amplified.filter(away)), len(joined.filter(away))) == (8, 160)


def test_a_row_without_patient_or_with_too_many_cells_is_said_and_nothing_else_is_lost(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    text = "patient_id,ihc_score,ihc_percent,ras\nP1,3,90,wt\n,3,90,wt\nP2,2,60,wt,7,8\nP3,<3,60,mut\n\nP4,3,,\n"
    (tmp_path / "cases.csv").write_text(text, encoding="utf-8")
    summary = her2crc.screen(tmp_path / "cases.csv", tmp_path / "out", knowledge=knowledge)
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    found = {(line["file"], line["line"], line["field"], line["id"]) for line in rejects}
    assert found == {
        ("cases.csv", 3, "patient_id", "no_patient_id"),
        ("cases.csv", 4, None, "too_many_cells"),
        ("cases.csv", 5, "ihc_score", "value_bound"),
    }
    assert (summary["patients"], summary["rejects"], summary["rejected_rows"]) == (4, 3, 2)
    specimens = {row["patient_id"]: row for row in pq.read_table(tmp_path / "out" / "specimens").to_pylist()}
    assert (specimens["P3"]["ihc_score"], specimens["P3"]["ihc_percent"]) == (None, 60.0)
    assert specimens["P3"]["unsettled"] == ["ihc_score"]
    assert "P2" not in specimens
    assert all("wt" not in line["reason"] and "<3" not in line["reason"] for line in rejects)


# ---- outputs


def test_other_outputs_hold_the_same(tmp_path: Path, knowledge: Knowledge) -> None:
    source = write_parquet(as_texts(random_rows(7, 40, 0.02)), tmp_path / "given")
    her2crc.screen(source, tmp_path / "a", knowledge=knowledge, to="csv")
    her2crc.screen(source, tmp_path / "b", knowledge=knowledge, to="duckdb")
    parquet = pl.read_parquet(tmp_path / "a" / "verdicts" / "*.parquet")
    csv = pl.read_csv(tmp_path / "a" / "verdicts.csv", infer_schema=False)
    assert csv["status"].to_list() == parquet["status"].to_list()
    assert [text.split(";") if text else [] for text in csv["missing"].fill_null("").to_list()] == (
        parquet["missing"].to_list()
    )
    with duckdb.connect(str(tmp_path / "b" / "screen.duckdb"), read_only=True) as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT patient_id) FROM verdicts").fetchone()
    assert counted == (len(parquet), 40)


def test_two_runs_never_mix(tmp_path: Path, knowledge: Knowledge) -> None:
    first = write_parquet(as_texts(random_rows(8, 10, 0.0)), tmp_path / "first")
    second = write_parquet(as_texts(random_rows(9, 12, 0.0)), tmp_path / "second")
    her2crc.screen(first, tmp_path / "out", knowledge=knowledge)
    with pytest.raises(her2crc.errors.OutputError):
        her2crc.screen(second, tmp_path / "out", knowledge=knowledge)
    assert her2crc.screen(second, tmp_path / "out", knowledge=knowledge, overwrite=True)["patients"] == 12
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(her2crc.errors.OutputError):
        her2crc.screen(second, tmp_path / "mine", knowledge=knowledge, overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


KILLED = """
import sys
import her2crc
import her2crc.cohort.screen as screen
screen.BLOCK_ROWS = 40
her2crc.screen(sys.argv[1], sys.argv[2])
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    table = as_typed(random_rows(10, 300, 0.0), pa.float64())
    source, output = write_parquet(table, tmp_path / "given"), tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", KILLED, source, str(output)])
    deadline = time.monotonic() + 120
    while len(list(output.glob(".work/parts/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in output.glob("*/part-*.parquet")}
    notes = len(list(output.glob(".work/parts/0*.json")))
    assert notes >= 3
    assert not (output / "summary.json").exists()
    for path in kept:
        pq.read_table(path)  # nothing half-written is visible
    subprocess.run([sys.executable, "-c", KILLED, source, str(output)], check=True)
    again = {path for path, changed in kept.items() if path.stat().st_mtime_ns != changed}
    assert len(again) <= 3, "at most the part that was being written is written again"
    whole = her2crc.screen(table)
    texts = pl.col(pl.Categorical).cast(pl.String)
    written = pl.read_parquet(output / "verdicts" / "*.parquet").with_columns(texts)
    assert written.equals(pl.from_arrow(whole.verdicts).with_columns(texts), null_equal=True)
    assert json.loads((output / "summary.json").read_text(encoding="utf-8"))["patients"] == 300


# ---- the command line


def test_a_verdict_of_a_cohort_can_be_explained(tmp_path: Path, knowledge: Knowledge) -> None:
    table = as_texts(random_rows(11, 30, 0.05))
    source, output = write_parquet(table, tmp_path / "given"), tmp_path / "out"
    her2crc.screen(source, output, knowledge=knowledge)
    for single in assessed({name: table[name].to_pylist() for name in NAMES}, knowledge):
        again = her2crc.assess(her2crc.screened_patient(output, single.patient_id, knowledge), knowledge)
        for set_id, verdict in single.criteria.items():
            assert again.criteria[set_id].status == verdict.status, (single.patient_id, set_id)
            assert {name: (one.row, one.missing) for name, one in again.criteria[set_id].specimens.items()} == {
                name: (one.row, one.missing) for name, one in verdict.specimens.items()
            }


def test_the_command_screens_and_explains(tmp_path: Path) -> None:
    output = str(tmp_path / "out")
    done = CliRunner().invoke(group, ["screen", str(EXAMPLES / "cohort.csv"), "-o", output], catch_exceptions=False)
    assert done.exit_code == 0
    assert "patients" in done.output
    patient = pq.read_table(tmp_path / "out" / "patients")["patient_id"][0].as_py()
    told = CliRunner().invoke(
        group, ["explain", "--from", output, "--patient", patient, "heracles_2015"], catch_exceptions=False
    )
    assert patient in told.output
    assert "HERACLES" in told.output
