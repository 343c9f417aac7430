"""A word that is looked up is read as the patterns would read it where it stands."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from her2crc.frontends.text import load_languages
from her2crc.frontends.text.fold import fold
from her2crc.frontends.text.lexicon import MOST_KEPT
from her2crc.frontends.text.scan import Items, Scanner

SNIPPETS = Path(__file__).parent / "text_snippets"
BETWEEN = (" ", " ", " ", "\n", ", ", ". ", ": ", "-", " - ", "/", " (", ") ", "  ", "\x0b", "。", '"', "ß")
AFTER = (
    *(
        "",
        "%",
        "% of",
        "percent",
        "per cent",
        "fold",
        "-fold",
        "fach",
        "x",
        "x 2",
        "~ 3",
        "- 3",
        "-",
        "/",
        "/ 2",
        "+",
        "(+)",
    ),
    *(
        "to 3+",
        "or 2+",
        "a 3+",
        "oder 1+",
        "bis 80 %",
        "to 70%",
        "jan 2020",
        "mar. 2021",
        "2020",
        "neu",
        "(neu)",
        "/neu",
    ),
    *(
        "(erbb2)",
        "/ her2",
        "2",
        "3+",
        "17",
        "17:123456",
        "ish (x)",
        "[20]",
        "]",
        ")",
        "x]",
        "_x_",
        "v842i",
        "年",
        "the",
    ),
)
"""What an item can go on with, and what it cannot."""
TEXTS = 400
PAIRS = 4_000


@pytest.fixture(scope="module")
def scanners() -> tuple[Scanner, Scanner]:
    languages = load_languages()
    searching = Scanner(languages)
    searching.lexicon.reads_tokens = False
    return Scanner(languages), searching


def columns(items: Items) -> list[tuple[str, str, int, int]]:
    return [*zip(items.kinds, items.values, items.starts, items.ends, strict=True)]


def assert_same(scanners: tuple[Scanner, Scanner], text: str) -> None:
    folded = fold(text)
    looked_up, searched = (columns(scanner.items(folded, 0, len(folded.low))) for scanner in scanners)
    assert looked_up == searched


def test_every_word_of_the_lists_is_read_the_same(scanners: tuple[Scanner, Scanner]) -> None:
    phrases = [phrase.rstrip("*") for phrase in scanners[0].languages.meanings]
    chance = random.Random(5)
    for _ in range(TEXTS):
        chosen = chance.sample(phrases, 40)
        written = [chance.choice((word, word, word.upper(), f"{word}s", word.split()[0])) for word in chosen]
        assert_same(scanners, "".join(f"{word}{chance.choice(BETWEEN)}" for word in written))


def test_every_snippet_is_read_the_same(scanners: tuple[Scanner, Scanner]) -> None:
    for path in sorted(SNIPPETS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert_same(scanners, json.loads(line)["text"])


def test_every_token_is_read_the_same_whatever_stands_after_it(scanners: tuple[Scanner, Scanner]) -> None:
    texts = [
        json.loads(line)["text"] for path in sorted(SNIPPETS.glob("*.jsonl")) for line in path.open(encoding="utf-8")
    ]
    tokens = sorted({token for text in texts for token in text.split() if not token.isalpha()})
    begun = sorted({phrase.rstrip("*") for phrase in scanners[0].languages.meanings})
    chance = random.Random(6)
    for _ in range(PAIRS):
        parts = []
        for _ in range(8):
            after = chance.choice(chance.choice((AFTER, AFTER, begun, tokens)))
            parts += [chance.choice(tokens), chance.choice("  \n"), after, chance.choice((" ", "\n", ", ", ". "))]
        assert_same(scanners, "".join(parts))


def test_no_more_words_are_remembered_than_so_many(scanners: tuple[Scanner, Scanner]) -> None:
    scanner = Scanner(scanners[0].languages)
    folded = fold("HER2 immunohistochemistry was 3+ in 60 % of the tumour cells, which is positive.")
    expected = columns(scanner.items(folded, 0, len(folded.low)))
    for number in range(MOST_KEPT):
        scanner.lexicon.learn(f"w{number}")
    assert len(scanner.lexicon.tokens) <= MOST_KEPT
    assert columns(scanner.items(folded, 0, len(folded.low))) == expected
