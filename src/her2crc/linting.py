"""What is wrong in an input, before anything is decided by it: the library twin of ``her2crc lint``.

Adds nothing to reading: the issues that the readers and ``normalise`` raise, each under its rule of
``knowledge/lint_rules.yaml``.
"""

from __future__ import annotations

import re
from pathlib import Path

from her2crc.criteria.library import Knowledge
from her2crc.criteria.lint_rules import SEVERITIES, rule_of
from her2crc.errors import UsageError
from her2crc.flow import read_patients
from her2crc.model.lint import LintFinding, LintReport
from her2crc.model.record import Issue

LOST = ("error", "conflict")
"""Levels of an issue by which a fact became unknown: an error, whatever the rule says."""
LINE = re.compile(r"(.*):(\d+)")


def lint(
    source: str | Path | bytes,
    knowledge: Knowledge,
    name: str = "",
    mapping: str | Path | None = None,
    severity: str = "note",
) -> LintReport:
    """Return every problem of an input, the gravest first, then in the order of reading.

    Args:
        source: a file, a study folder, ``-`` (standard input) or bytes in any format that is read.
        knowledge: the fields and their ranges.
        name: the name of bytes, for messages.
        mapping: the mapping file of a laboratory's own table.
        severity: the least that is reported: ``error``, ``warning`` or ``note``.

    Raises:
        InputError: the input as a whole cannot be read.
        UsageError: no such severity.
    """
    if severity not in SEVERITIES:
        raise UsageError(f"'{severity}' is not a severity", fix=f"Choose one of {', '.join(SEVERITIES)}.")
    patients = read_patients(source, knowledge, name, mapping)
    file = name if isinstance(source, bytes) else str(source)
    issues = dict.fromkeys(issue for patient in patients for issue in patient.issues)
    found = sorted((_finding(issue, file) for issue in issues), key=lambda item: _rank(item.severity))
    return LintReport(file, tuple(item for item in found if _rank(item.severity) <= _rank(severity)))


def _rank(severity: str) -> int:
    return [*SEVERITIES].index(severity)  # type: ignore[arg-type]  # checked by the caller or the rules file


def _finding(issue: Issue, file: str) -> LintFinding:
    rule = rule_of(issue.id)
    at = LINE.fullmatch(issue.place)
    inside = Path(file).is_dir() and issue.place
    return LintFinding(
        rule=rule.id,
        severity="error" if issue.level in LOST else rule.severity,
        file=(Path(file) / Path(at[1] if at else issue.place).name).as_posix() if inside else file,
        line=int(at[2]) if at else None,
        place=issue.place,
        specimen=issue.specimen,
        field=issue.field,
        what=issue.text,
        why=rule.why,
        send=rule.send,
        source="; ".join(part for part in (rule.place, rule.statement) if part),
    )
