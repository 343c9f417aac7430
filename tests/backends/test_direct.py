"""The way straight from Arrow to outcomes (``cohort.direct``) against the single case, on cells of every kind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("numba")
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import her2crc
from her2crc.cohort.direct import CHUNK, Direct, tables_of
from her2crc.errors import InputError, UsageError
from her2crc.flow import load_knowledge

KNOWLEDGE = load_knowledge(date(2026, 11, 22))
ROWS = 600
SCORES = [None, 0, 1, 2, 3, 4, -1]
RATIOS = [None, float("nan"), 0.05, 0.1234567, 1.9999999, 2.0, 2.0000001, 2.2, 0.1 + 0.2, 1e12, -1.0]
COPIES = [None, 2.0, 4.0, 4.9999999, 5.0, 6.0, 7.3, 8.0, 10.0, 100.0]
PURITIES = [None, 0.0, 0.2, 0.20000001, 0.5, 0.333333, 1.0, 1.5, 0.0123456789]


def narrow(rows: int = ROWS, seed: int = 1) -> pa.Table:
    """Columns that cannot contradict each other, with cells at, beside and beyond the thresholds."""
    dice = np.random.default_rng(seed)

    def some(values: list[object], kind: pa.DataType) -> pa.Array:
        return pa.array([values[at] for at in dice.integers(0, len(values), rows)], kind)

    return pa.table(
        {
            "tumour": some(["colorectal", "Colorectal", "breast", "unknown", None], pa.string()),
            "specimen_kind": some(["resection", "biopsy", "plasma", "wood", None], pa.string()),
            "ihc_score": some([*SCORES], pa.int64()),
            "ihc_percent": some([None, 0.0, 10.0, 30.0, 50.0, 50.0000001, 100.0, 101.0], pa.float64()),
            "ish_ratio": some([*RATIOS], pa.float64()),
            "ngs_copies": some([*COPIES], pa.float64()),
            "tumour_purity": some([*PURITIES], pa.float64()),
        }
    )


def agrees_with_single_cases(table: pa.Table, sets: tuple[str, ...] | None = None) -> None:
    way = Direct(KNOWLEDGE, sets)
    found = way.find(table)
    needed = table.select(way.columns(table.column_names))
    assert found.tolist() == [way.single(needed, row)[0] for row in range(table.num_rows)]
    assert len(set(found.tolist())) > 1


def test_all_sets_at_and_beside_their_thresholds() -> None:
    agrees_with_single_cases(narrow())


@pytest.mark.parametrize("name", ["breast_2018", "cap_crc_template", "heracles_trial"])
def test_one_set(name: str) -> None:
    agrees_with_single_cases(narrow(seed=2), (name,))


def test_a_slice_with_missing_cells_keeps_its_bits_in_place() -> None:
    agrees_with_single_cases(narrow().slice(13, 77), ("destiny_crc02",))


def test_numbers_as_whole_numbers_and_texts() -> None:
    table = pa.table(
        {
            "ngs_copies": pa.array([4, 5, 6, None, 2**60], pa.int64()),
            "tumour_purity": pa.array([1, 0, 1, 1, 1], pa.int8()),
            "ihc_score": pa.array([3, 2, 0, None, 2], pa.int32()),
        }
    )
    agrees_with_single_cases(table)
    agrees_with_single_cases(table.set_column(0, "ngs_copies", pa.array(["4", "5,0", "> 6", None, "no"])))


def test_columns_that_can_contradict_go_the_way_of_screen() -> None:
    table = narrow(200).append_column(
        "ngs_call", pa.array([["amplified", None, "not_amplified"][at % 3] for at in range(200)])
    )
    table = table.append_column("ish_her2_signals", pa.array([[None, 80, 200][at % 3] for at in range(200)]))
    agrees_with_single_cases(table.append_column("ish_cep17_signals", pa.array([40] * 200)))
    plasma = pa.array([[None, 2.0, 9.0, 0.0, 1.7][at % 5] for at in range(200)])
    table = narrow(200, seed=3).append_column("plasma_copies", plasma)
    agrees_with_single_cases(table)
    agrees_with_single_cases(table.append_column("tumour_fraction", pa.array([0.02, 0.2, None, 1.0] * 50)))


def test_row_groups_and_chunks_do_not_change_the_answers(tmp_path: Path) -> None:
    table = pa.concat_tables([narrow(4_000)] * (2 * CHUNK // 4_000 + 1)).combine_chunks()
    path = tmp_path / "specimens.parquet"
    pq.write_table(table, path, row_group_size=CHUNK + 7)
    way = Direct(KNOWLEDGE, ("destiny_crc02",))
    found = np.concatenate([way.find(part) for part in tables_of(path, way)])
    assert found.tolist() == np.resize(way.find(narrow(4_000)), len(found)).tolist()
    counts = way.count(tables_of(path, way))
    assert counts.tolist() == way.count([table]).tolist() == way.count([narrow(4_000)] * (len(found) // 4_000)).tolist()
    assert counts.sum() == table.num_rows and (counts > 0).sum() > 1


def test_nothing_to_read_and_no_such_set() -> None:
    assert Direct(KNOWLEDGE).find(narrow(0)).tolist() == []
    with pytest.raises(UsageError, match="no set"):
        Direct(KNOWLEDGE, ("no_such_set",))


def test_counting_alone_gives_what_screening_counts(tmp_path: Path) -> None:
    her2crc.generate(300, tmp_path / "registry", KNOWLEDGE, seed=7)
    table = next((tmp_path / "registry").glob("specimens*.parquet"))
    summary = her2crc.screen(str(table), tmp_path / "screened", engine="kernel")
    counts = her2crc.screen(str(table), count=())
    assert counts == {
        name: {status: said["specimens"].get(status, 0) for status in counts[name]}
        for name, said in summary["counts"].items()
    }
    assert counts["heracles_2015"]["positive"] > 0
    assert her2crc.screen(str(table), count=["heracles_2015"]) == {"heracles_2015": counts["heracles_2015"]}


def test_counting_refuses_what_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("patient_id\nP1\n")
    with pytest.raises(InputError, match="Parquet"):
        her2crc.screen(str(tmp_path / "a.csv"), count=())
