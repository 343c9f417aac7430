"""What `screen` wrote, as frames: patients and specimens, each with what every rule says of it.

First step of the report. The verdicts are turned on their side inside DuckDB, so that memory holds one small code a
verdict. Dates of follow-up and the truth of a synthetic registry come from files of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import STATUSES, CriteriaSet
from her2crc.errors import InputError, MissingExtraError, MissingInputError, UsageError
from her2crc.read.source import first_line
from her2crc.read.table import DELIMITERS

if TYPE_CHECKING:
    import polars

POSITIVE, NEGATIVE, EQUIVOCAL, INDETERMINATE, NOT_COVERED = range(len(STATUSES))
UNUSED = {
    "patients": "testing_reasons, testing_missing, next_tests, next_test_specimen, actions_open, unsettled",
    "specimens": "ihc_antibody, ngs_assay, plasma_assay, plasma_max_vaf, plasma_max_vaf_gene, scoring_system",
}
"""Columns that the report does not read, left on disk."""

FORMAT = 1


class Cohort:
    """A screened cohort.

    ``patients`` has a row a patient, ``specimens`` a row a specimen; both have a column a rule with the code of its
    status (the place in ``STATUSES``), named like the set. ``rules`` are the sets that have rows and are not contrast.
    ``specimens`` are those of the tumour that the rules are for, or of an unstated one: staining of a breast cancer is
    no test of the colorectal one. ``of_other_tumours`` counts the rest.
    ``below`` is the bound of small cells, 0 where none is hidden.
    """

    def __init__(
        self,
        folder: Path,
        knowledge: Knowledge,
        follow_up: Path | None = None,
        truth: Path | None = None,
        below: int = 0,
    ) -> None:
        self.knowledge, self.below = knowledge, below
        self.summary = _summary(folder)
        self.rules = {item.id: item for item in knowledge.criteria.values() if item.role == "rule" and item.rows}
        self._folder, self._follow_up, self._truth = folder, follow_up, truth

    @cached_property
    def patients(self) -> polars.DataFrame:
        """Return the patients with what each rule says of them."""
        return self._with_verdicts("patients", "patient_id", "specimen_id IS NULL")

    @cached_property
    def specimens(self) -> polars.DataFrame:
        """Return the specimens with what each rule says of them, and which tests each has."""
        from polars import col

        tumours = sorted({item.tumour for item in self.rules.values()})
        return self._all_specimens.filter(col("tumour").is_null() | col("tumour").is_in(tumours))

    @property
    def of_other_tumours(self) -> int:
        """How many specimens are of another tumour."""
        return len(self._all_specimens) - len(self.specimens)

    @cached_property
    def _all_specimens(self) -> polars.DataFrame:
        found = self._with_verdicts("specimens", "patient_id, specimen_id", "specimen_id IS NOT NULL")
        return found.with_columns(**_has_tests())

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the verdicts may not be those of the knowledge that the report is made with; empty where they are."""
        return tuple(_doubts(self.summary, self.knowledge))

    @cached_property
    def follow_up(self) -> polars.DataFrame | None:
        """Return the dates of follow-up; None where no file was named."""
        return _read(self._follow_up)

    @cached_property
    def truth(self) -> polars.DataFrame | None:
        """Return the truth of a synthetic registry; None where no file was named."""
        return _read(self._truth)

    @cached_property
    def synthetic(self) -> bool:
        """Whether the data are synthetic, as the screening says; it looks at the ids too."""
        return bool(self.summary.get("synthetic"))

    def rule(self, name: str) -> CriteriaSet:
        """Return a rule by its id."""
        return self.rules[name]

    def _with_verdicts(self, kind: str, key: str, where: str) -> polars.DataFrame:
        import duckdb

        names = ", ".join(f"'{name}'" for name in STATUSES)
        rules = ", ".join(f"'{name}'" for name in self.rules)
        columns = ", ".join(f"""max(code) FILTER (criteria = '{name}') AS "{name}" """ for name in self.rules)
        source, rows = _parts(self._folder, kind), _parts(self._folder, "verdicts")
        on = " AND ".join(f"facts.{name} = said.{name}" for name in key.split(", "))
        sets = ", ".join(f'said."{name}"' for name in self.rules)
        query = f"""
            WITH coded AS (
                SELECT {key}, criteria, (list_position([{names}], status) - 1)::UTINYINT AS code
                FROM read_parquet('{rows}') WHERE {where} AND criteria IN ({rules})
            ),
            said AS (SELECT {key}, {columns} FROM coded GROUP BY {key})
            SELECT facts.* EXCLUDE ({UNUSED[kind]}), {sets}
            FROM read_parquet('{source}') AS facts LEFT JOIN said ON {on}
            ORDER BY {", ".join(f"facts.{name}" for name in key.split(", "))}
        """  # noqa: S608 - names of the knowledge base and a quoted path
        with duckdb.connect() as database:
            database.execute("SET enable_progress_bar = false")  # it would draw into a notebook
            frame: polars.DataFrame = database.sql(query).pl()
        return frame


def load_cohort(
    folder: str | Path, knowledge: Knowledge, follow_up: str = "", truth: str = "", below: int = 0
) -> Cohort:
    """Open what `screen` wrote.

    Args:
        folder: the folder that `screen` wrote, as Parquet.
        knowledge: the criteria sets; verdicts of sets that it does not know are left out.
        follow_up: table of dates a patient, or nothing.
        truth: truth of a synthetic registry, or nothing.
        below: counts below this are hidden; 0 hides nothing.

    Raises:
        MissingInputError: a folder or file does not exist.
        InputError: it is not what `screen` writes.
        UsageError: the knowledge is of a day before the first rule.
        MissingExtraError: DuckDB or polars is not installed.
    """
    try:
        import duckdb  # noqa: F401 - asked for here, so that the message names the extra
        import polars  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "The report on a cohort needs duckdb and polars, which are not installed.",
            fix="Run: pip install 'her2crc[cohort]'.",
        ) from None
    place = Path(folder)
    if not place.is_dir():
        raise MissingInputError(
            "no such folder.", where=str(folder), fix="Name the folder that `her2crc screen` wrote."
        )
    for name in filter(None, (follow_up, truth)):
        if not Path(name).is_file():
            raise MissingInputError("no such file.", where=name)
    beside = place / "truth.parquet"
    found_truth = Path(truth) if truth else beside if beside.is_file() else None
    cohort = Cohort(place, knowledge, Path(follow_up) if follow_up else None, found_truth, below)
    if not cohort.rules:
        raise UsageError(f"no rule was out on {knowledge.as_of}.", fix="Name a later day with --as-of.")
    return cohort


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / "summary.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            "the folder has no summary.json, so it is not what `her2crc screen` writes, or the run did not finish.",
            where=str(folder),
            fix="Run `her2crc screen` again with the same -o; finished parts are kept.",
        ) from None
    except ValueError:
        raise InputError("summary.json is damaged.", where=str(path), fix="Screen again.") from None
    if found.get("format") != FORMAT:
        raise InputError("another release of her2crc wrote this folder.", where=str(path), fix="Screen again.")
    return found


def _doubts(summary: dict[str, Any], knowledge: Knowledge) -> Iterator[str]:
    """Yield what tells the knowledge of a screening from another."""
    used, judged = summary["knowledge"], {*summary["counts"]}
    day = date.fromisoformat(used["as_of"])
    if used["sha256"] != knowledge.sha256:
        yield f"The cohort was screened with other knowledge (SHA-256 {used['sha256']})."
    if left_out := sorted(judged - {*knowledge.criteria}):
        yield f"Verdicts of sets that the knowledge of this report does not have are left out: {', '.join(left_out)}."
    if absent := sorted({*knowledge.criteria} - judged):
        yield f"The cohort was not screened under these sets of the knowledge of this report: {', '.join(absent)}."
    if later := sorted(name for name in judged & {*knowledge.criteria} if knowledge.criteria[name].effective > day):
        yield f"Of these sets the report has a later edition than the screening: {', '.join(later)}."


def _parts(folder: Path, kind: str) -> str:
    if not any((folder / kind).glob("*.parquet")):
        raise InputError(
            f"there are no {kind} as Parquet.",
            where=str(folder / kind),
            why="The report is made from the Parquet files, which `her2crc screen` always writes.",
            fix="Run `her2crc screen` again with the same -o.",
        )
    return str(folder / kind / "*.parquet").replace("'", "''")


def _read(path: Path | None) -> polars.DataFrame | None:
    import polars

    if path is None:
        return None
    try:
        frame = polars.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
        return frame.with_columns(polars.col("patient_id").cast(polars.String))
    except (polars.exceptions.PolarsError, UnicodeDecodeError):
        raise InputError(
            "the file is not a table with a column patient_id, as Parquet or CSV.",
            where=str(path),
            fix="Name the table that this option asks for.",
        ) from None


def _read_csv(path: Path) -> polars.DataFrame:
    """Read a CSV as text; the separator is the one that the header has most of, as in other tables of a laboratory."""
    import polars

    text = path.read_text(encoding="utf-8-sig")
    return polars.read_csv(text.encode(), infer_schema=False, separator=max(DELIMITERS, key=first_line(text).count))


def _has_tests() -> dict[str, Any]:
    """Whether a specimen has a result of each method, and the day; unusable results count as a test done."""
    from polars import col, lit

    def done(*names: str) -> Any:
        here = lit(False)
        for name in names:
            here = here | col(name).is_not_null() | col("unsettled").list.contains(name).fill_null(False)
        return here

    return {
        "has_ihc": done("ihc_score"),
        "has_ish": done("ish_her2_signals", "ish_ratio", "ish_her2_copies", "ish_cell_percent"),
        "has_ngs": done("ngs_copies", "ngs_fold", "ngs_call"),
        "has_plasma": done("plasma_copies"),
    }
