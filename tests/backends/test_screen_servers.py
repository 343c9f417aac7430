"""``screen`` with real servers that the test starts: PostgreSQL in and out, and a Spark cluster that loses a worker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cohort_rows import NAMES, random_rows

import her2crc
from her2crc.criteria.library import Knowledge

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
import pyarrow.parquet as pq  # noqa: E402 - after the check that it is there

WAIT = 240


def table_of(seed: int, patients: int) -> pa.Table:
    rows = random_rows(seed, patients, 0.01)
    return pa.table({n: pa.array([None if r[n] is None else str(r[n]) for r in rows], pa.string()) for n in NAMES})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tables(output: Path) -> dict[str, Any]:
    """Every written table with its lines in a fixed order, whatever the parts."""
    found = {}
    for kind in ("verdicts", "patients", "specimens"):
        frame = pl.from_arrow(pq.read_table(output / kind)).with_columns(pl.col(pl.Categorical).cast(pl.String))
        keys = [name for name in ("patient_id", "specimen_id", "criteria") if name in frame.columns]
        found[kind] = frame.sort(keys, nulls_last=False)
    return found


def same(first: Path, second: Path) -> bool:
    one, two = tables(first), tables(second)
    return all(one[kind].equals(two[kind], null_equal=True) for kind in one)


# ---- PostgreSQL


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("adbc_driver_postgresql")
    tools = {name: shutil.which(name) for name in ("initdb", "postgres", "pg_ctl", "psql")}
    if not all(tools.values()):
        pytest.skip("no PostgreSQL server is installed here")
    folder = Path(
        subprocess.run(["mktemp", "-d", "/tmp/her2crc-pg-XXXXXX"], capture_output=True, text=True).stdout.strip()
    )
    as_user = []
    if os.getuid() == 0:  # the server refuses to run as root
        subprocess.run(["chown", "nobody", str(folder)], check=True)
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
    port = free_port()
    try:
        subprocess.run(
            [*as_user, str(tools["initdb"]), "-D", f"{folder}/data", "-U", "test", "-A", "trust"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
        start = [*as_user, str(tools["pg_ctl"]), "-D", f"{folder}/data", "-o", options, "-w", "-l", f"{folder}/log"]
        subprocess.run([*start, "start"], check=True, stdout=subprocess.DEVNULL)
        yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        stop = [*as_user, str(tools["pg_ctl"]), "-D", f"{folder}/data", "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


def test_postgresql_in_and_out(postgresql: str, tmp_path: Path, knowledge: Knowledge) -> None:
    from adbc_driver_postgresql import dbapi

    table = table_of(21, 80)
    order = [*range(1, table.num_rows, 2), *range(0, table.num_rows, 2)]
    with dbapi.connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("Specimen table", table.take(order), mode="replace")
        connection.commit()
    pq.write_table(table.take(order), tmp_path / "given.parquet")
    her2crc.screen(tmp_path / "given.parquet", tmp_path / "a", knowledge=knowledge)
    address = f"{postgresql}?password=not-needed&table=Specimen table"
    summary = her2crc.screen(address, tmp_path / "b", knowledge=knowledge, to=postgresql)
    assert same(tmp_path / "a", tmp_path / "b")
    told = (tmp_path / "b" / "summary.json").read_text(encoding="utf-8")
    assert "test@" not in told and "not-needed" not in told
    with dbapi.connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT patient_id) FROM her2crc_verdicts")
        sets = len(knowledge.criteria)
        assert cursor.fetchone() == ((summary["patients"] + summary["specimens"]) * sets, 80)
        cursor.execute("SELECT count(*) FROM her2crc_rejects")
        assert cursor.fetchone() == (summary["rejects"],)
    with pytest.raises(her2crc.errors.InputError):
        her2crc.screen(f"{postgresql}?table=nowhere", tmp_path / "c", knowledge=knowledge)


def test_numbers_of_postgresql_keep_their_digits(postgresql: str, tmp_path: Path, knowledge: Knowledge) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE exact (patient_id integer, specimen_id text, ihc_score smallint, ish_ratio numeric(6,2), "
            "ish_her2_copies double precision, metastatic boolean, collected_on date)"
        )
        cursor.execute(
            "INSERT INTO exact VALUES (10, 'A', 2, 2.00, 6.1, true, '2026-01-31'), (9, 'A', 2, 1.99, 2, null, null)"
        )
        connection.commit()
    her2crc.screen(f"{postgresql}?table=exact", tmp_path / "out", knowledge=knowledge)
    rows = {row["patient_id"]: row for row in pq.read_table(tmp_path / "out" / "specimens").to_pylist()}
    assert {name: (row["ish_ratio"], row["ihc_score"]) for name, row in rows.items()} == {
        "10": (2.0, 2),
        "9": (1.99, 2),
    }
    verdicts = pq.read_table(tmp_path / "out" / "verdicts").to_pylist()
    found = {v["patient_id"]: v["status"] for v in verdicts if v["criteria"] == "destiny_crc02" and v["specimen_id"]}
    assert found == {"10": "not_covered", "9": "negative"}, "this rule says above 2.0 and below, not at"


# ---- Spark


@contextmanager
def spark_cluster(workers: int, folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A standalone cluster: one master and some workers, each in a process group of its own."""
    pyspark = pytest.importorskip("pyspark")
    home, port = Path(pyspark.__file__).parent, free_port()
    master = f"spark://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    launch = [str(home / "bin" / "spark-class")]
    deploy = "org.apache.spark.deploy"

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        log = (folder / f"{name}.log").open("wb")
        command = [*launch, *words]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=folder)

    running = [
        start("master", f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
    ]
    try:
        for at in range(workers):
            words = (
                f"{deploy}.worker.Worker",
                "-c",
                "1",
                "-m",
                "1g",
                "--webui-port",
                "0",
                "-d",
                str(folder / f"work{at}"),
            )
            running.append(start(f"worker{at}", *words, master))
        deadline = time.monotonic() + WAIT
        while len(re.findall("Registering worker", (folder / "master.log").read_text())) < workers:
            assert time.monotonic() < deadline, "the cluster did not start"
            time.sleep(0.2)
        yield master, running[1:]
    finally:
        for process in running:
            kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


ON_SPARK = """
import sys
import her2crc
import her2crc.cohort.spark as spark
spark.ROWS_OF_PARTITION = 60
her2crc.screen(sys.argv[1], sys.argv[2], engine="spark", master=sys.argv[3])
"""


def test_spark_loses_a_worker_then_everything_and_goes_on(tmp_path: Path) -> None:
    """The run gets on without the worker; after its own end a second one redoes only what was not written whole."""
    source, output = tmp_path / "given.parquet", tmp_path / "spark"
    pq.write_table(table_of(22, 700).take(list(reversed(range(700)))), source)

    def whole() -> set[str]:
        return {path.stem for path in output.glob(".work/parts/*.whole")}

    with spark_cluster(2, tmp_path) as (master, workers):
        command = [sys.executable, "-c", ON_SPARK, str(source), str(output), master]
        environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
        driver = subprocess.Popen(command, env=environment, start_new_session=True)

        def wait_for(partitions: int) -> None:
            deadline = time.monotonic() + WAIT
            while len(whole()) < partitions:
                assert driver.poll() is None, "Spark ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.02)

        wait_for(2)
        kill_group(workers[0])
        wait_for(len(whole()) + 2)  # a task that was finished when the worker fell may still leave its note
        kill_group(driver)
        assert not (output / "summary.json").exists()
        kept = whole()
        written = {
            path: path.stat().st_mtime_ns
            for path in output.glob("*/part-*.parquet")
            if path.name.removeprefix("part-").partition("-")[0] in kept
        }
        assert written
        left = output / "verdicts" / "part-99999-000.parquet"
        left.write_bytes(b"of a partition that was not written whole")
        subprocess.run(command, env=environment, check=True)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert not left.exists()
    her2crc.screen(source, tmp_path / "alone", engine="kernel")
    assert same(output, tmp_path / "alone")
