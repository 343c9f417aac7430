"""Check every interval and call against what is known, and write the page: `make validate`.

    .venv/bin/python bench/validate.py

Each part is a module with ``rows(seed)`` (dicts, of which ``holds`` is True, False, or None where nothing is claimed)
and ``plots(folder, rows)``. Writes docs/reference/validation.md, docs/images/validation/ and
bench/results/validation.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGE, IMAGES, RESULTS = DOCS / "reference" / "validation.md", DOCS / "images" / "validation", HERE / "results"
SEED = 20261123
PARTS = {"validate_tissue": "Tissue sequencing", "validate_ish": "In situ hybridisation, plasma and follow-up"}
CHECKED = {True: "holds", False: "**does not hold**", None: ""}

INTRODUCTION = """\
# Validation of the measurements

Written by `make validate` (bench/validate.py); do not edit. It says of every interval how often it held the truth, and
of every call how often it was right, beside peers on the same inputs.

**What is real and what is simulated.** The noise of sequencing is real: 41 normal samples of one hybrid-capture panel.
Every gain is simulated, by adding its log2 shift to the bins of those normals: no amplified sample of this kind is
public. The tumours of the hybridisation, plasma and follow-up parts are invented throughout. The OrigiMed cohort is
real; whether its log2 values are corrected for purity is not stated, so it says nothing about copies.
"""


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a Markdown table of rows that share their columns."""
    names = [name for name in rows[0] if name != "quantity"]
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        cells = [CHECKED[row[name]] if name == "holds" else row[name] for name in names]
        yield "| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |"


def grid(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a table of ``method|setting`` rows with a column a method."""
    values = {tuple(row["setting"].split("|")): row["value"] for row in rows}
    methods, settings = (list(dict.fromkeys(key[at] for key in values)) for at in (0, 1))
    yield "| purity/copies | " + " | ".join(methods) + " |"
    yield "| --- |" + " ---: |" * len(methods)
    for setting in settings:
        yield f"| {setting} | " + " | ".join(f"{values[method, setting]:.2f}" for method in methods) + " |"


def section(title: str, rows: list[dict[str, Any]], pictures: list[Path], about: str) -> Iterator[str]:
    """Yield the Markdown of one part."""
    yield from (f"## {title}", "", about, "")
    for quantity in dict.fromkeys(row["quantity"] for row in rows):
        own = [row for row in rows if row["quantity"] == quantity]
        yield from (f"### {quantity[0].upper()}{quantity[1:]}", "")
        yield from grid(own) if "|" in str(own[0].get("setting", "")) else table(own)
        yield ""
    for picture in pictures:
        yield from (f"![{picture.stem.replace('_', ' ')}](../images/validation/{picture.name})", "")


def main() -> None:
    """Run the parts and write the page; what does not hold is named, there and here."""
    sys.path.insert(0, str(HERE))
    lines, results = [INTRODUCTION], {}
    for name, title in PARTS.items():
        part = import_module(name)
        rows = part.rows(SEED)
        results[name] = rows
        lines += section(title, rows, part.plots(IMAGES, rows), getattr(part, "ABOUT", ""))
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "validation.json").write_text(
        json.dumps(results, indent=1, default=lambda value: value.item()) + "\n", encoding="utf-8"
    )
    failed = [row for rows in results.values() for row in rows if row["holds"] is False]
    print(f"{sum(map(len, results.values()))} figures, {len(failed)} that do not hold: {PAGE}")
    for row in failed:
        print("does not hold:", *row.values(), file=sys.stderr)


if __name__ == "__main__":
    main()
