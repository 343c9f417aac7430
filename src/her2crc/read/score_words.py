"""A HER2 score as laboratories say it with words around: '3+ (positive)', 'Negativ (Score 1+)', '+++', 'Puntuación 2+'.

Used by ``propose`` (a laboratory's own table) and by the FHIR reader, so also by those that go through it (HL7 v2).
A word that contradicts the score, a second score, or any word that is not listed (``terms/score_words.yaml``) makes it
no score: nothing is guessed from prose.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import load_strict

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "score_words.yaml"
LONGEST = 60
"""Characters of an answer; a longer text is prose."""
HER2 = re.compile(r"\b(?:c-?)?(?:her-?2(?:[/ -]?neu)?|erbb-?2)(?!\w)", re.IGNORECASE)
PARTS = re.compile(
    r"(?<![\d.,])([0-3]) ?\+?(?![\d%+]|[.,]\d)|(?<![\d+])(\+{1,3})(?![\d+])|([^\W\d_]+)|([^\s()\[\],;:=/.\-\u2013])"
)
"""A score in digits, a score in signs, a word, or anything else that is no punctuation."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words that may stand beside a score: those that say nothing, and those that allow only some scores."""

    silent: tuple[str, ...]
    allow: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def _words() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    found = load_strict(WORDS_FILE, Words)
    allowed = {word: frozenset(scores.split("|")) for scores, said in found.allow.items() for word in said}
    return frozenset(found.silent), allowed


def stated_score(text: str) -> str | None:
    """Return the score (0 to 3) that a short answer states; None where it states none, several, or says more."""
    scores = stated_scores(text)
    return min(scores) if len(scores) == 1 else None


def stated_scores(text: str) -> frozenset[str]:
    """Return the scores that a short answer states, and those of its words that contradict them; none if it says more.

    Several: the answer contradicts itself, as 'negative (3+)' does.
    """
    if len(text) > LONGEST:
        return frozenset()
    silent, allowed = _words()
    scores: set[str] = set()
    may_be: list[frozenset[str]] = []
    for digit, signs, word, other in PARTS.findall(HER2.sub(" ", text.casefold())):
        if other or (word and word not in silent and word not in allowed):
            return frozenset()
        scores |= {digit or str(len(signs))} if digit or signs else set()
        may_be += [allowed[word]] if word in allowed else []
    if not scores:
        return frozenset()
    return frozenset(scores).union(*(allow for allow in may_be if not scores & allow))
