"""FHIR bundles to verdicts: this project beside its peers, in one run, on bundles of which no two are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

import peers
from bundles import bundles_of_size
from timing import QUICK, SECONDS, Row, rate, row

import her2crc
from her2crc.criteria.closure import OPEN, OUTSIDE, SILENT, compile_set, status_of
from her2crc.model.patient import Patient
from her2crc.normalise import specimen_facts

SIZES = (2_800, 63_600)
BUNDLES = 50 if QUICK else 500
Judge = Callable[[Patient], list[dict[str, str]]]


def bundle_rows(knowledge: her2crc.Knowledge) -> list[Row]:
    """Measure bundles of each size, and check that all that decide give the same statuses."""
    return [line for size in SIZES for line in _rows_of_size(knowledge, bundles_of_size(size, BUNDLES))]


def _rows_of_size(knowledge: her2crc.Knowledge, bundles: Sequence[bytes]) -> list[Row]:
    kb = f"{sum(map(len, bundles)) / len(bundles) / 1000:.1f} kB"
    judge = judge_of(knowledge)
    ours = [_status(data, knowledge, judge) for data in bundles]

    def all_sets(data: bytes) -> object:
        return [judge(patient) for patient in her2crc.read_patients(data, knowledge)]

    def full(data: bytes) -> object:
        return [her2crc.assess(patient, knowledge) for patient in her2crc.read_patients(data, knowledge)]

    read = "read in full, checked; each specimen under every set that has rows"
    return [
        row(f"FHIR bundle {kb} -> every set's status", rate(_each(all_sets, bundles)), "bundles/s", read),
        row(
            f"FHIR bundle {kb} -> full assessment", rate(_each(full, bundles)), "bundles/s", "tests, actions, evidence"
        ),
        *_deciding_rows(bundles, kb, ours),
        *_parsing_rows(bundles, kb),
    ]


def judge_of(knowledge: her2crc.Knowledge) -> Judge:
    """Return the statuses of a patient's specimens under every set that has rows, by the compiled closures."""
    rules = []
    for item in knowledge.criteria.values():
        if item.rows:
            compiled = compile_set(item)
            undecided = (status_of(code, compiled.statuses) for code in (OUTSIDE, SILENT, OPEN))  # -3, -2, -1
            rules.append((item.id, itemgetter(*compiled.fields), compiled.decide, (*compiled.statuses, *undecided)))

    def judge(patient: Patient) -> list[dict[str, str]]:
        found = []
        for specimen in patient.specimens:
            facts = specimen_facts(specimen)
            found.append({name: statuses[decide(*pick(facts))] for name, pick, decide, statuses in rules})
        return found

    return judge


def _status(data: bytes, knowledge: her2crc.Knowledge, judge: Judge) -> str:
    (patient,) = her2crc.read_patients(data, knowledge)
    (statuses,) = judge(patient)
    return statuses[peers.RULE]


def _deciding_rows(bundles: Sequence[bytes], kb: str, ours: Sequence[str]) -> list[Row]:
    note, rows = "one rule, one specimen, nothing checked", []
    for name, decide in {"orjson": peers.orjson_if_else, "json": peers.json_if_else}.items():
        assert [decide(data) for data in bundles] == ours, name
        rows.append(row(f"peer: {name} + if/else, {kb}", rate(_each(decide, bundles)), "bundles/s", note))
    engine = peers.cql_execution(bundles[: len(bundles) // 5], SECONDS)
    if engine is not None:
        statuses, per_second = engine
        assert statuses == ours[: len(statuses)], "cql-execution"
        rows.append(row(f"peer: cql-execution + cql-exec-fhir, {kb}", per_second, "bundles/s", "the same rule in CQL"))
    return rows


def _parsing_rows(bundles: Sequence[bytes], kb: str) -> list[Row]:
    parsing = {
        "fhirkit-rs": peers.fhirkit_parse,
        "fhirclient": peers.fhirclient_parse,
        "fhir.resources": peers.fhir_resources_parse,
    }
    few = bundles[:10]  # the slowest of these do a hundred a second
    return [
        row(f"peer: {name}, {kb}", rate(_each(parse, few)), "bundles/s", "parse only")
        for name, parse in parsing.items()
    ]


def _each(work: Callable[[bytes], object], bundles: Sequence[bytes]) -> Callable[[], int]:
    """Return a call that does the work for each bundle and counts them."""

    def once() -> int:
        for data in bundles:
            work(data)
        return len(bundles)

    return once
