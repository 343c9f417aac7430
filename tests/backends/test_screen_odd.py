"""``screen`` on tables that nobody would choose: odd types, odd identifiers, damage, a full disk, nothing at all."""

from __future__ import annotations

import errno
import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cohort_rows import NAMES, assessed, random_rows

import her2crc
from her2crc.criteria.library import Knowledge

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
import pyarrow.parquet as pq  # noqa: E402 - after the check that it is there

IDS = ["P1", "P1", "P2", "P3"]
LISTS = [["x"], None, ["y"], ["z"]]
TABLES: dict[str, dict[str, Any]] = {
    "spaces that are not ASCII": {
        "patient_id": ["\x0bP", "P\x85", "\u2003Q", "R\x1c"],
        "specimen_id": ["A", "\u00a0b", "\u3000", "x"],
        "ihc_score": [1, 2, 3, 2],
    },
    "lists": {"patient_id": IDS, "ihc_score": [3, 3, 3, 3], "erbb2_mutation": LISTS, "ihc_percent": LISTS},
    "lists as specimens": {"patient_id": IDS, "specimen_id": LISTS, "ihc_score": [3, 2, 3, 1]},
    "bytes": {"patient_id": IDS, "ihc_score": [3, 2, 3, 1], "erbb2_mutation": [b"a", None, b"b", b"c"]},
    "unsigned beyond 63 bits": {"patient_id": IDS, "ngs_copies": pa.array([3, 2**63, 2**64 - 1, 8], pa.uint64())},
}


def verdicts(table: Any) -> dict[tuple[str, str | None, str], tuple[str, str | None]]:
    lines = pl.from_arrow(table).iter_rows(named=True)
    return {(v["patient_id"], v["specimen_id"], v["criteria"]): (v["status"], v["row"]) for v in lines}


def expected(table: Any, knowledge: Knowledge) -> dict[tuple[str, str | None, str], tuple[str, str | None]]:
    found: dict[tuple[str, str | None, str], tuple[str, str | None]] = {}
    for single in assessed({name: table[name].to_pylist() for name in table.column_names}, knowledge):
        for name, verdict in single.criteria.items():
            found[single.patient_id, None, name] = verdict.status, None
            for specimen, one in verdict.specimens.items():
                found[single.patient_id, specimen, name] = one.status, one.row
    return found


@pytest.mark.parametrize("name", TABLES)
def test_odd_types_and_identifiers_give_what_assess_gives(name: str, tmp_path: Path, knowledge: Knowledge) -> None:
    table = pa.table(TABLES[name])
    right = expected(table, knowledge)
    frames = her2crc.screen(table, knowledge=knowledge)
    assert verdicts(frames.verdicts) == right
    backwards = pa.concat_tables([table.slice(at, 1) for at in reversed(range(table.num_rows))])
    pq.write_table(backwards, tmp_path / "given.parquet")  # out of order, so that it is staged
    her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge)
    assert verdicts(pq.read_table(tmp_path / "out" / "verdicts")) == expected(backwards, knowledge)
    staged = pq.read_table(tmp_path / "out" / "rejects.parquet").select(["field", "id"]).to_pylist()
    in_memory = frames.rejects.select(["field", "id"]).to_pylist()
    assert sorted(map(repr, staged)) == sorted(map(repr, in_memory))
    assert "not a single value" not in str(pq.read_table(tmp_path / "out" / "patients").to_pylist())


def test_frames_of_mixed_columns_are_read_cell_by_cell(knowledge: Knowledge) -> None:
    pandas = pytest.importorskip("pandas")
    cells = [["P1", 3, 80.5], ["P1", "2+", None], ["P2", [3], date(2020, 1, 1)]]
    frame = pandas.DataFrame(cells, columns=["patient_id", "ihc_score", "ihc_percent"])
    found = her2crc.screen(frame, knowledge=knowledge)
    specimens = found.specimens["ihc_score"].astype(object).where(found.specimens["ihc_score"].notna(), None)
    assert specimens.to_list() == [3, 2, None]
    assert sorted(found.rejects["id"]) == ["unusable_value", "value_not_number"]
    objects = pl.DataFrame({"patient_id": ["P", "Q"], "ihc_score": pl.Series([3, "2+"], dtype=pl.Object)})
    assert her2crc.screen(objects.lazy(), knowledge=knowledge).specimens["ihc_score"].to_list() == [3, 2]
    twice = pandas.DataFrame([["P", 3, 2]], columns=["patient_id", "ihc_score", "ihc_score"])
    with pytest.raises(her2crc.errors.InputError, match="more than once"):
        her2crc.screen(twice, knowledge=knowledge)


def test_explaining_keeps_every_side_of_a_threshold(tmp_path: Path, knowledge: Knowledge) -> None:
    rows = random_rows(502, 60, 0.01)
    table = pa.table({n: pa.array([None if r[n] is None else str(r[n]) for r in rows], pa.string()) for n in NAMES})
    digits = ["2.1999999999999999", "2.2000000000000001", "1.9999999999999999", "5.9999999999999999"]
    extra = {"patient_id": [f"Q{at}" for at in range(4)], "ish_ratio": digits, "tumour": ["colorectal"] * 4}
    blank = pa.nulls(4, pa.string())
    table = pa.concat_tables([table, pa.table({name: extra.get(name, blank) for name in NAMES})])
    pq.write_table(table, tmp_path / "given.parquet")
    her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge)
    for single in assessed({name: table[name].to_pylist() for name in NAMES}, knowledge):
        again = her2crc.assess(her2crc.screened_patient(tmp_path / "out", single.patient_id, knowledge), knowledge)
        for name, verdict in single.criteria.items():
            assert again.criteria[name].status == verdict.status, (single.patient_id, name)


@pytest.mark.parametrize("bucket", [32_000_000, 300], ids=["one bucket", "several buckets"])
def test_a_specimen_of_another_patient_is_refused_across_buckets(
    bucket: int, tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("her2crc.cohort.record_inputs.BUCKET_BYTES", bucket)
    by_type: dict[str, list[str]] = {"Patient": [], "Specimen": [], "Observation": []}
    for at in range(12):
        subject = {"reference": f"Patient/p{at}"}
        by_type["Patient"].append(json.dumps({"resourceType": "Patient", "id": f"p{at}"}))
        by_type["Specimen"].append(json.dumps({"resourceType": "Specimen", "id": f"s{at}", "subject": subject}))
        code = {"coding": [{"system": "http://loinc.org", "code": "85319-2"}]}
        head = {"resourceType": "Observation", "id": f"o{at}", "status": "final", "subject": subject, "code": code}
        named = {"reference": f"Specimen/s{7 if at == 3 else at}"}
        by_type["Observation"].append(json.dumps({**head, "specimen": named, "valueCodeableConcept": {"text": "3+"}}))
    (tmp_path / "export").mkdir()
    for kind, lines in by_type.items():
        (tmp_path / "export" / f"{kind}.ndjson").write_text("\n".join(lines), encoding="utf-8")
    her2crc.screen(tmp_path / "export", tmp_path / "out", knowledge=knowledge)
    specimens = pq.read_table(tmp_path / "out" / "specimens").to_pylist()
    assert {row["specimen_id"]: row["ihc_score"] for row in specimens if row["patient_id"] == "p3"} == {"s3": None}
    assert [row["specimen_id"] for row in specimens if row["patient_id"] == "p7"] == ["s7"]
    lost = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert [(line["patient_id"], line["id"]) for line in lost] == [("p3", "fhir_specimen_of_other_patient")]


def test_damage_is_an_error_of_the_input(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"patient_id,ihc_score\nP1,3\n")[:25])
    (tmp_path / "bad.parquet").write_bytes(b"PAR1xxxxPAR1")
    pq.write_table(pa.table({"patient_id": pa.array([], pa.string())}), tmp_path / "none.parquet")
    for name in ("cut.csv.gz", "bad.parquet", "none.parquet"):
        with pytest.raises(her2crc.errors.InputError):
            her2crc.screen(tmp_path / name, tmp_path / f"out-{name}", knowledge=knowledge)


def test_a_table_of_which_nothing_is_left_still_makes_every_table(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "lost.csv").write_bytes("patient_id,specimen_id,site\n,A,Darmkrebs im Gesäß\n".encode("latin-1"))
    summary = her2crc.screen(tmp_path / "lost.csv", tmp_path / "out", knowledge=knowledge, to="csv")
    assert (summary["patients"], summary["rejects"], summary["rejected_rows"]) == (0, 1, 1)
    assert any("Latin-1" in note for note in summary["notes"])
    assert (tmp_path / "out" / "verdicts.csv").read_text(encoding="utf-8").startswith('"patient_id","specimen_id"')
    assert "missing" in pq.read_table(tmp_path / "out" / "verdicts").column_names


def test_a_day_before_the_first_regimen_has_none(tmp_path: Path) -> None:
    early = her2crc.load_knowledge(as_of=date(2016, 1, 1))
    answer = her2crc.screen(pl.DataFrame({"patient_id": ["P1"], "ihc_score": [3]}), knowledge=early)
    assert answer.patients["actions_fit"].to_list() == [[]]


def test_a_full_disk_is_said_and_the_run_goes_on_afterwards(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({"patient_id": ["P1"], "ihc_score": [3]}).write_parquet(tmp_path / "given.parquet")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patched:
        patched.setattr("her2crc.cohort.parts.write_part", full)
        with pytest.raises(her2crc.errors.OutputError, match="No space left"):
            her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge)
    assert her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge)["patients"] == 1
