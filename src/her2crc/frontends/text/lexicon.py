"""What a written word can begin: nothing, an item by itself, or something that the patterns must look for.

Most words of a report mean nothing here, and many of the others mean the same wherever they stand. So each is looked
at once in the life of the program, together with the brackets and stops around it; texts then cost one look-up a word.
"""

from __future__ import annotations

import re

from her2crc.frontends.text.item_patterns import BEGINS, BEGINS_NAME
from her2crc.frontends.text.languages import Languages

Senses = tuple[tuple[str, str], ...]
"""The kind and value of each item that a word is; none if it is passed over."""

TOKEN = re.compile(r'["(]*(([a-z]{1,30})[a-z0-9-]{0,20})[").,:;。]*')
"""A word, its first letters, and what may stand around it that by itself begins no item."""

STOPS = frozenset('").,:;。')
"""What begins no item unless the lists say so."""
WORD_END = re.compile(r"(?<=[a-z0-9])(?![a-z0-9*]|$)")
MOST_KEPT, LONGEST = 50_000, 40
"""Tokens that are remembered, and the characters of the longest of them: a bound for text that is none."""


class Word:
    """A word with its place in its token.

    ``in_capitals``: only where it is written in capitals. ``tails``: what it goes on with in longer phrases of the
    lists, where it does: the character after it, and the one after a space.
    """

    def __init__(self, start: int, end: int, senses: Senses, in_capitals: bool, tails: Tails | None) -> None:
        self.start, self.end, self.senses, self.in_capitals, self.tails = start, end, senses, in_capitals, tails


class Tails:
    """With which characters a word goes on in phrases: right after it, and after one space (one or two of them)."""

    def __init__(self) -> None:
        self.marks = {"-"}
        self.letters = set(" -\n")
        self.pairs: set[str] = set()

    def add(self, tail: str) -> None:
        """Add the rest of a phrase."""
        pair = tail[1:3]
        if tail[0] != " ":
            self.marks.add(tail[0])
        elif pair[1:] in ("", " ", "*"):
            self.letters.add(pair[0])
        else:
            self.pairs.add(pair)

    def go_on(self, low: str, at: int) -> bool:
        """Tell whether a longer phrase can stand in a text where the word ends."""
        after = low[at : at + 3]
        if after[:1] == " ":
            second = after[1:2]
            return after[1:] in self.pairs or second in self.letters or second.isspace()
        return after[:1] in self.marks or after[:1].isspace()


PLAIN = Word(0, 0, (), False, None)
"""Stands for every token that begins nothing."""
SEARCHED = Word(0, 0, (), False, None)
"""Stands for every token that the patterns must look at."""


class Lexicon:
    """Remembers tokens. ``phrase`` matches the longest phrase that begins with a letter; ``stops`` begin nothing."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.phrase = re.compile(languages.word_patterns[0])
        self.words: dict[str, Word] = {}
        self.known_senses: dict[str, Senses] = {}
        self.tails: dict[str, Tails] = {}
        for phrase in languages.meanings:
            for end in WORD_END.finditer(phrase):
                word = phrase[: end.start()]
                if word.isalpha() or word in languages.meanings:
                    self.tails.setdefault(word, Tails()).add(phrase[end.start() :])
        firsts = {phrase[0] for phrase in languages.meanings}
        self.stems = tuple(languages.stems)
        self.stops = STOPS - firsts
        self.reads_tokens = "(" not in firsts and STOPS.isdisjoint(firsts)

    def learn(self, token: str) -> Word:
        """Return what a token is that was not met before."""
        found = self._read(token)
        if len(token) <= LONGEST:
            if len(self.words) >= MOST_KEPT:
                self.words.clear()
            self.words[token] = found
        return found

    def _read(self, token: str) -> Word:
        match = TOKEN.fullmatch(token)
        if self.stops.issuperset(token):
            return PLAIN
        if match is None or not self.reads_tokens:
            return SEARCHED
        run, first = match[1], match[2]
        word = run.replace("-", " ")
        if first in BEGINS or first.startswith(BEGINS_NAME) or not first.strip("x"):
            return SEARCHED
        if run != first and (word not in self.languages.meanings or word.startswith(self.stems)):
            return SEARCHED
        in_capitals = word in self.languages.capitals
        senses, tails = self.senses(word), self.tails.get(word)
        return Word(match.start(1), match.end(1), senses, in_capitals, tails) if senses or tails else PLAIN

    def senses(self, word: str) -> Senses:
        """Return the kind and value of each item that a word of the lists is; an assay stands for its method too."""
        found = self.known_senses.get(word)
        if found is None:
            found = tuple(self._senses(word))
            if len(self.known_senses) < MOST_KEPT:
                self.known_senses[word] = found
        return found

    def _senses(self, word: str) -> list[tuple[str, str]]:
        senses = []
        for kind, value in self.languages.meaning(word):
            senses.append((kind, value))
            if kind != "assay":
                continue
            method = self.languages.assay_method.get(" ".join(word.replace("-", " ").split()))
            if method:
                senses.append((method, ""))
                if method in ("ihc", "ish"):
                    senses.append(("anchor", "assay"))
        return senses
