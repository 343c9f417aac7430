"""Findings of report text to rows of the specimen table: which specimen each is of, and what it says there.

Parts, sites, times and tumours are kept apart; what an addendum or correction states takes the place of what the same
test said before. A result in words alone ("amplified", with no number) decides nothing under any rule: it is reported,
and its test counts as done. Results of relatives never become rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from her2crc.frontends.text import Finding, Reading
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.frontends.text.findings import ADDENDUM, FAMILY, IHC, ISH, PLASMA, PRIOR, STATUS, TISSUE, VARIANT
from her2crc.model.record import Issue, RawValue, SpecimenRow

Values = dict[str, RawValue]
COLUMNS = {
    IHC: {"ihc_score": "ihc_score", "percent": "ihc_percent", "pattern": "ihc_pattern", "antibody": "ihc_antibody"},
    ISH: {
        "ratio": "ish_ratio",
        "her2_mean": "ish_her2_copies",
        "cep17_mean": "ish_cep17_copies",
        "her2_signals": "ish_her2_signals",
        "cep17_signals": "ish_cep17_signals",
        "cells": "ish_nuclei",
        "pct_cells_amplified": "ish_cell_percent",
    },
    TISSUE: {"cn": "ngs_copies", "fold": "ngs_fold", "assay": "ngs_assay"},
    PLASMA: {"cn": "plasma_copies", "assay": "plasma_assay"},
}
BOUND = "_bound"
"""Ends the name of a field that a report states as a bound only; in its column it is stated, but decides nothing."""
NUMBERS = {
    IHC: ("ihc_score",),
    ISH: ("ratio", "her2_mean", "her2_signals"),
    PLASMA: ("cn",),
}
"""Without one of these a result of the test is words alone."""
DECIDING = {IHC: "ihc_score", ISH: "ish_ratio", PLASMA: "plasma_copies"}
"""The fact that such words leave open."""
CALLS = ("amplified", "not_amplified", "equivocal")
WAITING = ("pending", "not_done")
EXACT = ("", "~")
COLORECTAL = "colorectal"
OTHER_SITE = "other"
OWN_TUMOUR = (None, COLORECTAL)


class Key(NamedTuple):
    """What tells specimens of one report apart; empty where the report does not say."""

    part: str
    site: str
    tumour: str
    when: str
    is_plasma: bool


UNNAMED = Key("", "", "", "", False)


def report_rows(items: Iterable[ReadReport], sites: Mapping[str, str]) -> tuple[list[SpecimenRow], list[Issue]]:
    """Return the rows of one patient's reports, and what a person must know of them.

    Args:
        items: the reports and what was read of them, in the order of time; of one specimen_id, a later addendum
            replaces what an earlier report said of the same test.
        sites: the words of sites to the codes of the specimen table.
    """
    rows: list[SpecimenRow] = []
    issues: list[Issue] = []
    dated: set[str] = set()
    for report, reading in _without_replaced([*items], issues):
        issues += report.issues
        if report.specimen_id in dated:  # a later report on a specimen has a later day; the specimen has not
            report = msgspec.structs.replace(report, date=None)
        dated |= {report.specimen_id} if report.specimen_id and report.date else set()
        issues += _remarks(report, reading)
        for specimen_id, key, findings in _specimens(report, reading):
            rows += _rows(report, specimen_id, key, findings, sites)
            issues += _words_alone(report, specimen_id, findings)
        rows += _about_patient(report, reading)
    return rows, issues


def _without_replaced(items: Sequence[ReadReport], issues: list[Issue]) -> Iterator[ReadReport]:
    """Yield the reports; what a later addendum on the same named specimen states again is left out before it."""
    replaced: Counter[tuple[str, str]] = Counter(
        (report.specimen_id, finding.analyte)
        for report, reading in items
        for finding in reading.findings
        if report.specimen_id and finding.temporality == ADDENDUM
    )
    for report, reading in items:
        specimen = report.specimen_id or ""
        for finding in reading.findings:
            replaced[specimen, finding.analyte] -= finding.temporality == ADDENDUM
        stand = [replaced[specimen, item.analyte] <= 0 or item.temporality == PRIOR for item in reading.findings]
        kept = [item if stands else _emptied(item) for item, stands in zip(reading.findings, stand, strict=True)]
        if not all(stand):
            issues.append(_superseded(stand.count(False), report, specimen))
        yield ReadReport(report, Reading(tuple(kept), reading.review, reading.markers))


def _emptied(finding: Finding) -> Finding:
    """What is left of a replaced result: what it was of."""
    return msgspec.structs.replace(finding, values={})


def _specimens(report: Report, reading: Reading) -> Iterator[tuple[str, Key, list[Finding]]]:
    """Yield each specimen of a report with its name and its findings, what an addendum replaces left out."""
    found: dict[Key, list[Finding]] = {}
    for finding in reading.findings:
        if finding.subject != FAMILY and finding.analyte != VARIANT:
            found.setdefault(_key(finding), []).append(finding)
    _join_unnamed(found)
    base = report.specimen_id or report.report_id
    names = Counter(_name(base, key, len(found)) for key in found)
    seen: Counter[str] = Counter()
    for key, findings in found.items():
        name = _name(base, key, len(found))
        seen[name] += 1
        yield name if names[name] == 1 else f"{name}-{seen[name]}", key, _latest(findings)


def _key(finding: Finding) -> Key:
    tumour = "" if finding.tumour in OWN_TUMOUR else str(finding.tumour)
    prior = finding.temporality == PRIOR
    when = (finding.date or PRIOR) if prior else ""
    part = finding.part or ""
    return Key(part, "" if part else finding.specimen_site or "", tumour, when, finding.analyte == PLASMA)


def _join_unnamed(found: dict[Key, list[Finding]]) -> None:
    """Give a result that names no specimen to the only one that is named, unless that has one of the same test."""
    others = _named(found)
    if UNNAMED not in found or len(others) != 1:
        return
    tests = {finding.analyte for finding in found[others[0]]}
    if all(item.analyte not in tests or item.temporality == ADDENDUM for item in found[UNNAMED]):
        found[others[0]] += found.pop(UNNAMED)


def _named(keys: Iterable[Key]) -> list[Key]:
    """The specimens of the tumour itself that a report tells apart by part or site."""
    return [key for key in keys if key != UNNAMED and not (key.tumour or key.when or key.is_plasma)]


def _name(base: str, key: Key, number: int) -> str:
    parts = [key.part or key.site.replace(" ", "_"), key.tumour, key.when, "plasma" if key.is_plasma else ""]
    alone = number == 1 and not key.when  # an earlier result is never that of the report's own specimen
    return base if alone else "-".join([base, *filter(None, parts)])


def _latest(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out what an addendum on the same specimen states again, and what was pending until another result came."""
    added = {finding.analyte for finding in findings if finding.temporality == ADDENDUM}
    return [item for item in findings if item.temporality == ADDENDUM or item.analyte not in added]


def _rows(
    report: Report, specimen_id: str, key: Key, findings: Sequence[Finding], sites: Mapping[str, str]
) -> Iterator[SpecimenRow]:
    """Yield a row for each finding, so that what contradicts itself is seen to."""
    for number, finding in enumerate(findings):
        head: Values = {"specimen_id": specimen_id}
        if not number:
            head |= _origin(report, key, findings, sites)
        yield SpecimenRow(_place(report, finding), head | _values(finding))


def _origin(report: Report, key: Key, findings: Sequence[Finding], sites: Mapping[str, str]) -> Values:
    """What a specimen is, as far as its findings say."""
    tumour = next((item.tumour for item in findings if item.tumour), None)
    site = next((item.specimen_site for item in findings if item.specimen_site), None)
    day = next((item.date for item in findings if item.date), None) or (None if key.when else report.date)
    plasma: Values = {"site": "plasma", "specimen_kind": "plasma"} if key.is_plasma else {}
    stated: Values = {
        "tumour": tumour,
        "site": sites.get(site, OTHER_SITE) if site else None,
        "collected_on": day if day and _is_day(day) else None,
    }
    return {name: value for name, value in (stated | plasma).items() if value is not None}


def _is_day(written: str) -> bool:
    """A year or a month alone is no day."""
    return written.count("-") > 1


def _values(finding: Finding) -> Values:
    columns = COLUMNS.get(finding.analyte, {})
    bounds = {name.removesuffix(BOUND): value for name, value in finding.values.items() if name.endswith(BOUND)}
    values: Values = {columns[name]: value for name, value in (bounds | finding.values).items() if name in columns}
    op = str(finding.values.get("percent_op", ""))
    if "ihc_percent" in values and op not in EXACT:
        values["ihc_percent"] = f"{op}{values['ihc_percent']}"
    if finding.analyte == TISSUE and finding.values.get("status") in CALLS:
        values["ngs_call"] = str(finding.values["status"])
    return values


def _about_patient(report: Report, reading: Reading) -> Iterator[SpecimenRow]:
    """Yield the markers of the patient's tumour and its variants; an earlier value counts where there is no other."""
    own = [item for item in reading.markers if item.subject != FAMILY and item.tumour in OWN_TUMOUR]
    current = {item.name for item in own if item.temporality != PRIOR}
    for marker in own:
        if marker.temporality != PRIOR or marker.name not in current:
            place = f"{report.place}, characters {marker.span.start}-{marker.span.end}"
            yield SpecimenRow(place, {marker.name: marker.value})
    variants = [
        str(item.values["variant"])
        for item in reading.findings
        if item.analyte == VARIANT and item.subject != FAMILY and "variant" in item.values and item.tumour in OWN_TUMOUR
    ]
    if variants:
        yield SpecimenRow(report.place, {"erbb2_mutation": ", ".join(dict.fromkeys(variants))})


def _words_alone(report: Report, specimen_id: str, findings: Sequence[Finding]) -> Iterator[Issue]:
    """Yield an issue for each test whose result is stated in words only: the fact stays open, the test was done."""
    measured = {
        item.analyte
        for item in findings
        if any({name, name + BOUND} & {*item.values} for name in NUMBERS.get(item.analyte, ()))
    }
    for finding in findings:
        status = finding.values.get("status")
        if status is None or status in WAITING or finding.analyte in measured or finding.analyte == TISSUE:
            continue
        field = DECIDING.get(finding.analyte, "")
        level = "error" if field else "warning"
        what = f"A result says '{str(status).replace('_', ' ')}'" + (
            " without its method" if finding.analyte == STATUS else ""
        )
        text = f"{what}, and no score or number: no rule can judge it, so it fills nothing. Ask for the value."
        yield Issue(level, "report_words_alone", text, specimen=specimen_id, field=field, place=_place(report, finding))


def _remarks(report: Report, reading: Reading) -> Iterator[Issue]:
    for item in reading.review:
        place = f"{report.place}, characters {item.span.start}-{item.span.end}"
        text = "Words on HER2 could not be bound to a result with certainty, and were left out: look at the place."
        yield Issue("warning", "report_needs_review", text, field="", place=place)
    keys = {_key(item) for item in reading.findings if item.subject != FAMILY and item.values}
    if UNNAMED in keys and len(_named(keys)) > 1:
        text = "A HER2 result does not say of which of several specimens it is; it stands as a specimen of its own."
        yield Issue("warning", "report_needs_review", text, place=report.place)
    others = sum(item.subject == FAMILY for item in reading.findings)
    if others:
        text = f"{others} HER2 result(s) of a relative were read and not used."
        yield Issue("warning", "report_not_the_patient", text, place=report.place)
    if not reading.findings and report.text.strip():
        text = "No HER2 result was found in the report. That is not a negative result."
        yield Issue("warning", "report_without_result", text, place=report.place)


def _superseded(number: int, report: Report, specimen: str) -> Issue:
    text = f"{number} result(s) were replaced by a later addendum or correction, and not used."
    return Issue("warning", "report_superseded", text, specimen=specimen, place=report.place)


def _place(report: Report, finding: Finding) -> str:
    starts = [span for spans in finding.spans.values() for span in spans]
    if not starts:
        return report.place
    return f"{report.place}, characters {min(at.start for at in starts)}-{max(at.end for at in starts)}"
