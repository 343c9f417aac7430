"""Measure this project and its peers in one run; print a table and write it to bench/results.

    .venv/bin/python bench/run.py [--quick]

All patients are synthetic: combinations of boundary values, no patient's data. Peers do less than this project (one
rule and no explanation); what each row does is said in the table. Times are CPU seconds of one process.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import peers
from bundles import bundle_of_size

import her2crc
from her2crc.criteria.cases import boundary_cases
from her2crc.criteria.closure import compile_set, status_of
from her2crc.criteria.run import decide, trace
from her2crc.normalise import derive_facts, specimen_facts

HERE = Path(__file__).resolve().parent
QUICK = "--quick" in sys.argv
SECONDS = 0.5 if QUICK else 3.0
CASES = 2_000 if QUICK else 20_000
PEERS = ("fhir.resources", "fhirclient", "fhirkit-rs", "orjson")
Row = dict[str, Any]


def rate(work: Callable[[], int]) -> float:
    """Return units of work per CPU second: ``work`` is repeated until SECONDS have passed and gives units done."""
    work()
    done, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        done += work()
    return done / (time.process_time() - start)


def row(what: str, per_second: float, unit: str, note: str = "") -> Row:
    """Return one line of the table."""
    return {"what": what, "rate": round(per_second), "unit": unit, "note": note}


def engine_rows(knowledge: her2crc.Knowledge) -> list[Row]:
    """Measure the reference executor with full trace and the compiled closure, all rules over boundary cases."""
    rules = [item for item in knowledge.criteria.values() if item.rows]
    pools = {
        item.id: list(islice(boundary_cases(item, knowledge.fields, derive_facts), CASES // len(rules)))
        for item in rules
    }
    compiled = {item.id: compile_set(item) for item in rules}
    columns = {
        name: [[case.get(field) for field in compiled[name].fields] for case in cases] for name, cases in pools.items()
    }
    total = sum(map(len, pools.values()))

    def with_trace() -> int:
        for item in rules:
            for case in pools[item.id]:
                decide(item, case)
                for line in item.rows:
                    trace(line.when, case)
        return total

    def reference() -> int:
        for item in rules:
            for case in pools[item.id]:
                decide(item, case)
        return total

    def closure() -> int:
        for name, cases in columns.items():
            decide_one = compiled[name].decide
            for values in cases:
                decide_one(*values)
        return total

    return [
        row(
            "reference executor, full trace", rate(with_trace), "cases/s", f"{len(rules)} sets, {total} boundary cases"
        ),
        row("reference executor", rate(reference), "cases/s", "status and row, no trace"),
        row("compiled closure", rate(closure), "cases/s", "status and row"),
    ]


def bundle_rows(knowledge: her2crc.Knowledge) -> list[Row]:
    """Measure FHIR bundles to verdicts, beside the peers."""
    rules = [compile_set(item) for item in knowledge.criteria.values() if item.rows]
    rows = []
    for size in (2_800, 63_600):
        data = bundle_of_size(size)
        kb = f"{len(data) / 1000:.1f} kB"

        def all_sets(data: bytes = data) -> int:
            for patient in her2crc.read_patients(data, knowledge):
                for specimen in patient.specimens:
                    facts = specimen_facts(specimen)
                    for compiled in rules:
                        status_of(compiled.decide(*map(facts.get, compiled.fields)), compiled.statuses)
            return 1

        def full(data: bytes = data) -> int:
            for patient in her2crc.read_patients(data, knowledge):
                her2crc.assess(patient, knowledge)
            return 1

        note = f"{len(rules)} sets, closures"
        rows += [
            row(f"FHIR bundle {kb} -> every set's status", rate(all_sets), "bundles/s", note),
            row(f"FHIR bundle {kb} -> full assessment", rate(full), "bundles/s", "verdicts, tests, actions, evidence"),
            *peer_rows(data, kb),
        ]
    return rows


def peer_rows(data: bytes, kb: str) -> list[Row]:
    """Measure the peers on the same bundle."""
    deciding = {"json": peers.json_if_else, "orjson": peers.orjson_if_else}
    parsing = {
        "fhir.resources": peers.fhir_resources_parse,
        "fhirclient": peers.fhirclient_parse,
        "fhirkit-rs": peers.fhirkit_parse,
    }
    assert {work(data) for work in deciding.values()} == {"positive"}
    rows = [
        row(
            f"peer: {name} + if/else, {kb}", rate(counted(work, data)), "bundles/s", "one rule, one specimen, no checks"
        )
        for name, work in deciding.items()
    ]
    return rows + [
        row(f"peer: {name}, {kb}", rate(counted(work, data)), "bundles/s", "parse only")
        for name, work in parsing.items()
    ]


def counted(work: Callable[[bytes], object], data: bytes) -> Callable[[], int]:
    """Return a call that does the work once and counts it."""

    def once() -> int:
        work(data)
        return 1

    return once


def cold_start_row() -> Row:
    """Measure the CPU time of the command line from nothing to the printed verdict, best of several."""
    case = HERE.parent / "src/her2crc/examples/EX-01-clear-3plus.json"
    command = [Path(sys.executable).parent / "her2crc", "assess", case]
    script = (
        "import resource,subprocess,sys;"
        "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,check=True);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);print(u.ru_utime+u.ru_stime)"
    )
    times = [
        float(
            subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(3 if QUICK else 9)
    ]
    seconds = sorted(times)[len(times) // 2]
    return {"what": "cold start: her2crc assess one.json", "rate": round(seconds, 3), "unit": "CPU s", "note": "median"}


def main() -> None:
    """Run everything, print the table, write it."""
    knowledge = her2crc.load_knowledge(date(2026, 11, 22))
    rows = [cold_start_row(), *engine_rows(knowledge), *bundle_rows(knowledge)]
    versions = {name: version(name) for name in ("her2crc", "msgspec", *PEERS)}
    width = max(len(item["what"]) for item in rows)
    for item in rows:
        print(f"{item['what']:<{width}}  {item['rate']:>12,}  {item['unit']:<10} {item['note']}")
    if not QUICK:
        machine = {"python": platform.python_version(), "processor": platform.machine(), "cores used": 1}
        result = {"date": date.today().isoformat(), "machine": machine, "versions": versions, "rows": rows}
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "core.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
