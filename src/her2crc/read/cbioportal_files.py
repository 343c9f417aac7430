"""The files of a cBioPortal study: which file is which, and its rows, read as a stream.

A meta file names its data file; where there is none, the usual names do. First step of :mod:`her2crc.read.cbioportal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from her2crc.model.record import Issue
from her2crc.read.cbioportal_terms import Kind, StudySays, issue, terms
from her2crc.read.folder import Folder

STUDY_META = "meta_study.txt"
PANEL_START = "data_gene_panel"
LONGEST_START = 1000
"""Characters in which the gene of a row stands; a row of a matrix can be a thousand times longer."""


class Study(NamedTuple):
    """A study folder: its own description, the file of each kind that is there, and the notes made so far."""

    folder: Folder
    about: Mapping[str, str]
    files: Mapping[str, str]
    panels: Mapping[str, str]
    notes: list[Issue]

    @property
    def says(self) -> StudySays | None:
        """What the study is known to say of its own copy numbers."""
        return next((item for item in terms().studies if item.id == self.about.get("cancer_study_identifier")), None)


class Table(NamedTuple):
    """A table as it is read: its columns as written, by position in upper case, and the rows with their line."""

    names: list[str]
    columns: Mapping[str, int]
    rows: Iterator[tuple[int, list[str]]]

    def first(self, names: Iterable[str]) -> int | None:
        """Return the position of the first of these columns that the table has."""
        return next((self.columns[name] for name in names if name in self.columns), None)


def is_study(folder: Folder) -> bool:
    """Tell whether a folder is a cBioPortal study: it describes one, or has its clinical file of samples."""
    names = {path.lower() for path in folder.files}
    usual = next(kind for kind in terms().kinds if kind.kind == "sample").files
    return STUDY_META in names or any(name in names for name in usual)


def open_study(folder: Folder) -> Study:
    """Find the files of a study; what is absent or there twice becomes a note."""
    metas = {path: _meta(folder, path) for path in folder.files if path.lower().startswith("meta_")}
    about = next((meta for path, meta in metas.items() if path.lower() == STUDY_META), {})
    study = Study(folder, about, {}, _panels(metas.values()), [])
    found = {kind.kind: _files_of(kind, folder, metas.values()) for kind in terms().kinds}
    for paths in found.values():
        if len(paths) > 1:
            study.notes.append(issue("cbio_other_files", paths[1]))
    absent = [kind.name for kind in terms().kinds if kind.kind in terms().expected and not found[kind.kind]]
    if absent:
        study.notes.append(issue("cbio_absent", folder.name, what=", ".join(absent)))
    return study._replace(files={kind: paths[0] for kind, paths in found.items() if paths})


def read_table(study: Study, path: str, holding: Sequence[str] = ("",)) -> Table:
    """Open a table: comment lines are left out, the first other line is the header.

    ``holding`` names words in upper case: of a matrix with long rows, only rows that start with one are split.
    """
    lines = ((number, line) for number, line in study.folder.lines(path) if not line.startswith("#"))
    _, header = next(lines, (0, ""))
    names = [name.strip().strip('"') for name in header.split("\t")]
    columns: dict[str, int] = {}
    for position, name in enumerate(names):
        columns.setdefault(name.upper(), position)
    kept = (line for line in lines if any(word in line[1][:LONGEST_START].upper() for word in holding))
    return Table(names, columns, ((number, line.split("\t")) for number, line in kept))


def cell(cells: Sequence[str], position: int | None) -> str:
    """Return a cell without blanks around it; empty where the row is short or the column absent."""
    return "" if position is None or position >= len(cells) else cells[position].strip()


def _meta(folder: Folder, path: str) -> dict[str, str]:
    pairs = (line.partition(":") for _, line in folder.lines(path))
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _kind(meta: Mapping[str, str]) -> str:
    return f"{meta.get('genetic_alteration_type', '')}:{meta.get('datatype', '')}".upper()


def _files_of(kind: Kind, folder: Folder, metas: Iterable[Mapping[str, str]]) -> list[str]:
    named = (meta.get("data_filename", "").lower() for meta in metas if _kind(meta) in kind.meta)
    present = {path.lower(): path for path in folder.files}
    usual = (path for path in kind.files if path in present)
    return [present[path] for path in dict.fromkeys(chain(named, usual)) if path in present]


def _panels(metas: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the one gene panel of a kind of data, where its meta file names it."""
    return {_kind(meta): meta["gene_panel"] for meta in metas if "gene_panel" in meta}


def panel_genes(folder: Folder) -> dict[str, frozenset[str]]:
    """Return the genes of each panel that the folder describes, by the panel's id."""
    found = {}
    for path in folder.files:
        if path.lower().rpartition("/")[2].startswith(PANEL_START) and "matrix" not in path.lower():
            panel = _meta(folder, path)
            found[panel.get("stable_id", "")] = frozenset(panel.get("gene_list", "").split())
    return found
