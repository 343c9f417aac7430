"""The same question on the same Parquet file, several ways: by hand in DuckDB, polars and Python, and by this project.

The rule by hand is DESTINY-CRC02's: 3+, or 2+ with a ratio above 2.0. Each way returns how many specimens have which
status, so that answers can be compared; a way that leaves something out says so in the table.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import polars as pl
import pyarrow.parquet as pq

import her2crc
from her2crc.cohort.direct import Direct, tables_of
from her2crc.cohort.engines import FACTS, codes_query, facts_table
from her2crc.cohort.outcomes import Outcomes, conditions_of
from her2crc.cohort.signatures import Signatures
from her2crc.cohort.values import ColumnReader, absent
from her2crc.criteria.closure import OPEN
from her2crc.criteria.nodes import fields_read
from her2crc.criteria.sets import STATUSES

SET = "destiny_crc02"
COLUMNS = ("tumour", "specimen_kind", "ihc_score", "ish_ratio")
BATCH = 131_072
KNOWLEDGE = her2crc.load_knowledge(date(2026, 11, 22))
Counts = dict[str, int]

BY_HAND = """
SELECT CASE WHEN tumour <> 'colorectal' OR specimen_kind = 'plasma' THEN 'not_covered'
            WHEN ihc_score = 3 THEN 'positive'
            WHEN ihc_score = 2 AND ish_ratio > 2.0 THEN 'positive'
            WHEN ihc_score = 2 AND ish_ratio < 2.0 THEN 'negative'
            WHEN ihc_score = 2 AND ish_ratio IS NULL THEN 'equivocal'
            WHEN ihc_score IN (0, 1) THEN 'negative'
            WHEN ihc_score = 2 THEN 'not_covered'
            ELSE 'indeterminate' END AS status, count(*)
FROM read_parquet(?) GROUP BY 1
"""


@cache
def connect() -> Any:
    """One connection on one thread for all: opening one takes as long as a scan."""
    return duckdb.connect(config={"threads": 1})


def duckdb_floor(path: Path, columns: Sequence[str] = COLUMNS) -> Any:
    """Sum numbers and the lengths of texts: a mere count of a column without nulls is answered without reading it."""
    types = {field.name: str(field.type) for field in pq.read_schema(path)}
    sums = [f"sum(strlen({name}))" if types[name] == "string" else f"sum({name})" for name in columns]
    return connect().execute(f"SELECT {', '.join(sums)} FROM read_parquet(?)", [str(path)]).fetchall()


def duckdb_by_hand(path: Path) -> Counts:
    return dict(sorted(connect().execute(BY_HAND, [str(path)]).fetchall()))


def polars_by_hand(path: Path) -> Counts:
    score, ratio = pl.col("ihc_score"), pl.col("ish_ratio")
    outside = ((pl.col("tumour") != "colorectal") | (pl.col("specimen_kind") == "plasma")).fill_null(False)
    status = (
        pl.when(outside)
        .then(pl.lit("not_covered"))
        .when((score == 3) | ((score == 2) & (ratio > 2.0)))
        .then(pl.lit("positive"))
        .when(score.is_in([0, 1]) | ((score == 2) & (ratio < 2.0)))
        .then(pl.lit("negative"))
        .when((score == 2) & ratio.is_null())
        .then(pl.lit("equivocal"))
        .when(score == 2)
        .then(pl.lit("not_covered"))
        .otherwise(pl.lit("indeterminate"))
        .alias("status")
    )
    found = pl.scan_parquet(path).select(status).group_by("status").len().collect()
    return dict(sorted(found.iter_rows()))


def if_else(path: Path, rows: int) -> Counts:
    """Rows as JSON objects, the rule in Python, floats as they come."""
    counts: Counter[str] = Counter()
    for line in _as_json(path, rows):
        row = msgspec.json.decode(line)
        score, ratio = row["ihc_score"], row["ish_ratio"]
        if row["tumour"] != "colorectal" or row["specimen_kind"] == "plasma":
            status = "not_covered"
        elif score is None:
            status = "indeterminate"
        elif score == 3 or (score == 2 and ratio is not None and ratio > 2.0):
            status = "positive"
        elif score in (0, 1) or (ratio is not None and ratio < 2.0):
            status = "negative"
        else:
            status = "equivocal" if ratio is None else "not_covered"
        counts[status] += 1
    return dict(sorted(counts.items()))


@cache
def _as_json(path: Path, rows: int) -> list[bytes]:
    table = pq.read_table(path, columns=list(COLUMNS)).slice(0, rows)
    return [msgspec.json.encode(row) for row in table.to_pylist()]


@cache
def _machine(sets: tuple[str, ...] | None) -> tuple[Any, Outcomes, dict[str, ColumnReader], list[str]]:
    wanted = KNOWLEDGE.criteria if sets is None else {name: KNOWLEDGE.criteria[name] for name in sets}
    knowledge = msgspec.structs.replace(KNOWLEDGE, criteria=wanted, tests=())
    signatures = Signatures(knowledge)
    read = {name for item in wanted.values() for node in conditions_of(item) for name in fields_read(node)}
    bases = {base for name in read for base in knowledge.fields[name].derived_from}
    extra = {"ish_her2_signals", "ish_cep17_signals", "ish_nuclei", "ish_her2_copies", "ish_cep17_copies", "site"}
    names = [name for name in knowledge.fields if name in read | bases | extra | set(signatures.scales)]
    names = [name for name in names if not (knowledge.fields[name].derived_from and name not in extra)]
    readers = {name: ColumnReader(knowledge.fields[name]) for name in names if name in knowledge.fields}
    wanted_columns = sorted(read | bases)
    return knowledge, Outcomes(knowledge, signatures), readers, wanted_columns


def _batches(path: Path, readers: dict[str, ColumnReader], wanted: Sequence[str]) -> Any:
    names = pq.read_schema(path).names
    used = [name for name in wanted if name in names]
    texts = [name for name in used if readers[name].field.type == "code"]
    for batch in pq.ParquetFile(path, read_dictionary=texts).iter_batches(BATCH, columns=used, use_threads=False):
        nothing = absent(batch.num_rows)
        yield {name: readers[name].read(batch[name]) if name in used else nothing for name in readers}


@cache
def direct(sets: tuple[str, ...] | None) -> Direct:
    return Direct(KNOWLEDGE, sets)


def kernel(path: Path, sets: tuple[str, ...] | None, rows: int | None = None) -> Counts:
    """This project's kernel: cells to codes, to what every wanted set says of each row."""
    way = direct(sets)
    at = [item.id for item in way.outcomes.sets].index(SET)
    tables = (table if rows is None else table.slice(0, rows) for table in tables_of(path, way))
    counts = way.count(tables)[at]  # it counts under every wanted set
    return {status: int(count) for status, count in sorted(zip(STATUSES, counts, strict=True)) if count}


def generated_sql(path: Path, sets: tuple[str, ...] | None) -> Counts:
    """The SQL that the knowledge base gives, in DuckDB, on exact decimals made from the cells."""
    knowledge, outcomes, readers, wanted = _machine(sets)
    rows = outcomes.sets[[item.id for item in outcomes.sets].index(SET)].rows
    query, connection = codes_query(knowledge).sql(dialect="duckdb"), connect()
    counts: Counter[str] = Counter()
    for columns in _batches(path, readers, wanted):
        connection.register(FACTS, facts_table(columns, {name: reader.field for name, reader in readers.items()}))
        codes = connection.execute(query).fetchnumpy()
        for code, number in zip(*np.unique(codes[SET], return_counts=True), strict=True):
            status = rows[code].then if code >= 0 else "indeterminate" if code == OPEN else "not_covered"
            counts[status] += int(number)
    return dict(sorted(counts.items()))


def rewrite(output: Path, folder: Path) -> float:
    """Return the seconds that writing the same verdict tables again takes, with nothing computed."""
    seconds = 0.0
    for path in sorted((output / "verdicts").glob("*.parquet")):
        table = pq.read_table(path, read_dictionary=["patient_id", "specimen_id", "criteria", "status", "row"])
        start = time.perf_counter()
        pq.write_table(table, folder / "again.parquet", compression="zstd", row_group_size=max(1, table.num_rows))
        seconds += time.perf_counter() - start
    return seconds
