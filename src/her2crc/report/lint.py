"""The problems of an input as text to read, and as SARIF 2.1.0 for the tools that collect such findings.

SARIF goes to other systems, so it repeats no words of the file: where the text of a reader may, the title of its
rule stands.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import msgspec

from her2crc.criteria.lint_rules import SEVERITIES, LintRule, lint_rules
from her2crc.model.lint import LintFinding, LintReport

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def report_lint(reports: Sequence[LintReport]) -> str:
    """Return the problems of each file: what, where, why, and what to send instead."""
    return "\n".join(_file(report) for report in reports)


def report_sarif(reports: Sequence[LintReport]) -> bytes:
    """Return one SARIF run over all files, with the rules that were broken."""
    findings = [finding for report in reports for finding in report.findings]
    rules = [rule for name, rule in lint_rules().items() if any(name == finding.rule for finding in findings)]
    at = {rule.id: number for number, rule in enumerate(rules)}
    driver = {"name": "her2crc", "version": version("her2crc"), "rules": [_rule(rule) for rule in rules]}
    run = {"tool": {"driver": driver}, "results": [_result(finding, at) for finding in findings]}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _file(report: LintReport) -> str:
    counts = Counter(finding.severity for finding in report.findings)
    total = ", ".join(f"{counts[name]} {name}{'s' * (counts[name] > 1)}" for name in SEVERITIES if counts[name])
    groups = [_group([item for item in report.findings if item.rule == name]) for name in _rules_of(report)]
    return "\n".join([f"{report.file}: {total or 'nothing found'}", *groups]) + "\n"


def _rules_of(report: LintReport) -> Iterable[str]:
    return dict.fromkeys(finding.rule for finding in report.findings)


def _group(findings: Sequence[LintFinding]) -> str:
    """Return the findings of one rule: its title, each place with what is wrong there, then why and what to send."""
    first = findings[0]
    lines = ["", f"{first.severity} [{first.rule}] {lint_rules()[first.rule].title}", *map(_finding, findings)]
    return "\n".join([*lines, f"  Why: {first.why}", f"  Send: {first.send}", f"  Source: {first.source}"])


def _finding(finding: LintFinding) -> str:
    about = [finding.place, finding.specimen and f"specimen {finding.specimen}", finding.field]
    place = ", ".join(part for part in about if part)
    return f"  - {place}: {finding.what}" if place else f"  - {finding.what}"


def _rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.send} Source: {rule.place}."},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: LintFinding, at: dict[str, int]) -> dict[str, Any]:
    rule = lint_rules()[finding.rule]
    text = rule.title if rule.quotes else finding.what
    return {
        "ruleId": rule.id,
        "ruleIndex": at[rule.id],
        "level": finding.severity,
        "message": {"text": f"{finding.field}: {text}" if finding.field and rule.quotes else text},
        "locations": [_location(finding)],
        "properties": dict(_named(("specimen", finding.specimen), ("field", finding.field))),
    }


def _location(finding: LintFinding) -> dict[str, Any]:
    artifact = {"uri": quote(os.path.relpath(finding.file).replace(os.sep, "/"))}
    physical: dict[str, Any] = {"artifactLocation": artifact}
    if finding.line is not None:
        return {"physicalLocation": physical | {"region": {"startLine": finding.line}}}
    logical = [{"fullyQualifiedName": finding.place}] if finding.place else []
    return {"physicalLocation": physical, "logicalLocations": logical}


def _named(*pairs: tuple[str, str]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in pairs if value)
