"""What a written token can begin: nothing, items by itself, or something that the patterns must look for.

Most words of a report mean nothing here, and many of the others, and most numbers and names, mean the same wherever
they stand. So each is looked at once in the life of the program, together with the brackets and stops around it; texts
then cost one look-up a token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from her2crc.frontends.text.fold import fold_phrase, spaced
from her2crc.frontends.text.item_patterns import BEGINS, BEGINS_NAME, FOLD, SCORE_RANGE, Patterns
from her2crc.frontends.text.languages import CUES, Languages
from her2crc.frontends.text.numbers import MONTHS

TOKEN = re.compile(r'["(]*(([a-z]{1,30})[a-z0-9-]{0,20})[").,:;。]*')
"""A word, its first letters, and what may stand around it that by itself begins no item."""

CLOSING = '").,:;'
"""What may end a token."""
STOPS = frozenset(f"{CLOSING}。")
"""What begins no item unless the lists say so."""
ENDING = re.compile(rf"(?:(?<![a-z])([a-z]{{1,30}})|[0-9%+])[{CLOSING}]*$|-[),.;]+$")
"""How tokens end that can mean the same whatever stands after them; the letters at their end, which may begin more."""
LONG = re.compile("chr|nuc")
"""What begins items that go on over many tokens."""
WITHIN = frozenset("bx")
"""Letters that stand alone within names and boxes."""
HANGS = re.compile(r"^[liz|+]|[+-]$")
"""What may hang on the white space around it: letters that OCR takes for figures, and signs."""
AROUND = (("", ""), (" ", "\nzq"))
"""What may stand around such a token, beside a space and a word."""
WORD_END = re.compile(r"(?<=[a-z0-9])(?![a-z0-9*]|$)|(?= )")
ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz")
BETWEEN = frozenset(filter(str.isspace, map(chr, range(ord("\u3000") + 1)))) | {"-"}
"""What can stand between the words of a phrase."""
LETTERS = 4
"""As many letters of the next word tell whether a phrase can go on."""
JOIN_LETTERS = 3
"""As many letters tell the words apart that an item of the patterns can go on with."""
FIRST = re.compile(rf"[^\W\d_]{{1,{JOIN_LETTERS}}}")
MOST_KEPT, LONGEST = 50_000, 40
"""Tokens that are remembered, and the characters of the longest of them: a bound for text that is none."""


class Meaning:
    """What a word is: the kinds and values of items, and the kinds of ``cues``; nothing if it is passed over."""

    def __init__(self, senses: list[tuple[str, str]]) -> None:
        self.kinds = [kind for kind, _ in senses if kind not in CUES]
        self.values = [value for kind, value in senses if kind not in CUES]
        self.cues = [kind for kind, _ in senses if kind in CUES]
        self.is_any = bool(senses)


class Piece:
    """An item of a token: everything that it is, and its place; ``in_capitals``: only where it is written so."""

    def __init__(self, meaning: Meaning, start: int, end: int, in_capitals: bool) -> None:
        self.meaning, self.start, self.end, self.in_capitals = meaning, start, end, in_capitals


class Tails:
    """How what follows a word begins where a longer phrase stands: marks right after it, or letters after a space.

    ``heads`` are of as many letters as are looked at, ``shorts`` are whole words that have fewer; ``firsts`` are the
    first letters of both.
    """

    def __init__(self) -> None:
        self.marks, self.firsts = set(BETWEEN), set(BETWEEN)
        self.heads: set[str] = set()
        self.shorts: set[str] = set()

    def add(self, tail: str) -> None:
        """Add the rest of a phrase."""
        if tail[0] != " ":
            self.marks.add(tail[0])
            return
        word = tail[1:].partition(" ")[0].rstrip("*")
        (self.heads if len(word) >= LETTERS else self.shorts).add(word[:LETTERS])
        self.firsts.add(word[0])

    def go_on(self, low: str, at: int) -> bool:
        """Tell whether a longer phrase can stand in a text where the word ends."""
        if at >= len(low):
            return False
        if low[at] != " ":
            return low[at] in self.marks
        if at + 1 >= len(low) or low[at + 1] not in self.firsts:
            return False
        return low[at + 1] in BETWEEN or self._begins(low[at + 1 : at + 1 + LETTERS])

    def _begins(self, after: str) -> bool:
        if after in self.heads:
            return True
        while after and self.shorts:
            if after in self.shorts:
                return True
            after = after[:-1]
        return False


class Joins:
    """With which words, and with which characters that begin none, an item can go on after white space.

    ``words`` are the first letters of words, ``marks`` the characters: any if it is None.
    """

    def __init__(self, words: Iterable[str], marks: str | None) -> None:
        self.words = frozenset(found[0] for found in map(FIRST.match, words) if found)
        self.firsts = frozenset(word[0] for word in self.words)
        self.marks = marks

    def go_on(self, low: str, at: int) -> bool:
        """Tell whether an item that ends at a place of a text can go on behind the white space there."""
        if at + 1 >= len(low):
            return False
        first = low[at + 1]
        if first not in self.firsts:
            return first not in ALPHABET and (self.marks is None or first in self.marks or first.isspace())
        after = low[at + 1 : at + 1 + JOIN_LETTERS]
        while not after.isalpha():
            after = after[:-1]
        return after in self.words


class Token:
    """What is written between white space: a ``word`` of the lists, or other ``pieces``; neither if it says nothing.

    ``tails`` tell what the word goes on with in longer phrases, or the end of the token; ``joins`` with what an item
    of the patterns goes on.
    """

    def __init__(self, word: Piece | None, pieces: list[Piece], tails: list[Tails], joins: Joins | None) -> None:
        self.word, self.pieces, self.tails, self.joins = word, pieces, tails, joins

    def go_on(self, low: str, at: int) -> bool:
        """Tell whether a longer item can stand in a text in which the token, or its word, ends at a place."""
        for tails in self.tails:
            if tails.go_on(low, at):
                return True
        return self.joins is not None and self.joins.go_on(low, at)


PLAIN = Token(None, [], [], None)
"""Stands for every token that begins nothing."""
SEARCHED = Token(None, [], [], None)
"""Stands for every token that the patterns must look at where it stands."""


class Lexicon:
    """Remembers tokens. ``phrase`` matches the longest phrase that begins with a letter; ``stops`` begin nothing."""

    def __init__(self, languages: Languages, patterns: Patterns) -> None:
        self.languages, self.patterns = languages, patterns
        self.phrase = re.compile(languages.word_patterns[0])
        self.tokens: dict[str, Token] = {}
        self.lengths: dict[str, int] = {}
        self.meanings: dict[str, Meaning] = {}
        self.alone = {kind: Meaning([(kind, "")]) for kind in patterns.kinds}
        self.alone["gene"] = Meaning([("marker", "gene")])
        self.tails: dict[str, Tails] = {}
        for phrase in languages.meanings:
            for end in WORD_END.finditer(phrase):
                self.tails.setdefault(phrase[: end.start()], Tails()).add(phrase[end.start() :])
        firsts = {phrase[0] for phrase in languages.meanings}
        self.stems = tuple(languages.stems)
        self.stops = STOPS - firsts
        self.joins = _joins(languages)
        self.reads_tokens = "(" not in firsts and STOPS.isdisjoint(firsts)

    def learn(self, written: str) -> Token:
        """Return what a token is that was not met before."""
        return self._keep(written, self._read(written))

    def pair(self, written: str, first: int) -> Token:
        """Return what two tokens are that one item spans ('80 %'); ``first`` counts the characters of the first."""
        found = self.tokens.get(written)
        if found is not None:
            return found
        found = self._read_pieces(written) if self.reads_tokens else SEARCHED
        spans = bool(found.pieces) and found.pieces[-1].end > first
        return self._keep(written, found if spans else SEARCHED)

    def _keep(self, written: str, token: Token) -> Token:
        if len(written) <= LONGEST:
            if len(self.tokens) >= MOST_KEPT:
                self.tokens.clear()
            self.tokens[written] = token
        return token

    def _read(self, written: str) -> Token:
        if self.stops.issuperset(written):
            return PLAIN
        if not self.reads_tokens:
            return SEARCHED
        match = TOKEN.fullmatch(written)
        if match is None or not self._is_word(match[1], match[2]):
            return self._read_pieces(written)
        word = match[1].replace("-", " ")
        meaning, tails = self.meaning(word), self.tails.get(word)
        if not meaning.is_any and tails is None:
            return PLAIN
        piece = Piece(meaning, match.start(1), match.end(1), word in self.languages.capitals)
        return Token(piece, [], [] if tails is None else [tails], None)

    def _is_word(self, run: str, first: str) -> bool:
        """Tell whether a run of letters, figures and hyphens can be nothing but a word: of letters, or of the lists."""
        if _begins_more(first) or not first.strip("x"):
            return False
        word = run.replace("-", " ")
        return run == first or (word in self.languages.meanings and not word.startswith(self.stems))

    def _read_pieces(self, written: str) -> Token:
        """Return a token by what the patterns find in it, where only words that can be told in advance change that."""
        ending = ENDING.search(written)
        if ending is None or len(written) > LONGEST or not written.isascii():
            return SEARCHED
        run = ending[1] or ""
        if run in WITHIN or _begins_more(run.removeprefix("anti") or run) or LONG.search(written) is not None:
            return SEARCHED
        pieces = self._find_between(" ", written, " zq")
        if HANGS.search(written) is not None:
            for before, after in AROUND:
                if not _same(pieces, self._find_between(before, written, after)):
                    return SEARCHED
        tails = self._tails_of(written)
        joins = self._joins(written, pieces) if pieces or not run else None
        return Token(None, pieces, tails, joins) if pieces or tails or joins else PLAIN

    def _joins(self, written: str, pieces: list[Piece]) -> Joins | None:
        """Return with what the items of a token can go on after it: after a stop, next to none can."""
        core = written.rstrip(CLOSING)
        last = pieces[-1].meaning if pieces and pieces[-1].end == len(core) else None
        joins = self.joins
        if last is self.alone["anchor"]:
            return joins["name"]
        if core != written:
            return joins["dot"] if written.endswith(".") else None
        is_score = last is self.alone["score"] and core[pieces[-1].start].isdigit()
        return joins["score"] if is_score else joins["any"]

    def _tails_of(self, written: str) -> list[Tails]:
        """Return what the phrases go on with that can begin anywhere in a token and last to its end."""
        found = []
        for at in range(len(written)):
            tails = self.tails.get(spaced(written[at:]))
            if tails is not None:
                found.append(tails)
        return found

    def _find_between(self, before: str, written: str, after: str) -> list[Piece]:
        """Return the items of a token that stands between others; places count from its beginning."""
        at, low = len(before), f"{before}{written}{after}"
        found = self.find(low, at, at + len(written), len(low))
        return [Piece(piece.meaning, piece.start - at, piece.end - at, piece.in_capitals) for piece in found]

    def find(self, low: str, at: int, end: int, last: int) -> list[Piece]:
        """Return the items that begin in a token, from a place of it on; ``last`` ends what they can go on to."""
        found: list[Piece] = []
        while at < end:
            if low[at] in self.stops:
                at += 1
                continue
            match = self.patterns.item.match(low, at, last)
            if match is None or match.lastindex is None:
                break
            start, at = match.span(match.lastindex)
            found.append(self.piece(self.patterns.kinds[match.lastindex], low[start:at], start))
        return found

    def phrase_length(self, low: str, begin: int, end: int, last: int) -> int:
        """Return how long the longest phrase is that begins with a word, -1 if none does.

        Remembered for the word and what is written up to the next white space, where no phrase goes on after that.
        """
        after = token_end(low, end, last)
        written = low[begin:after]
        length = self.lengths.get(written)
        if length is not None:
            return length
        phrase = self.phrase.match(low, begin, last)
        length = -1 if phrase is None else phrase.end() - begin
        if len(written) <= LONGEST and after < last and spaced(written) not in self.tails:
            if len(self.lengths) >= MOST_KEPT:
                self.lengths.clear()
            self.lengths[written] = length
        return length

    def piece(self, kind: str, written: str, start: int) -> Piece:
        """Return an item of a kind; a short name that is also a word counts only in capitals, a gene's always."""
        end = start + len(written)
        if kind == "word":
            return Piece(self.meaning(written), start, end, written in self.languages.capitals)
        return Piece(self.alone[kind], start, end, kind == "gene")

    def meaning(self, word: str) -> Meaning:
        """Return what a word of the lists is; an assay stands for its method too."""
        found = self.meanings.get(word)
        if found is None:
            found = Meaning(self._senses(word))
            if len(self.meanings) < MOST_KEPT:
                self.meanings[word] = found
        return found

    def _senses(self, word: str) -> list[tuple[str, str]]:
        senses = []
        for kind, value in self.languages.meaning(word):
            senses.append((kind, value))
            if kind != "assay":
                continue
            method = self.languages.assay_method.get(spaced(word))
            if method:
                senses.append((method, ""))
                if method in ("ihc", "ish"):
                    senses.append(("anchor", "assay"))
        return senses


def token_end(low: str, at: int, last: int) -> int:
    """Return where the token ends that follows the white space at a place."""
    end = low.find(" ", at + 1, last)
    return end if end >= 0 else last


def _begins_more(run: str) -> bool:
    """Tell whether letters can be the first of an item that is not in the word lists."""
    return run in BEGINS or run.startswith(BEGINS_NAME)


def _same(some: list[Piece], others: list[Piece]) -> bool:
    """Tell whether the items of a token are the same."""
    if len(some) != len(others):
        return False
    return all(
        one.meaning is other.meaning and one.start == other.start and one.end == other.end
        for one, other in zip(some, others, strict=True)
    )


def _joins(languages: Languages) -> dict[str, Joins]:
    """Return with what the items of the patterns go on after white space, by what a token ends with."""
    scores = SCORE_RANGE.split("|")
    listed = map(fold_phrase, (*languages.plain("percent_sign"), *languages.plain("range")))
    return {
        "name": Joins(("neu",), "(/-_"),
        "score": Joins(scores, "-/~"),
        "dot": Joins(MONTHS, "0123456789"),
        "any": Joins((*FOLD, *scores, *MONTHS, *listed), None),
    }
