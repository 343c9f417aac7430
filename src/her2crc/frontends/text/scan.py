"""From folded text to items: the few words, numbers and signs that can matter, each with its place.

What a word is by itself is looked up (:mod:`her2crc.frontends.text.lexicon`); the rest is looked for, a token at a
time, by one compiled pattern (:mod:`her2crc.frontends.text.item_patterns`).
"""

from __future__ import annotations

from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.item_patterns import compile_patterns
from her2crc.frontends.text.languages import CUES, Languages
from her2crc.frontends.text.lexicon import PLAIN, SEARCHED, Lexicon, Senses, Word
from her2crc.frontends.text.windows import windows

WHITE = " \n"


class Cue:
    """A word that shows of whom a sentence speaks."""

    def __init__(self, kind: str, start: int, end: int) -> None:
        self.kind, self.start, self.end = kind, start, end


class Items:
    """The items of a window, column by column: stretches of the folded text, what each can be; and ``cues``."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.values: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.cues: list[Cue] = []

    def add(self, kind: str, value: str, start: int, end: int) -> None:
        """Add an item."""
        self.add_word(((kind, value),), start, end)

    def add_word(self, senses: Senses, start: int, end: int) -> None:
        """Add every item that a word is."""
        for kind, value in senses:
            if kind in CUES:
                self.cues.append(Cue(kind, start, end))
                continue
            self.kinds.append(kind)
            self.values.append(value)
            self.starts.append(start)
            self.ends.append(end)


class Scanner:
    """Finds items with the words of some languages."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.lexicon = Lexicon(languages)
        patterns = compile_patterns(languages)
        self.item, self.kinds, self.goes_on = patterns.item, patterns.kinds, patterns.goes_on

    def windows(self, folded: Folded) -> list[tuple[int, int]]:
        """Return the stretches of a text that can hold a statement of a name."""
        return windows(folded, self.goes_on)

    def items(self, folded: Folded, first: int, last: int) -> Items:
        """Return the items of a stretch of the text."""
        low = folded.low
        items = Items()
        words, learn = self.lexicon.words, self.lexicon.learn
        done = first - 1 if first == 0 or low[first - 1] in WHITE else first
        at = first
        for token in low[first:last].replace("\n", " ").split(" "):
            start, end = at, at + len(token)
            at = end + 1
            word = words.get(token)
            if word is None:
                word = learn(token)
            if word is PLAIN or end <= done:
                continue
            if word is SEARCHED or start <= done:
                done = self._search(items, folded, max(start, done), end, last)
            elif word.tails is not None or word.in_capitals:
                done = self._add(items, folded, word, start, last)
            else:
                done = start + word.end
                items.add_word(word.senses, start + word.start, done)
        return items

    def _add(self, items: Items, folded: Folded, word: Word, start: int, last: int) -> int:
        """Add a word, or a longer phrase that it begins, and return where it ends."""
        begin, end = start + word.start, start + word.end
        if word.tails is not None and word.tails.go_on(folded.low, end):
            phrase = self.lexicon.phrase.match(folded.low, begin, last)
            if phrase is None:
                return end
            if phrase.end() != end:
                self._add_named(items, folded, begin, phrase.end())
                return phrase.end()
        if word.senses and not (word.in_capitals and not folded.original(begin, end).isupper()):
            items.add_word(word.senses, begin, end)
        return end

    def _add_named(self, items: Items, folded: Folded, start: int, end: int) -> None:
        """Add every item that a word or phrase is; a short name that is also a word counts only in capitals."""
        word = folded.low[start:end]
        if word not in self.languages.capitals or folded.original(start, end).isupper():
            items.add_word(self.lexicon.senses(word), start, end)

    def _search(self, items: Items, folded: Folded, at: int, end: int, last: int) -> int:
        """Add the items that begin in a token, from a place of it on, and return how far they go."""
        stops = self.lexicon.stops
        while at < end:
            if folded.low[at] in stops:
                at += 1
                continue
            match = self.item.match(folded.low, at, last)
            if match is None or match.lastindex is None:
                return end
            kind = self.kinds[match.lastindex]
            start, at = match.span(match.lastindex)
            if kind == "word":
                self._add_named(items, folded, start, at)
            elif kind != "gene":
                items.add(kind, "", start, at)
            elif folded.original(start, at).isupper():
                items.add("marker", "gene", start, at)
        return at
