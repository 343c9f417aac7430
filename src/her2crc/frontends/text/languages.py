"""The words of report text, compiled once: what each phrase can mean, and one pattern of them all.

Phrases of all languages are matched together, so that mixed reports need no guess of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from her2crc.frontends.text.fold import fold, fold_phrase, spaced
from her2crc.frontends.text.language_files import Language, Named, Plain, read_languages

TOGETHER = 5
"""First letters of words whose branches are tried together."""
CONFUSED = (("i", "l"), ("l", "i"), ("i", "1"), ("l", "1"), ("m", "rn"), ("o", "0"), ("e", "c"), ("c", "e"), ("g", "q"))
"""Letters, and what OCR takes them for."""
CUES = frozenset(("drug", "study", "inquiry", "label", "modal", "asks", "when", "this", "finds", "owing", "either"))
"""Words that stand beside the items of a text: they only show of whom a sentence speaks."""
NOT_SCANNED = frozenset(
    (
        "filler",
        "range",
        "separator",
        "percent_sign",
        "numeral",
        "section",
        "assay_method",
        "link",
        "turn",
        "threshold",
        "says",
        "ras_codon",
        "no_result",
        "misread",
        "cohort",
        "whole",
        "graded",
        "antibody_column",
        "done",
        "owner",
        "article",
        "being",
        "prior_heading",
        "void_heading",
        "void_line",
        "not_heading",
        "considers",
        "cases",
        "of_group",
    )
)
"""Words that are looked up where they are needed, not looked for in the text."""


class Languages:
    """The compiled words of some languages."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self.languages = tuple(languages)
        self.codes = tuple(item.code for item in self.languages)
        meanings: dict[str, list[tuple[str, str]]] = {}
        self.capitals: set[str] = set()
        for kind, value, phrase in self._entries():
            if kind in NOT_SCANNED:
                continue
            key = fold_phrase(phrase.lstrip("!"))
            if phrase.startswith("!"):
                self.capitals.add(key)
            if (kind, value) not in meanings.setdefault(key, []):
                meanings[key].append((kind, value))
        for key in filter(meanings.__contains__, map(fold_phrase, self.plain("misread"))):
            for written in misread(key):
                meanings.setdefault(written, meanings[key])
        self.meanings = {key: tuple(sorted(found, key=_is_hint)) for key, found in meanings.items()}
        self.stems = {key[:-1]: found for key, found in self.meanings.items() if key.endswith("*")}
        self.stem_lengths = sorted({len(stem) for stem in self.stems}, reverse=True)
        self.word_patterns = words_patterns(self.meanings)
        self.item_patterns = words_patterns(
            phrase for phrase, found in self.meanings.items() if any(kind not in CUES for kind, _ in found)
        )
        self.fillers = frozenset(part for phrase in self.plain("filler") for part in fold_phrase(phrase).split())
        self.percent_signs = frozenset(self.plain("percent_sign"))
        self.separators = frozenset(map(fold_phrase, self.plain("separator")))
        self.links = frozenset(map(fold_phrase, self.plain("link")))
        self.turns = frozenset(map(fold_phrase, self.plain("turn")))
        self.ranges = frozenset(map(fold_phrase, self.plain("range")))
        self.says = frozenset(map(fold_phrase, self.plain("says")))
        done = self.alternatives("done")
        self.done = re.compile(rf"(?:\s[a-z']{{1,12}}){{0,4}}?\s(?:{done})(?![a-z])")
        self.beings = frozenset(map(fold_phrase, self.plain("being")))
        self.articles = frozenset(map(fold_phrase, self.plain("article")))
        self.owners = frozenset(map(fold_phrase, self.plain("owner")))
        self.no_results = frozenset(map(fold_phrase, self.plain("no_result")))
        self.cohorts = frozenset(map(fold_phrase, self.plain("cohort")))
        self.wholes = frozenset(map(fold_phrase, self.plain("whole")))
        self.graded = frozenset(map(fold_phrase, self.plain("graded")))
        self.antibody_columns = frozenset(map(fold_phrase, self.plain("antibody_column")))
        self.ras_codons = frozenset(self.plain("ras_codon"))
        self.thresholds = frozenset(self.plain("threshold"))
        self.considers = re.compile(rf"(?<![a-z])(?:{self.alternatives('considers')})")
        self.of_group = frozenset(map(fold_phrase, self.plain("of_group")))
        self.counted_cases = re.compile(
            rf"((?: [a-z][a-z-]{{1,20}}){{0,2}}?) ?(?:{self.alternatives('cases')})(?:(?<![a-z])|(?![a-z-]))"
        )
        self.alternative = re.compile(rf"(?<![a-z])(?:{self.alternatives('either')})(?![a-z])")
        self.passable = self.fillers | self.links
        self.joining = (self.links | self.separators) - self.says - {""}
        self.assay_method = {fold_phrase(p): method for method, p in self._named("assay_method")}
        self.numerals = {fold_phrase(p): value for value, p in self._named("numeral")}
        written = "|".join(sorted(map(re.escape, self.numerals), key=len, reverse=True)) or "(?!)"
        self.numeral_pattern = re.compile(rf"[\s:=(]{{0,4}}(?:of\s|is\s|was\s)?({written})(?![a-z0-9'])")
        self.sections = {fold_phrase(p): value for value, p in self._named("section")}
        results = "|".join(re.escape(phrase) for phrase, kind in self.sections.items() if kind == "result") or "(?!)"
        self.result_heading = re.compile(rf"[.;。]\s{{0,2}}(?:{results})\s?:")

    def _entries(self) -> Iterator[tuple[str, str, str]]:
        for language in self.languages:
            for kind, phrases in language.words.items():
                yield from ((kind, "", phrase) for phrase in phrases)
            for named, values in language.named.items():
                yield from ((named, value, phrase) for value, phrases in values.items() for phrase in phrases)

    def plain(self, kind: Plain) -> list[str]:
        """Return the phrases of a kind, of all languages."""
        return [phrase for language in self.languages for phrase in language.words.get(kind, ())]

    def _named(self, kind: Named) -> Iterator[tuple[str, str]]:
        for language in self.languages:
            for value, phrases in language.named.get(kind, {}).items():
                yield from ((value, phrase) for phrase in phrases)

    def alternatives(self, kind: Plain) -> str:
        """Return the phrases of a kind as alternatives of a regular expression, longest first."""
        folded = sorted({fold(phrase).low for phrase in self.plain(kind)}, key=len, reverse=True)
        return "|".join(map(re.escape, folded)) or "(?!)"

    def meaning(self, matched: str) -> tuple[tuple[str, str], ...]:
        """Return what a matched stretch of folded text can mean."""
        found = self.meanings.get(matched)
        if found is not None:
            return found
        key = spaced(matched)
        found = self.meanings.get(key)
        if found is not None:
            return found
        for length in self.stem_lengths:
            found = self.stems.get(key[:length])
            if found is not None:
                return found
        return ()


def misread(phrase: str) -> Iterator[str]:
    """Give what OCR makes of a phrase: one letter taken for another, or each like it."""
    for right, wrong in CONFUSED:
        if right in phrase:
            yield phrase.replace(right, wrong)
        for at, letter in enumerate(phrase):
            if letter == right:
                yield phrase[:at] + wrong + phrase[at + 1 :]


def words_pattern(phrases: Iterable[str]) -> str:
    """Return one regular expression that matches the longest of the phrases at a place."""
    return "(?:" + "|".join(words_patterns(phrases)) + ")"


def words_patterns(phrases: Iterable[str]) -> tuple[str, str, str]:
    """Return the patterns of the phrases that begin with a letter, with a digit, and with anything else.

    Each is the tree of the phrases' letters: each letter is looked at once, and nothing is repeated without a bound
    but the end of a stem, which nothing follows.
    """
    latin: dict[str, object] = {}
    digits: dict[str, object] = {}
    others: dict[str, object] = {}
    for phrase in phrases:
        first = phrase[:1]
        tree = latin if _is_latin(first) else digits if first.isdigit() else others
        for letter in phrase:
            tree = tree.setdefault(letter, {})  # type: ignore[assignment]
        tree[""] = phrase
    starts = ("(?<![a-z])", "(?<![0-9a-z.,])", f"(?=[{''.join(map(re.escape, others))}])")
    first_, second, third = (
        start + _root(tree) if tree else "(?!)" for start, tree in zip(starts, (latin, digits, others), strict=True)
    )
    return first_, second, third


def _root(tree: dict[str, object]) -> str:
    """Return the pattern of a whole tree: its first letters in groups, so that few branches are tried at a place."""
    letters = sorted(tree)
    groups = [letters[at : at + TOGETHER] for at in range(0, len(letters), TOGETHER)]
    return "(?:" + "|".join(f"(?=[{''.join(map(re.escape, group))}])" + _branch({key: tree[key] for key in group})
                            for group in groups) + ")"  # fmt: skip


def _is_hint(meaning: tuple[str, str]) -> bool:
    """Put what a word only hints at after what it is."""
    return meaning[0] == "ish_hint"


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and letter < "\u0370"


def _branch(tree: dict[str, object]) -> str:
    """Return the pattern of a branch, the longer phrases first, and a stem after the phrases that begin with it."""
    options = []
    for letter, below in sorted(tree.items(), key=lambda item: item[0] == "*"):
        if letter == "":
            continue
        if isinstance(below, dict):
            options.append("[a-z0-9]*" if letter == "*" else _letter(letter) + _branch(below))
    end = tree.get("")
    if isinstance(end, str):
        options.append(_end(end))
    return options[0] if len(options) == 1 else "(?:" + "|".join(options) + ")"


def _letter(letter: str) -> str:
    return r"[\s-]{1,3}" if letter == " " else re.escape(letter)


def _end(phrase: str) -> str:
    last = phrase[-1]
    if last.isdigit():
        return "(?![0-9a-z])"
    return "(?![a-z])" if _is_latin(last) else ""


@lru_cache(maxsize=4)
def load_languages(*extra: Path) -> Languages:
    """Return the shipped languages and a user's own files, compiled.

    Raises:
        KnowledgeError: a file is wrong, or two have the same code.
    """
    return Languages(read_languages(extra))
