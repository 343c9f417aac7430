"""Compare findings read from text with labelled ones: by field, by call, by place; counts that add up over corpora."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Finding = dict[str, Any]
Record = dict[str, Any]
Fact = tuple[str, str, Any]
FIELDS = ("ihc_score", "percent", "ratio", "her2_mean", "cep17_mean", "cn", "fold", "status", "variant")
CALL_OF_STATUS = {
    **dict.fromkeys(("positive", "amplified"), "positive"),
    **dict.fromkeys(("negative", "not_amplified"), "negative"),
    "equivocal": "equivocal",
}
CALL_OF_SCORE = {"3+": "positive", "2+": "equivocal", "1+": "negative", "0": "negative"}


class Score(NamedTuple):
    """Facts hit, invented and missed; snippets, and those whose calls agree; hard negatives, and the clean ones."""

    hit: int = 0
    extra: int = 0
    missed: int = 0
    snippets: int = 0
    agreed: int = 0
    negatives: int = 0
    clean: int = 0

    def plus(self, other: Score) -> Score:
        """Return the sum of both."""
        return Score(*(mine + its for mine, its in zip(self, other, strict=True)))

    @property
    def precision(self) -> float:
        """Share of the facts found that are right."""
        return self.hit / (self.hit + self.extra) if self.hit + self.extra else 1.0

    @property
    def recall(self) -> float:
        """Share of the labelled facts that were found."""
        return self.hit / (self.hit + self.missed) if self.hit + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def agreement(self) -> float:
        """Share of the snippets whose calls (positive, negative, equivocal) are the labelled ones."""
        return self.agreed / self.snippets if self.snippets else 1.0


def facts(findings: Iterable[Finding]) -> set[Fact]:
    """Return what is stated of the patient: analyte, field, value."""
    own = [item for item in findings if item.get("subject", "patient") == "patient"]
    return {
        (item["analyte"], name, _plain(item[name])) for item in own for name in FIELDS if item.get(name) is not None
    }


def calls(findings: Iterable[Finding]) -> set[str]:
    """Return the calls on the patient that hold now; a status goes before a score."""
    own = [
        item for item in findings if item.get("subject", "patient") == "patient" and item.get("temporality") != "prior"
    ]
    found = {
        CALL_OF_STATUS.get(item["status"])
        if item.get("status") in CALL_OF_STATUS
        else CALL_OF_SCORE.get(str(item.get("ihc_score")))
        for item in own
    }
    return {call for call in found if call}


def score(record: Record, findings: list[Finding], fields: tuple[str, ...] = FIELDS) -> Score:
    """Score one snippet, on some fields."""
    want = {fact for fact in facts(record["gold"]) if fact[1] in fields}
    have = {fact for fact in facts(findings) if fact[1] in fields}
    is_negative = not record["gold"]
    return Score(
        hit=len(want & have),
        extra=len(have - want),
        missed=len(want - have),
        snippets=1,
        agreed=calls(record["gold"]) == calls(findings),
        negatives=is_negative,
        clean=is_negative and not have,
    )


def total(scores: Iterable[Score]) -> Score:
    """Return the sum of many scores."""
    result = Score()
    for item in scores:
        result = result.plus(item)
    return result


def misses(record: Record, findings: list[Finding]) -> Iterator[str]:
    """Yield what was invented and what was missed, in words, for whoever mends it."""
    want, have = facts(record["gold"]), facts(findings)
    yield from (f"{record['id']}: extra  {fact}" for fact in sorted(have - want, key=str))
    yield from (f"{record['id']}: missed {fact}" for fact in sorted(want - have, key=str))


def place_faults(record: Record, findings: list[Finding]) -> Counter[str]:
    """Count the filled fields without a place in the text, and those that stand beside the labelled place."""
    faults: Counter[str] = Counter()
    for finding in findings:
        for name in FIELDS:
            if finding.get(name) is None:
                continue
            faults["filled"] += 1
            start, end = finding.get("spans", {}).get(name, (0, 0))
            faults["without a place"] += not 0 <= start < end <= len(record["text"])
            labelled = [
                gold["spans"][name]
                for gold in record["gold"]
                if name in gold.get("spans", {}) and _same(gold, finding, name)
            ]
            faults["elsewhere"] += bool(labelled) and not any(start < stop and begin < end for begin, stop in labelled)
    return faults


def _same(gold: Finding, finding: Finding, name: str) -> bool:
    return bool(gold["analyte"] == finding["analyte"] and _plain(gold[name]) == _plain(finding[name]))


def _plain(value: Any) -> Any:
    return round(float(value), 3) if isinstance(value, int | float) else value
