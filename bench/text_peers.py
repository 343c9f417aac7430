"""What others make of the same report text: medspaCy with rules and ConText, and demne. Runs in `.venv-peers`.

    .venv-peers/bin/python bench/text_peers.py medspacy|demne LONGEST SNIPPETS.jsonl REPORTS.json OUT.json

Neither knows HER2 results, so each gets what it was made for: medspaCy target rules for the values, written here as an
able user would in a day, and its own ConText rules for negation, history, hypothesis and family; demne its built-in
annotator. OUT holds the findings of every snippet, and CPU seconds for those of at most LONGEST characters and for the
reports.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Finding = dict[str, Any]
Reader = Callable[[str], list[Finding]]
ANCHOR = r"(?:her[- ]?2(?:[-/ ]?neu)?|c-?erb-?b-?2|erbb2)"
GAP = r"[^.;\n]{0,40}?"
RULES = {
    "score": rf"(?i){ANCHOR}{GAP}(?:score\s*)?([0-3]\+|\+{{1,3}}|\b0\b)",
    "percent": rf"(?i){ANCHOR}[^\n]{{0,60}}?(\d{{1,3}})\s?%",
    "ratio": rf"(?i)(?:{ANCHOR}/c[ej][pn]17|ratio)[^.\d\n]{{0,20}}(\d+[.,]\d+)",
    "cn": r"(?i)(?:erbb2|copy number|CN)[^.\n]{0,30}?(?:copy number|CN)\s*(?:of|=|:)?\s*(\d+(?:\.\d+)?)",
    "positive": rf"(?i){ANCHOR}{GAP}(?:positive|overexpress\w+)",
    "negative": rf"(?i){ANCHOR}{GAP}negative",
    "equivocal": rf"(?i){ANCHOR}{GAP}equivocal",
    "amplified": rf"(?i){ANCHOR}{GAP}(?:amplified|amplification)",
    "variant": r"(?i)erbb2\s+(?:p\.)?\(?([A-Z]\d{2,4}[A-Z])\b",
}
SKIPPED = ("is_hypothetical", "is_uncertain")
OPPOSITE = {"positive": "negative", "amplified": "not_amplified", "negative": "negative", "equivocal": "equivocal"}


def medspacy_reader() -> Reader:
    """Return a reader of medspaCy: sentences, target rules as above, ConText with its own rules."""
    import medspacy
    from medspacy.ner import TargetRule

    nlp = medspacy.load(enable=["medspacy_pyrush", "medspacy_target_matcher", "medspacy_context"])
    matcher = nlp.get_pipe("medspacy_target_matcher")
    matcher.add([TargetRule(literal=name, category=name, pattern=pattern) for name, pattern in RULES.items()])
    return lambda text: [found for entity in nlp(text).ents if (found := _finding(entity))]


def _finding(entity: Any) -> Finding | None:
    if any(getattr(entity._, flag) for flag in SKIPPED):
        return None
    kind, text = entity.label_, entity.text
    value = re.search(RULES[kind], text)
    stated = value[1] if value and value.groups() else ""
    finding: Finding = {
        "analyte": "HER2_ISH" if re.search(r"(?i)fish|ish\b|ratio|cep17", entity.sent.text) else "HER2_IHC",
        "temporality": "prior" if entity._.is_historical else "current",
        "subject": "family" if entity._.is_family else "patient",
    }
    match kind:
        case "score":
            plus = {"+": "1+", "++": "2+", "+++": "3+"}.get(stated, stated)
            return finding | {"analyte": "HER2_IHC", "ihc_score": plus}
        case "percent":
            return finding | {"analyte": "HER2_IHC", "percent": int(stated or 0)}
        case "ratio":
            return finding | {"analyte": "HER2_ISH", "ratio": float(stated.replace(",", ".") or 0)}
        case "cn":
            return finding | {"analyte": _copies(entity), "cn": float(stated or 0)}
        case "variant":
            return finding | {"analyte": "ERBB2_VARIANT", "variant": stated}
    status = OPPOSITE[kind] if entity._.is_negated else kind
    if kind == "amplified" and finding["analyte"] != "HER2_ISH":
        finding["analyte"] = _copies(entity)
    elif kind != "amplified" and finding["analyte"] == "HER2_ISH":
        status = {"positive": "amplified", "negative": "not_amplified"}.get(status, status)
    return finding | {"status": status}


def _copies(entity: Any) -> str:
    return "ERBB2_CN_PLASMA" if re.search(r"(?i)plasma|ctdna|guardant|liquid", entity.sent.text) else "ERBB2_CN_TISSUE"


def demne_reader() -> Reader:
    """Return a reader of demne: its annotator with its own HER2 pattern; the sign after the name is the result."""
    from demne.REST_interface.rest_annotator import RESTAnnotator

    annotator = RESTAnnotator(tempfile.mkdtemp())
    return lambda text: [_sign(item.text) for item in annotator._auto_annotate("report", text, ["HER2"])]


def _sign(text: str) -> Finding:
    said = re.sub(r"(?i)^her2\s*", "", text).lower()
    finding: Finding = {"analyte": "HER2_IHC", "temporality": "current", "subject": "patient"}
    if said[:1].isdigit():
        return finding | {"ihc_score": "0" if said == "0+" else said}
    return finding | {"analyte": "HER2_STATUS", "status": "positive" if said == "positive" else "negative"}


def _timed(read: Reader, texts: list[str]) -> tuple[list[list[Finding]], float]:
    start = time.process_time()
    found = [read(text) for text in texts]
    return found, time.process_time() - start


def main(program: str, longest: str, snippets: str, reports: str, output: str) -> None:
    """Read every snippet and every report with one program, and write what it found and how long it took."""
    read = {"medspacy": medspacy_reader, "demne": demne_reader}[program]()
    records = [json.loads(line) for line in Path(snippets).read_text(encoding="utf-8").splitlines()]
    read("HER2 3+")  # the first call loads what the later ones share
    short, whole = (
        [record for record in records if (len(record["text"]) <= int(longest)) is fits] for fits in (True, False)
    )
    found, seconds = _timed(read, [record["text"] for record in short])
    found += _timed(read, [record["text"] for record in whole])[0]
    _, seconds_reports = _timed(read, json.loads(Path(reports).read_text(encoding="utf-8")))
    result = {
        "findings": {record["id"]: item for record, item in zip([*short, *whole], found, strict=True)},
        "seconds_snippets": seconds,
        "seconds_reports": seconds_reports,
    }
    Path(output).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
