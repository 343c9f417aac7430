"""From folded text to items: the few words, numbers and signs that can matter, each with its place.

What a word is by itself is looked up (:mod:`her2crc.frontends.text.lexicon`); the rest is looked for, a token at a
time, by one compiled pattern (:mod:`her2crc.frontends.text.item_patterns`).
"""

from __future__ import annotations

from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.item_patterns import compile_patterns
from her2crc.frontends.text.languages import Languages
from her2crc.frontends.text.lexicon import PLAIN, SEARCHED, Lexicon, Meaning, Piece, Token, token_end
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

    def add(self, meaning: Meaning, start: int, end: int) -> None:
        """Add everything that a word is."""
        for index in range(len(meaning.kinds)):
            self.kinds.append(meaning.kinds[index])
            self.values.append(meaning.values[index])
            self.starts.append(start)
            self.ends.append(end)
        for kind in meaning.cues:
            self.cues.append(Cue(kind, start, end))

    def add_piece(self, folded: Folded, piece: Piece, at: int) -> None:
        """Add an item of a token that begins at a place; one that counts in capitals only where it is written so."""
        start, end = at + piece.start, at + piece.end
        if not piece.in_capitals or folded.original(start, end).isupper():
            self.add(piece.meaning, start, end)

    def add_pieces(self, folded: Folded, pieces: list[Piece], at: int) -> None:
        """Add the items of a token that begins at a place."""
        for piece in pieces:
            self.add_piece(folded, piece, at)


class Scanner:
    """Finds items with the words of some languages."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        patterns = compile_patterns(languages)
        self.lexicon, self.goes_on = Lexicon(languages, patterns), patterns.goes_on

    def windows(self, folded: Folded) -> list[tuple[int, int]]:
        """Return the stretches of a text that can hold a statement of a name."""
        return windows(folded, self.goes_on)

    def items(self, folded: Folded, first: int, last: int) -> Items:
        """Return the items of a stretch of the text."""
        low = folded.low
        items = Items()
        tokens, learn = self.lexicon.tokens, self.lexicon.learn
        done = first - 1 if first == 0 or low[first - 1] in WHITE else first
        at = first
        for written in low[first:last].replace("\n", " ").split(" "):
            start, end = at, at + len(written)
            at = end + 1
            token = tokens.get(written)
            if token is None:
                token = learn(written)
            if token is PLAIN or end <= done:
                continue
            word = token.word
            if token is SEARCHED or start <= done:
                done = self._search(items, folded, max(start, done), end, last)
            elif word is None:
                done = self._add_pieces(items, folded, token, start, end, last)
            elif token.tails or word.in_capitals:
                done = self._add_word(items, folded, token, word, start, last)
            else:
                done = start + word.end
                items.add(word.meaning, start + word.start, done)
        return items

    def _add_word(self, items: Items, folded: Folded, token: Token, word: Piece, start: int, last: int) -> int:
        """Add a word, or a longer phrase that it begins, and return where it ends."""
        begin, end = start + word.start, start + word.end
        if token.go_on(folded.low, end):
            length = self.lexicon.phrase_length(folded.low, begin, end, last)
            if length < 0:
                return end
            if begin + length != end:
                written = folded.low[begin : begin + length]
                items.add_piece(folded, self.lexicon.piece("word", written, begin), 0)
                return begin + length
        items.add_piece(folded, word, start)
        return end

    def _add_pieces(self, items: Items, folded: Folded, token: Token, start: int, end: int, last: int) -> int:
        """Add what a token holds by itself, unless it goes on after it, and return how far its items go."""
        if token.go_on(folded.low, end):
            return self._add_pair(items, folded, start, end, last)
        items.add_pieces(folded, token.pieces, start)
        return end

    def _add_pair(self, items: Items, folded: Folded, start: int, end: int, last: int) -> int:
        """Add what a token and the next hold by themselves, if an item spans both; otherwise look where it stands."""
        low = folded.low
        after = token_end(low, end, last)
        written = low[start:after]
        pair = SEARCHED if "\n" in written else self.lexicon.pair(written, end - start)
        if pair is SEARCHED or pair.go_on(low, after):
            return self._search(items, folded, start, end, last)
        items.add_pieces(folded, pair.pieces, start)
        return after

    def _search(self, items: Items, folded: Folded, at: int, end: int, last: int) -> int:
        """Add the items that begin in a token, from a place of it on, and return how far they go."""
        pieces = self.lexicon.find(folded.low, at, end, last)
        items.add_pieces(folded, pieces, 0)
        return max(end, pieces[-1].end) if pieces else end
