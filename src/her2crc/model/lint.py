"""What ``lint`` finds in an input: each problem with its rule, its place, and what to send instead."""

from __future__ import annotations

import msgspec


class LintFinding(msgspec.Struct, frozen=True):
    """One problem.

    ``file`` is the file, ``line`` the line or row in it (None: the place is none), ``place`` the place as the reader
    names it (``Observation/o1``, ``cases.csv:17``). ``what`` is what is wrong, ``why`` why it matters, ``send`` what to
    send instead, ``source`` what of a standard or statement this rests on. ``specimen`` and ``field`` may be empty.
    """

    rule: str
    severity: str
    file: str
    line: int | None
    place: str
    specimen: str
    field: str
    what: str
    why: str
    send: str
    source: str


class LintReport(msgspec.Struct, frozen=True):
    """The problems of one input, the gravest first."""

    file: str
    findings: tuple[LintFinding, ...]

    @property
    def has_errors(self) -> bool:
        """Tell whether anything was lost, or would have been read wrongly."""
        return any(finding.severity == "error" for finding in self.findings)
