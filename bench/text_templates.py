"""Labelled report text by the thousand, made from templates with a seed; every value's place is recorded.

A template is prose with slots: ``{1.score}`` draws a value for finding 1, ``{1.status=positive:POSITIVE}`` writes the
word and records what it states. It is a test of breadth (every trap with every number), never of how laboratories
write: the phrases are ours, so a good figure here alone means nothing. The hand-written snippets are in
``tests/frontends/text_snippets``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from text_phrases import CLOSINGS, NEUTRAL, OPENINGS, TEMPLATES

Record = dict[str, Any]
SLOT = re.compile(r"\{(\d)\.(\w+)(?:=([^:}]*):([^}]*))?\}")
ANALYTES = {
    "IHC": "HER2_IHC",
    "ISH": "HER2_ISH",
    "CN": "ERBB2_CN_TISSUE",
    "PLASMA": "ERBB2_CN_PLASMA",
    "HER2": "HER2_STATUS",
    "VAR": "ERBB2_VARIANT",
}
KEYS = {
    "score": "ihc_score",
    "percent": "percent",
    "op": "percent_op",
    "her2": "her2_mean",
    "cep17": "cep17_mean",
    "amplified": "pct_cells_amplified",
}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
COMMA_LANGUAGES = ("de", "fr", "es", "tr", "it")


def generate(number: int, seed: int = 1) -> Iterator[Record]:
    """Yield ``number`` labelled snippets, the same for the same seed; each template comes about equally often."""
    chance = random.Random(seed)
    for position in range(number):
        language, trap, findings, prose = TEMPLATES[position % len(TEMPLATES)]
        record = _fill(prose, findings, language, chance)
        _surround(record, language, chance)
        traps = [trap, *_disguise(record, language, chance)]
        yield {"id": f"G{position:06}", "lang": language, **record, "hard": traps}


def reports(number: int, length: int, seed: int = 2) -> list[str]:
    """Return English reports of about ``length`` characters: templates among sentences without HER2."""
    chance = random.Random(seed)
    sources = [entry for entry in TEMPLATES if entry[0] == "en"]
    made = []
    for _ in range(number):
        parts: list[str] = []
        while sum(map(len, parts)) + len(parts) < length:
            if len(parts) % 8 == 4:
                _, _, findings, prose = chance.choice(sources)
                parts.append(str(_fill(prose, findings, "en", chance)["text"]))
            else:
                parts.append(chance.choice(NEUTRAL))
        made.append("\n".join(parts)[:length])
    return made


def _fill(prose: str, findings: str, language: str, chance: random.Random) -> Record:
    gold = [_finding(entry) for entry in findings.split()]
    text, last = "", 0
    for slot in SLOT.finditer(prose):
        text += prose[last : slot.start()]
        finding, key = gold[int(slot[1]) - 1], KEYS.get(slot[2], slot[2])
        value, written = (slot[3], slot[4]) if slot[4] is not None else _draw(slot[2], language, chance)
        finding[key] = int(value) if key == "percent" else value
        finding["spans"][key] = [len(text), len(text) + len(written)]
        text, last = text + written, slot.end()
    return {"text": text + prose[last:], "gold": gold}


def _finding(entry: str) -> Record:
    """``IHC``, ``IHC@prior``, ``IHC@addendum``, ``IHC@family`` or ``IHC@breast`` (another tumour, earlier)."""
    name, _, about = entry.partition("@")
    finding: Record = {"analyte": ANALYTES[name], "temporality": "current", "subject": "patient", "spans": {}}
    if about == "family":
        finding["subject"] = "family"
    elif about in ("prior", "addendum"):
        finding["temporality"] = about
    elif about:
        finding |= {"tumour": about, "temporality": "prior"}
    return finding


def _draw(kind: str, language: str, chance: random.Random) -> tuple[Any, str]:
    if kind == "score":
        score = chance.choice(["0", "1+", "2+", "3+"])
        return score, score
    if kind == "percent":
        percent = chance.choice([5, 8, 15, 20, 35, 40, 55, 60, 75, 80, 95, 100])
        return percent, f"{percent}{chance.choice(['', ' '])}%"
    if kind == "cells":
        cells = chance.choice([20, 40, 50, 60, 100])
        return cells, str(cells)
    if kind == "amplified":
        return (percent := chance.randint(5, 95)), f"{percent}%"
    if kind == "variant":
        return (variant := chance.choice(["V842I", "S310F", "L755S", "V777L", "R678Q", "D769Y"])), variant
    low, high = {"ratio": (0.8, 9.9), "her2": (1.5, 18), "cep17": (1.4, 4), "cn": (3, 40), "fold": (1.5, 20)}[kind]
    number = round(chance.uniform(low, high), 1 if kind == "cn" else chance.choice([1, 2]))
    written = f"{number:g}" if number % 1 else f"{number:.1f}"
    return number, written.replace(".", ",") if language in COMMA_LANGUAGES else written


def _surround(record: Record, language: str, chance: random.Random) -> None:
    """Put a sentence that is no result before or behind, as a report would have it."""
    before = chance.choice(["", *OPENINGS[language]])
    behind = chance.choice(["", *CLOSINGS[language]])
    record["text"] = before + record["text"] + behind
    for finding in record["gold"]:
        finding["spans"] = {
            key: [start + len(before), end + len(before)] for key, (start, end) in finding["spans"].items()
        }


def _disguise(record: Record, language: str, chance: random.Random) -> list[str]:
    """Change how the text is written, never how long it is: wrapped lines, full-width characters, misread zeros."""
    how = chance.choices(["", "wrapped", "ocr"], [6, 1, 1])[0]
    if language in ("zh", "ja") and chance.choice([True, False, False]):
        record["text"] = record["text"].translate(FULL_WIDTH)
        return ["full-width"]
    if how == "wrapped":
        blanks = [found.start() for found in re.finditer(r"(?<=\w) (?=\w)", record["text"])]
        for place in chance.sample(blanks, min(2, len(blanks))):
            record["text"] = record["text"][:place] + "\n" + record["text"][place + 1 :]
        return [how]
    if how == "ocr":
        for finding in record["gold"]:
            for key in ("percent", "ratio", "her2_mean"):
                start, end = finding["spans"].get(key, (0, 0))
                misread = record["text"][start:end].replace("0", "O")
                record["text"] = record["text"][:start] + misread + record["text"][end:]
        return [how]
    return []
