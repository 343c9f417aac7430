"""Every place of a value, read back on its own, gives that value: over all labelled snippets and phrases."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from test_text_extract import DEV, HERE, phrases

from her2crc.frontends.text import extract, load_languages
from her2crc.frontends.text.findings import Value
from her2crc.frontends.text.fold import fold_phrase

SNIPPETS = ("tune", "second", "third")
IN_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twenty": 20, "thirty": 30, "forty": 40,
    "ninety": 90, "hundred": 100,
}  # fmt: skip
NUMBERS = ("ratio", "her2_mean", "cep17_mean", "cn", "fold", "cells", "pct_cells_amplified")
THREE = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W",
    "Tyr": "Y", "Val": "V",
}  # fmt: skip


def plain(written: str) -> str:
    return unicodedata.normalize("NFKC", written).strip()


def in_words(written: str) -> Decimal:
    """A number in words."""
    written = written.replace("one hundred", "hundred")
    whole, _, decimals = written.partition(" point ")
    parts = [[IN_WORDS[word] for word in re.findall("[a-z]+", part) if word in IN_WORDS] for part in (whole, decimals)]
    return Decimal(f"{sum(parts[0])}.{''.join(map(str, parts[1])) or 0}")


def numbers(written: str) -> list[Decimal]:
    """The numbers of a place; letters beside digits are those that OCR takes for them, or words stand for them."""
    if not re.search(r"\d", written) and set(re.findall("[a-z]+", written.lower())) & set(IN_WORDS):
        return [in_words(part) for part in written.lower().split(" to ")]
    mended = re.sub(r"(?<=[\d.,])[oO]|[oO](?=[\d.,])", "0", written)
    mended = re.sub(r"(?<=[\d.,])[lI]|[lI](?=[\d.,])", "1", mended)
    mended = re.sub(r"(?<=[\d.,])[sS]|[sS](?=[\d.,])", "5", mended)
    mended = re.sub(r"(?<=\d)\s(?=[.,]\d)", "", mended)
    return [Decimal(item.replace(",", ".")) for item in re.findall(r"\d+(?:[.,]\d+)?", mended)]


def scores(written: str) -> set[str]:
    """What a written score can stand for."""
    words = {value for kind, value in load_languages().meaning(fold_phrase(written)) if kind == "score"}
    numeral = load_languages().numerals.get(fold_phrase(written))
    mended = re.sub(r"[lI|](?=\s?\+)", "1", re.sub(r"^[zZ](?=\s?\+)", "2", written))
    digits = re.findall(r"[0-3]", "0" if mended in ("O", "o") else mended)
    if not digits:
        digits = [str(written.count("+"))] if "+" in written else []
    digits += [numeral] if numeral else []
    named = ["0" if digit == "0" else f"{digit}+" for digit in digits]
    return words | {*named, "-".join(sorted(set(named)))}


def changes(written: str) -> str:
    """A protein change in letters."""
    bare = re.sub(r"^p\.", "", written).strip("() ")
    for name, letter in THREE.items():
        bare = re.sub(name, letter, bare, flags=re.IGNORECASE)
    return bare.upper()


def states(field: str, value: Value, written: str) -> bool:
    """Tell whether a place, read on its own, gives the value."""
    found = numbers(written)
    if field == "ihc_score":
        return str(value) in scores(written)
    if field == "percent":
        return bool(found) and sum(found) / len(found) == value
    if field in NUMBERS:
        return found == [value]
    if field == "variant":
        return changes(written) == str(value).upper()
    return bool(written)


def texts() -> list[tuple[str, str]]:
    found = [(f"phrase {number}", text) for number, (text, _) in enumerate(phrases())]
    paths = [HERE / "text_snippets" / f"{name}.jsonl" for name in SNIPPETS]
    for path in (*paths, *([DEV] if DEV.exists() else [])):
        records = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
        found += [(record["id"], record["text"]) for record in records]
    return found


def test_every_place_reproduces_its_value() -> None:
    checked = 0
    wrong = []
    for name, text in texts():
        for finding in extract(text).findings:
            for field, value in finding.values.items():
                if field not in finding.spans:
                    continue
                checked += 1
                span = finding.spans[field][0]
                if not states(field, value, plain(text[span.start : span.end])):
                    wrong.append((name, field))
    assert checked > 2_000
    assert wrong == []


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("ihc_score", "3+", "2+"),
        ("percent", Decimal(60), "65 %"),
        ("ratio", Decimal("7.4"), "7"),
        ("variant", "S310F", "p.(Ser310Tyr)"),
    ],
)
def test_another_value_is_seen(field: str, value: Value, written: str) -> None:
    assert not states(field, value, written)
