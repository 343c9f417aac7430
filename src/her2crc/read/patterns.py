"""Patterns that a mapping file declares for combined cells such as ``3+ (80 %)``, kept too simple to run away.

A regular expression can take for ever on a short text. So a pattern is refused unless the ways in which it could match
are few: each repetition multiplies them by its choices, and the product has a limit.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

LONGEST_PATTERN = 200
LONGEST_CELL = 100
"""Characters of a cell that a pattern is tried on; a longer one is a text, not a value."""
MOST_WAYS = 2_000_000

TOKEN = re.compile(
    r"\\[dDwWsSbB.^$*+?()\[\]{}|/\-%,:;<>=~ ]"  # an escape that stands for a kind of character, or for itself
    r"|\[(?:\\.|[^\]\\])+\]"
    r"|\(\?P<[a-z_0-9]+>|\(\?:|\((?!\?)"
    r"|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})"
    r"|(?P<either>\|)"
    r"|[^\\\[\](){}*+?|]"
)


def check_pattern(pattern: str) -> str:
    """Return what is wrong with a pattern, empty where nothing is."""
    if len(pattern) > LONGEST_PATTERN:
        return f"it is longer than {LONGEST_PATTERN} characters"
    ways, at, after_group = 1, 0, False
    while at < len(pattern):
        token = TOKEN.match(pattern, at)
        if token is None:
            return f"what stands at character {at + 1} is not allowed (plain characters, classes, groups, repetitions)"
        repeat = token["repeat"]
        if repeat and after_group and repeat != "?":
            return "a group is repeated"
        ways *= _choices(repeat) if repeat else 1
        ways *= 1 + bool(token["either"])
        after_group, at = bool(token["close"]), token.end()
    if ways > MOST_WAYS:
        return "it could match in too many ways: use fewer or shorter repetitions"
    return _syntax(pattern)


def _choices(repeat: str) -> int:
    """Return how many lengths a repetition can have on a cell of the longest kind."""
    if repeat == "?":
        return 1 + 1
    bounds = repeat.strip("{}").split(",")
    if repeat in "*+" or not bounds[-1]:
        return LONGEST_CELL
    return max(int(bounds[-1]) - int(bounds[0]) + 1, 1)


def _syntax(pattern: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of sets that a later Python will read otherwise
            groups = re.compile(pattern).groupindex
    except (re.error, Warning) as error:
        return f"it is not a regular expression that is plain in its meaning ({error})"
    return "" if groups else "it has no named group, such as (?P<ihc_score>[0-3])"


def matched(pattern: str, text: str) -> dict[str, str | None] | None:
    """Return the named parts of a whole cell, blanks taken as one; None where it does not have this form."""
    cell = " ".join(text.split())
    found = _compiled(pattern).fullmatch(cell) if len(cell) <= LONGEST_CELL else None
    return found.groupdict() if found else None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
