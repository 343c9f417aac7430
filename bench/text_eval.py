"""Score the reading of report text, and compare it with other programs in the same run.

    .venv/bin/python bench/text_eval.py [--quick] [--show tune|dev|second|third|templates] [--peers PYTHON]

Corpora: the development snippets beside the repository, our hand-written ones (half of them for tuning, half kept for
testing only), those that other people wrote (used for tuning after a first run), and thousands made from templates,
which are never a success by themselves. Peers: a naive regular expression, medspaCy with ConText, demne (the last two
in `.venv-peers`: scripts/setup.sh peers). Prints a table and writes bench/results/text.json. Times are CPU seconds of
one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from text_score import FIELDS, Finding, Record, Score, misses, place_faults, score, total
from text_templates import generate, reports

import her2crc.frontends.text
from her2crc.compiled import SWITCH, compiled_folder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OWN = ROOT / "tests" / "frontends" / "text_snippets"
DEV = ROOT.parent / "shared" / "data" / "reports" / "dev.jsonl"
RESULT = HERE / "results" / "text.json"
PEERS = ("medspacy", "demne")
TEMPLATED, REPORTS, REPORT_LENGTH = 8_700, 400, 4_000
QUICK_SHARE = 10
PEER_REPORTS = 20
SNIPPET = 600
"""Characters of the longest text that is timed as a snippet: some people wrote whole reports."""
PASSES = 3
"""Times that everything is read, with other figures each; the fastest counts."""
BARS = {
    "f1": 0.92,
    "precision": 0.97,
    "agreement": 0.95,
    "snippets_per_second": 20_000,
    "reports_per_second": 2_000,
    "times_medspacy_snippets": 100,
    "times_medspacy_reports": 100,
}
FIGURE = re.compile(r"(?<![A-Za-z0-9.,/_-])(?:\d{2,3}|\d{1,3}[.,]\d{1,2})(?![A-Za-z0-9+/_-]|[.,]\d|\s?\+)")
"""A number that is no score and no part of a name or a date."""
RATES = ("snippets", "hand_written", "reports")
HAND = ("dev", "tune", "second", "third", "heldout")
Read = Callable[[str], list[Finding]]


def corpora(quick: bool) -> dict[str, list[Record]]:
    """Return the labelled snippets of every corpus that is here."""
    files = {"dev": DEV} | {name: OWN / f"{name}.jsonl" for name in HAND if name != "dev"}
    found = {name: _lines(path) for name, path in files.items() if path.exists()}
    return found | {"templates": list(generate(TEMPLATED // (QUICK_SHARE if quick else 1)))}


def long_reports(quick: bool) -> list[str]:
    """Return the reports that are only timed."""
    return reports(REPORTS // (QUICK_SHARE if quick else 1), REPORT_LENGTH)


def _lines(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ours() -> Read:
    """Return our reader, with the languages loaded."""
    from her2crc.frontends.text import as_json, extract, load_languages

    languages = load_languages()
    return lambda text: [as_json(finding) for finding in extract(text, languages).findings]


NAIVE = {
    "ihc_score": ("HER2_IHC", re.compile(r"her-?2[^.\n]{0,40}?([0-3]\+)", re.I)),
    "percent": ("HER2_IHC", re.compile(r"her-?2[^\n]{0,60}?(\d{1,3})\s?%", re.I)),
    "ratio": ("HER2_ISH", re.compile(r"ratio[^\d\n]{0,12}(\d+[.,]?\d*)", re.I)),
    "cn": ("ERBB2_CN_TISSUE", re.compile(r"copy number[^\d\n]{0,12}(\d+\.?\d*)", re.I)),
    "variant": ("ERBB2_VARIANT", re.compile(r"erbb2[^.\n]{0,12}?\b([A-Z]\d{2,4}[A-Z])\b")),
}
NAIVE_STATUS = re.compile(r"(?:her-?2|erbb2)[^.\n]{0,40}?(not amplified|amplif|positive|negative|equivocal)", re.I)


def naive(text: str) -> list[Finding]:
    """Read with one regular expression a field, as a first attempt would."""
    found: list[Finding] = []
    for name, (analyte, pattern) in NAIVE.items():
        for match in pattern.finditer(text):
            written = match[1].replace(",", ".")
            found.append(
                {"analyte": analyte, name: written if name in ("ihc_score", "variant") else float(written.rstrip("."))}
            )
    for match in NAIVE_STATUS.finditer(text):
        word = match[1].lower()
        status = {"not amplified": "not_amplified", "amplif": "amplified"}.get(word, word)
        analyte = "HER2_ISH" if "amplif" in word else "HER2_IHC"
        found.append({"analyte": analyte, "status": status})
    return found


def seconds_of(read: Read, texts: Sequence[str]) -> float:
    """Return the CPU seconds of reading texts one after another, as a program that writes each result out at once."""
    start = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - start


def peer(program: str, python: Path, snippets: list[Record], long: list[str]) -> dict[str, Any]:
    """Run a peer in its own environment; a peer that cannot run is said to be absent, with the reason."""
    if not python.exists():
        return {"absent": "no environment of the peers; run: scripts/setup.sh peers"}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("snippets.jsonl", "reports.json", "out.json")]
        paths[0].write_text("\n".join(json.dumps(item) for item in snippets), encoding="utf-8")
        paths[1].write_text(json.dumps(long), encoding="utf-8")
        command = [str(python), str(HERE / "text_peers.py"), program, str(SNIPPET), *map(str, paths)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            return {"absent": run.stderr.strip().splitlines()[-1]}
        result: dict[str, Any] = json.loads(paths[2].read_text(encoding="utf-8"))
        return result


def figures(found: Score) -> dict[str, Any]:
    """Return the figures of a score, as they are written down."""
    return {
        "f1": round(found.f1, 3),
        "precision": round(found.precision, 3),
        "recall": round(found.recall, 3),
        "agreement": round(found.agreement, 3),
        "clean_negatives": f"{found.clean}/{found.negatives}",
        "snippets": found.snippets,
        "facts": found.hit + found.missed,
    }


def by(
    records: Iterable[Record], found: dict[str, list[Finding]], key: Callable[[Record], Iterable[str]]
) -> dict[str, Any]:
    """Return the figures by language, trap or whatever ``key`` names."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for record in records:
        for name in key(record):
            groups[name].append(score(record, found[record["id"]]))
    return {name: figures(total(items)) for name, items in sorted(groups.items())}


def by_field(records: Sequence[Record], found: dict[str, list[Finding]]) -> dict[str, Any]:
    """Return the figures of each field."""
    return {
        name: figures(total(score(item, found[item["id"]], (name,)) for item in records)) | {"agreement": None}
        for name in FIELDS
    }


def whole(records: Sequence[Record], found: dict[str, list[Finding]]) -> dict[str, Any]:
    """Return the figures of a corpus."""
    return figures(total(score(item, found[item["id"]]) for item in records))


def faults_of(records: Iterable[Record], found: dict[str, list[Finding]]) -> dict[str, int]:
    """Return how many fields were filled, and how many of them without a place or at another one than labelled."""
    faults = Counter({"filled": 0, "without a place": 0, "elsewhere": 0})
    for record in records:
        faults.update(place_faults(record, found[record["id"]]))
    return dict(faults)


def show(title: str, table: dict[str, Any]) -> None:
    """Print figures, one line a group."""
    print(f"\n{title:<28}{'F1':>7}{'prec.':>8}{'recall':>8}{'calls':>8}{'clean':>10}{'facts':>8}")
    for name, item in table.items():
        calls = "" if item["agreement"] is None else f"{item['agreement']:.3f}"
        line = f"{item['f1']:>7.3f}{item['precision']:>8.3f}{item['recall']:>8.3f}{calls:>8}"
        print(f"{name:<28}{line}{item['clean_negatives']:>10}{item['facts']:>8}")


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Score every program on every corpus and time them all."""
    sets = corpora(options.quick)
    hand = [item for name in HAND for item in sets.get(name, [])]
    every = [item for items in sets.values() for item in items]
    long = long_reports(options.quick)
    assert len({item["id"] for item in every}) == len(every), "two snippets have one id"
    read = ours()
    speed = {"ours": own_rates(options.quick)}
    own = {item["id"]: read(item["text"]) for item in every}
    compiled = bool(compiled_folder(Path(her2crc.frontends.text.__file__).parent))
    if compiled:
        speed["uncompiled"] = own_rates(options.quick, "no")
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "compiled": compiled,
        "corpora": {name: whole(items, own) for name, items in sets.items()},
        "by_field": by_field(hand, own),
        "by_language": by(hand, own, lambda item: [item["lang"]]),
        "by_trap": by(
            [item for name in ("tune", "second", "third", "heldout") for item in sets[name]],
            own,
            lambda item: item["hard"],
        ),
        "templates_by_trap": by(sets["templates"], own, lambda item: item["hard"]),
        "places": faults_of(every, own),
    }
    result["programs"], result["speed"] = compare(options, sets, hand, own, long, speed)
    if options.show:
        for item in sets[options.show]:
            print(
                "\n".join([f"-- {item['text']}", *lines]) if (lines := [*misses(item, own[item["id"]])]) else "", end=""
            )
            print() if lines else None
    return result


def rates(read: Read, sets: dict[str, list[Record]], long: list[str]) -> dict[str, float]:
    """Return how many snippets, those of them that were written by hand, and reports of 4 kB are read in a second.

    Everything is read once with other figures before the time is taken: a program at work has met the words of its
    texts, but not their numbers.
    """
    short = {name: [item["text"] for item in items if is_snippet(item)] for name, items in sets.items()}
    kinds = {
        "hand_written": [text for name in HAND for text in short.get(name, [])],
        "made": [text for name, texts in short.items() if name not in HAND for text in texts],
        "reports": long,
    }
    seconds = {}
    for kind, texts in kinds.items():
        seconds_of(read, [with_figures(text, PASSES) for text in texts])
        passes = ([with_figures(text, turn) for text in texts] for turn in range(PASSES))
        seconds[kind] = min(seconds_of(read, texts) for texts in passes)
    both = ("hand_written", "made")
    return {
        "snippets": sum(len(kinds[kind]) for kind in both) / sum(seconds[kind] for kind in both),
        "hand_written": len(kinds["hand_written"]) / seconds["hand_written"],
        "reports": len(long) / seconds["reports"],
    }


def with_figures(text: str, turn: int) -> str:
    """Return a text whose numbers end with another figure."""
    return FIGURE.sub(lambda found: f"{found[0][:-1]}{(int(found[0][-1]) + turn) % 10}", text)


def is_snippet(item: Record) -> bool:
    """Tell whether a record is no whole report."""
    return len(item["text"]) <= SNIPPET


def own_rates(quick: bool, switch: str = "yes") -> dict[str, float]:
    """Return the rates of our reader in a process of its own, as the peers are timed; ``switch`` no: plain Python."""
    command = [sys.executable, __file__, "--rates", *(["--quick"] if quick else [])]
    run = subprocess.run(command, env=os.environ | {SWITCH: switch}, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def compare(
    options: argparse.Namespace,
    sets: dict[str, list[Record]],
    hand: list[Record],
    own: dict[str, list[Finding]],
    long: list[str],
    speed: dict[str, dict[str, float]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures and the speed of every program on the hand-written snippets, English and all."""
    programs = {"ours": own, "naive": {item["id"]: naive(item["text"]) for item in hand}}
    speed["naive"] = rates(naive, sets, long)
    absent = {}
    for program in PEERS:
        got = peer(program, Path(options.peers), hand, long[:PEER_REPORTS])
        if "absent" in got:
            absent[program] = got["absent"]
            continue
        programs[program] = got["findings"]
        speed[program] = {
            "hand_written": sum(map(is_snippet, hand)) / got["seconds_snippets"],
            "reports": len(long[:PEER_REPORTS]) / got["seconds_reports"],
        }
    english = [item for item in hand if item["lang"] == "en"]
    table = {name: {"all": whole(hand, read), "english": whole(english, read)} for name, read in programs.items()}
    return table | {name: {"absent": why} for name, why in absent.items()}, speed


def bars(result: dict[str, Any]) -> dict[str, Any]:
    """Return each bar of the issue with what was reached; those on findings, on the snippets kept for testing."""
    heldout, speed = result["corpora"]["heldout"], result["speed"]
    reached = {name: heldout[name] for name in ("f1", "precision", "agreement")}
    reached["snippets_per_second"] = round(speed["ours"]["snippets"])
    reached["reports_per_second"] = round(speed["ours"]["reports"])
    if "medspacy" in speed:
        times = {name: speed["ours"][name] / rate for name, rate in speed["medspacy"].items()}
        reached["times_medspacy_snippets"] = round(times["hand_written"], 1)
        reached["times_medspacy_reports"] = round(times["reports"], 1)
    table = {
        name: {"bar": bar, "reached": reached.get(name), "met": reached.get(name, 0) >= bar}
        for name, bar in BARS.items()
    }
    clean, negatives = heldout["clean_negatives"].split("/")
    table["clean_negatives"] = {"bar": "all", "reached": heldout["clean_negatives"], "met": clean == negatives}
    faults = result["places"]
    reached_places = f"{faults['without a place']} of {faults['filled']} without"
    table["places"] = {"bar": "all", "reached": reached_places, "met": faults["without a place"] == 0}
    return table


def main() -> None:
    """Evaluate, print, write."""
    parser = argparse.ArgumentParser(description="Score the reading of report text beside other programs.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the templates and reports; nothing is written")
    parser.add_argument(
        "--show", choices=("dev", "tune", "second", "third", "templates"), help="print what was wrong in a corpus"
    )
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers" / "bin" / "python"), help="Python of the peers")
    parser.add_argument("--rates", action="store_true", help="print only the rates of our reader, as JSON")
    options = parser.parse_args()
    if options.rates:
        print(json.dumps(rates(ours(), corpora(options.quick), long_reports(options.quick))))
        return
    result = evaluate(options)
    show("corpus", result["corpora"])
    show("field (hand-written)", result["by_field"])
    show("language (hand-written)", result["by_language"])
    show("trap (hand-written)", result["by_trap"])
    show("trap (templates)", result["templates_by_trap"])
    present = {name: item for name, item in result["programs"].items() if "absent" not in item}
    show("program, all languages", {name: item["all"] for name, item in present.items()})
    show("program, English", {name: item["english"] for name, item in present.items()})
    print()
    for name, item in result["speed"].items():
        print(f"{name:<12}" + "".join(f"{item[kind]:>12,.1f} {kind}/s" for kind in RATES if kind in item))
    for name, item in result["programs"].items():
        if "absent" in item:
            print(f"{name:<12}not measured: {item['absent']}")
    result["bars"] = bars(result)
    print(f"\ncompiled: {'yes' if result['compiled'] else 'no'}; places: {result['places']}\n")
    for name, item in result["bars"].items():
        print(f"{'met' if item['met'] else 'NOT MET':<9}{name:<22}bar {item['bar']!s:>8}   reached {item['reached']}")
    if not options.quick:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
