"""The sections as files: one page that needs nothing else, a CSV a table, and JSON of everything.

Last step of the report on a cohort. The page has the look of the single patient's report and shares its style sheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from her2crc.cohort.report.cells import Cell, Published, Section, Table
from her2crc.cohort.report.load import Cohort
from her2crc.cohort.report.plots import draw
from her2crc.cohort.report.settings import settings
from her2crc.cohort.report.shown import parts, show
from her2crc.errors import OutputError
from her2crc.report import html as patient_report
from her2crc.report.citations import identifiers, show_reference

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_report(sections: Sequence[Section], cohort: Cohort, output: Path, below: int) -> dict[str, str]:
    """Write the page, the CSV of every table and the JSON into a folder; return the files by what they are.

    Raises:
        OutputError: a file cannot be written.
    """
    page, data, tables = output / "index.html", output / "report.json", output / "csv"
    ending = "synthetic.csv" if cohort.synthetic else "csv"
    try:
        tables.mkdir(parents=True, exist_ok=True)
        for old in tables.glob("*.csv"):
            old.unlink()  # a table of an earlier run, perhaps with small cells, must not stay behind
        page.write_text(as_page(sections, cohort, below, ending), encoding="utf-8")
        data.write_bytes(as_json(sections, cohort, below))
        for section in sections:
            for table in section.tables:
                (tables / f"{section.id}-{table.id}.{ending}").write_text(as_csv(table), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror}).", where=str(output)) from None
    return {"html": str(page), "json": str(data), "csv": str(tables)}


# ---- numbers


def as_csv(table: Table) -> str:
    """Return a table with a column for every number of its cells."""
    names: dict[tuple[int, str], str] = {}
    found = [[parts(cell) for cell in row] for row in table.rows]
    for at, column in enumerate(table.columns):
        for row in found:
            names |= {(at, key): f"{column}: {key}" if key else column for key in row[at] if (at, key) not in names}
    ordered = sorted(names, key=lambda item: item[0])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([names[key] for key in ordered] or table.columns)
    writer.writerows([[_plain(row[at].get(key)) for at, key in ordered] for row in found])
    return out.getvalue()


def _plain(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is written as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def as_json(sections: Sequence[Section], cohort: Cohort, below: int) -> bytes:
    """Return every table as lists of objects, with what the report is of."""
    content = {
        "synthetic": cohort.synthetic,
        "suppress_below": below or None,
        "knowledge": {
            "version": cohort.knowledge.version,
            "sha256": cohort.knowledge.sha256,
            "as_of": cohort.knowledge.as_of.isoformat(),
        },
        "screened": {**cohort.summary["knowledge"], "doubts": cohort.doubts, "notes": cohort.summary.get("notes", [])},
        "sections": {section.id: _as_object(section) for section in sections},
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _as_object(section: Section) -> dict[str, Any]:
    tables = {table.id: [_as_row(table, row) for row in table.rows] for table in section.tables}
    return {"title": section.title, "not_possible": section.impossible or None, "tables": tables}


def _as_row(table: Table, row: Sequence[Cell]) -> dict[str, Any]:
    found = {}
    for name, cell in zip(table.columns, row, strict=True):
        numbers = parts(cell)
        found[name] = (
            numbers.get("") if set(numbers) <= {""} else {key or "value": item for key, item in numbers.items()}
        )
    return found


# ---- the page


def as_page(sections: Sequence[Section], cohort: Cohort, below: int, ending: str) -> str:
    """Return the report as one self-contained page."""
    return (
        _environment()
        .get_template("cohort.html.j2")
        .render(
            sections=sections,
            pictures={section.id: _pictures(section) for section in sections},
            cohort=cohort,
            knowledge=cohort.knowledge,
            summary=cohort.summary,
            below=below,
            ending=ending,
            listed=settings().listed,
            references=_references(sections, cohort),
        )
    )


def _pictures(section: Section) -> dict[str, list[Any]]:
    """The pictures of a section by the table that they are of."""
    tables = {table.id: table for table in section.tables}
    found: dict[str, list[Any]] = {}
    for plot in section.plots:
        picture = draw(plot, tables[plot.of])
        if picture:
            found.setdefault(plot.of, []).append(picture)
    return found


def _references(sections: Sequence[Section], cohort: Cohort) -> dict[str, str]:
    used = dict.fromkeys(cell.source for cell in _cells(sections) if isinstance(cell, Published))
    known = cohort.knowledge.references
    return {name: f"{show_reference(known[name])} {identifiers(known[name])}" for name in used}


def _cells(sections: Sequence[Section]) -> Iterable[Cell]:
    return (cell for section in sections for table in section.tables for row in table.rows for cell in row)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    engine = Environment(
        loader=FileSystemLoader([TEMPLATES, patient_report.TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.globals |= {"show": show}
    return engine
