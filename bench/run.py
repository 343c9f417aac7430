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
from datetime import date
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from fhir_bundles import bundle_rows
from timing import QUICK, Row, rate, row

import her2crc
from her2crc.criteria.cases import boundary_cases
from her2crc.criteria.closure import compile_set
from her2crc.criteria.run import decide, trace
from her2crc.normalise import derive_facts

HERE = Path(__file__).resolve().parent
CASES = 2_000 if QUICK else 20_000
CQL_PEERS = ("cql-execution", "cql-exec-fhir")
PEERS = ("fhir.resources", "fhirclient", "fhirkit-rs", "orjson")


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


def cql_versions() -> dict[str, str]:
    """Return the versions of the CQL engine that the tests install."""
    listed = json.loads((HERE.parent / "tests" / "cql" / "package.json").read_text(encoding="utf-8"))
    return {name: listed["devDependencies"][name] for name in CQL_PEERS}


def main() -> None:
    """Run everything, print the table, write it."""
    knowledge = her2crc.load_knowledge(date(2026, 11, 22))
    rows = [cold_start_row(), *engine_rows(knowledge), *bundle_rows(knowledge)]
    versions = {name: version(name) for name in ("her2crc", "msgspec", *PEERS)} | cql_versions()
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
