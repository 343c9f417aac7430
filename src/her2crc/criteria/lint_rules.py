"""The rules of ``lint``, from ``knowledge/lint_rules.yaml``: what each issue means, and what to send instead.

Every issue that a reader or ``normalise`` raises stands under one rule; an issue that a file brings along, and that no
rule knows, stands under ``unlisted``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""
UNLISTED = "unlisted"


class LintRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule; ``place`` is where in a standard or in our own contract it rests, ``statement`` its evidence, if any.

    ``issues``: the issue ids it stands for. ``quotes``: their texts may repeat words of the file.
    """

    id: str
    severity: Severity
    title: str
    why: str
    send: str
    place: str
    statement: str = ""
    quotes: bool = False
    issues: tuple[str, ...] = ()


class RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    rules: tuple[LintRule, ...]


@lru_cache(maxsize=1)
def lint_rules() -> dict[str, LintRule]:
    """Return the rules by id, in the order of the file, loaded once.

    Raises:
        KnowledgeError: the file is wrong.
    """
    return {rule.id: rule for rule in load_strict(KNOWLEDGE_DIR / "lint_rules.yaml", RulesFile).rules}


@lru_cache(maxsize=1)
def _by_issue() -> dict[str, LintRule]:
    return {issue: rule for rule in lint_rules().values() for issue in rule.issues}


def rule_of(issue: str) -> LintRule:
    """Return the rule that an issue stands under."""
    return _by_issue().get(issue) or lint_rules()[UNLISTED]
