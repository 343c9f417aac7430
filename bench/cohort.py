"""Measure the cohort engines beside what one would write by hand; print a table and write bench/results/cohort.json.

    .venv/bin/python bench/cohort.py [--quick] [--spark]

All patients are synthetic. Every peer answers the same question on the same Parquet file, and its counts are compared
before it is timed. Engines: CPU seconds, every library held to one thread, best of several. The floor reads the very
columns that the kernel reads, those of one set or those of all. Whole runs: wall clock; Spark's too, started anew.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import cohort_peers as peers
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import her2crc

RESULTS = Path(__file__).resolve().parent / "results" / "cohort.json"
QUICK = "--quick" in sys.argv
SPECIMENS = 200_000 if QUICK else 1_000_000
SPARK = "--spark" in sys.argv
SPARK_CORES = 2
SPARK_SCALES = (20_000, 100_000)
SCALES = (10_000, 100_000) if QUICK else (10_000, 100_000, 1_000_000)
TIMES = 9
LIBRARIES = ("her2crc", "duckdb", "polars", "pyarrow", "numpy", "numba", "pyspark")
Row = dict[str, Any]
FLOOR = "DuckDB scan floor, the columns of one set"
FLOOR_OF_ALL = "DuckDB scan floor, the columns of all sets"


def specimens(count: int, seed: int = 1) -> pa.Table:
    """One specimen a patient: staining, hybridisation and sequencing, with much of it missing."""
    dice = np.random.default_rng(seed)

    def number(values: Any, missing: float) -> pa.Array:
        return pa.array(values, mask=dice.random(count) < missing)

    ids = pa.array([f"P{at:08}" for at in range(count)])
    return pa.table(
        {
            "patient_id": ids,
            "specimen_id": pa.array(["A"]).take(pa.array(np.zeros(count, np.int64))),
            "tumour": pa.array(["colorectal"]).take(pa.array(np.zeros(count, np.int64))),
            "specimen_kind": pa.array(["resection", "biopsy"]).take(pa.array(dice.integers(0, 2, count))),
            "ihc_score": number(dice.choice([0, 1, 2, 3], count, p=[0.7, 0.17, 0.08, 0.05]), 0.3),
            "ihc_percent": number(dice.integers(0, 101, count).astype(float), 0.35),
            "ish_ratio": number(np.round(dice.gamma(4, 0.4, count), 2), 0.8),
            "ngs_copies": number(np.round(2 + dice.gamma(1, 1, count), 2), 0.6),
            "tumour_purity": number(np.round(dice.random(count), 2), 0.5),
            "metastatic": pa.array(dice.random(count) < 0.6),
            "ras": pa.array(["wild_type", "mutant"]).take(pa.array(dice.integers(0, 2, count))),
        }
    )


def best(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of the fastest of several runs."""
    seconds = []
    for _ in range(TIMES):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def engine_rows(folder: Path) -> list[Row]:
    """Measure Parquet to verdicts: the scan floor, peers on one set, and this project on one set and on all."""
    path = folder / "specimens.parquet"
    pq.write_table(specimens(SPECIMENS), path)
    of_all = peers.direct(None).columns(pq.read_schema(path).names)
    expected = peers.duckdb_by_hand(path)
    ways: dict[str, tuple[Callable[[], Any], str]] = {
        FLOOR: (lambda: peers.duckdb_floor(path), "no verdict"),
        FLOOR_OF_ALL: (lambda: peers.duckdb_floor(path, of_all), "no verdict"),
        "peer: DuckDB, SQL by hand": (lambda: peers.duckdb_by_hand(path), "one set, status only"),
        "peer: polars, expressions by hand": (lambda: peers.polars_by_hand(path), "one set, status only"),
        "her2crc kernel, one set": (lambda: peers.kernel(path, (peers.SET,)), "status, row, missing facts"),
        "her2crc kernel, all sets": (lambda: peers.kernel(path, None), "status, row, missing facts of every set"),
        "her2crc generated SQL in DuckDB, one set": (lambda: peers.generated_sql(path, (peers.SET,)), "status and row"),
        "her2crc generated SQL in DuckDB, all sets": (lambda: peers.generated_sql(path, None), "status and row"),
    }
    for name, (work, _) in ways.items():
        if "scan floor" not in name and work() != expected:
            raise SystemExit(f"{name} gives other answers than SQL by hand")
    if peers.if_else(path, 20_000) != peers.kernel(path, (peers.SET,), 20_000):
        raise SystemExit("if/else gives other answers than the kernel")
    rows = [_row(name, SPECIMENS / best(work), note) for name, (work, note) in ways.items()]
    rows.append(_row("peer: json + if/else in Python", 20_000 / best(lambda: peers.if_else(path, 20_000)), "one set"))
    floors = {row["what"]: row["rate"] for row in rows}
    return [
        {
            **row,
            "of_floor": round(row["rate"] / floors[FLOOR], 3),
            "of_floor_of_all": round(row["rate"] / floors[FLOOR_OF_ALL], 3),
        }
        for row in rows
    ]


def _row(what: str, rate: float, note: str) -> Row:
    return {"what": what, "rate": round(rate), "unit": "specimens/s", "note": note}


CHILD = """
import json, resource, sys, time
import her2crc
start = time.perf_counter()
more = {"master": f"local[{sys.argv[4]}]"} if sys.argv[3] == "spark" else {}
summary = her2crc.screen(sys.argv[1], sys.argv[2], engine=sys.argv[3], **more)
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss counts the parent's too
print(json.dumps([seconds, used.ru_utime + used.ru_stime, int(peak.split()[1]), summary["patients"]]))
"""


def scale_rows(folder: Path) -> list[Row]:
    """Measure the whole of ``screen`` on synthetic registries of growing size, each in a process of its own."""
    rows = []
    for patients in SCALES:
        for engine in ("kernel", "duckdb"):
            output, row = _screened(folder, patients, engine)
            again = peers.rewrite(output, folder)
            rows.append(row | {"rewrite_seconds": round(again, 2), "of_rewriting": round(row["seconds"] / again, 1)})
    return rows


def _screened(folder: Path, patients: int, engine: str) -> tuple[Path, Row]:
    registry, output = folder / f"registry-{patients}", folder / f"out-{patients}-{engine}"
    if not registry.exists():
        her2crc.generate(patients, registry, peers.KNOWLEDGE, seed=1)
    command = [sys.executable, "-c", CHILD, str(registry / "specimens.parquet"), str(output), engine, str(SPARK_CORES)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, processor, memory, screened = json.loads(told.splitlines()[-1])
    written = sum(file.stat().st_size for file in output.rglob("*.parquet"))
    return output, {
        "patients": screened,
        "engine": engine,
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "patients_per_second": round(screened / seconds),
        "peak_MiB": memory // 1024,
        "written_MB": round(written / 1e6, 1),
    }


def spark_rows(folder: Path) -> dict[str, Any]:
    """Measure Spark on two sizes: the difference is its rate without the start, and what 10^9 patients cost by it."""
    rows = [_screened(folder, patients, "spark")[1] for patients in SPARK_SCALES]
    for row in rows:
        del row["processor_seconds"], row["peak_MiB"]  # Java's are not this process's
    small, large = rows
    rate = (large["patients"] - small["patients"]) / (large["seconds"] - small["seconds"])
    hours = 1e9 / rate * SPARK_CORES / 3600
    return {
        "master": f"local[{SPARK_CORES}]",
        "runs": rows,
        "patients_per_second": round(rate),
        "core_hours_of_1e9": round(hours),
    }


def _results() -> dict[str, Any]:
    """Return what was measured last; a run without Spark keeps its figures."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    return found


def main() -> None:
    """Run everything, print the tables, write them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines, scales = engine_rows(folder), scale_rows(folder)
        spark = spark_rows(folder) if SPARK else _results().get("spark")
    for row in engines:
        print(f"{row['what']:<55} {row['rate']:>12,} {row['unit']}  {row['of_floor']:>6} of floor  {row['note']}")
    for row in (*scales, spark):
        print(row)
    result = {
        "date": date.today().isoformat(),
        "machine": {"python": platform.python_version(), "processor": platform.machine(), "load": os.getloadavg()},
        "versions": {name: version(name) for name in LIBRARIES},
        "engines": engines,
        "scale": scales,
        "spark": spark,
        "peak_MiB_of_bench": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if not QUICK:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
