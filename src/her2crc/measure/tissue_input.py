"""What a measurement starts from: the samples of a file, the panel of normals, and what is stated of the tumour."""

from __future__ import annotations

import math
import re
import sys
import zlib
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec

from her2crc.errors import InputError, UsageError
from her2crc.frontends.seq.foundation import read_reports
from her2crc.frontends.seq.matrix import is_coverage, read_coverage
from her2crc.frontends.seq.profile import Profile
from her2crc.frontends.seq.sources import READABLE, read_profiles, specimen_of
from her2crc.frontends.seq.tables import BLANK, find_table, read_header, stated
from her2crc.frontends.seq.terms import terms
from her2crc.measure.distributions import STANDARD, Normal
from her2crc.measure.tissue_beside import with_purity_beside
from her2crc.measure.tissue_copies import Tumour
from her2crc.measure.tissue_defaults import defaults
from her2crc.measure.tissue_panel import Panel, coverage_profiles, learn_coverage, learn_panel, load_panel
from her2crc.read.source import decode, read_source, unpack

GZIP, EXCEL, BAM, HEAD, GZIP_FORMAT = b"\x1f\x8b", b"PK", b"BAM\x01", 65536, 16
RANGE = re.compile(r"\s*([\d.,]+%?)\s*(?:-|\u2013|to|\.\.)\s*([\d.,]+%?)\s*")
LEVEL = 0.95
"""Level at which the ends of a stated interval are taken."""


class Stated(msgspec.Struct, frozen=True):
    """What the caller states of every sample, and of single ones by name (``purities``)."""

    purity: Normal | None
    ploidy: Normal | None
    purities: dict[str, float]

    @classmethod
    def of(
        cls,
        purity: float | str | None,
        purity_interval: tuple[float, float] | str | None,
        ploidy: float | str | None,
        ploidy_interval: tuple[float, float] | str | None,
        purities: str | Path | None,
    ) -> Stated:
        """Check and take over what is stated.

        Raises:
            UsageError: a purity is not above 0 and at most 1, a ploidy not above 0, or an interval does not hold it.
        """
        return cls(
            _share(purity, purity_interval),
            _ploidy(ploidy, ploidy_interval),
            _purities(purities) if purities is not None else {},
        )


def _share(value: float | str | None, interval: tuple[float, float] | str | None) -> Normal | None:
    ends = None if interval is None else _ends(interval, "purity")
    if value is None and ends is None:
        return None
    for share in (*(ends or ()), *(() if value is None else (_figure(value, "purity"),))):
        _check_share(share)
    odds = [math.log(end / (1 - end)) for end in ends] if ends and ends[1] < 1 else None
    deviation = (odds[1] - odds[0]) / (2 * STANDARD.inv_cdf((1 + LEVEL) / 2)) if odds else 0.0
    if value is None:
        if odds is None:
            raise UsageError("an interval of purity must end below 1", fix="Name the purity itself as well.")
        return Normal(1 / (1 + math.exp(-(odds[0] + odds[1]) / 2)), deviation, "logit")
    middle = _figure(value, "purity")
    _check_held(middle, ends, "purity")
    return Normal(middle, deviation, "logit")


def _ploidy(value: float | str | None, interval: tuple[float, float] | str | None) -> Normal | None:
    ends = None if interval is None else _ends(interval, "ploidy")
    if value is None and ends is None:
        return None
    middle = _figure(value, "ploidy") if value is not None else sum(ends or ()) / 2
    if middle <= 0:
        raise UsageError("a ploidy must lie above 0")
    _check_held(middle, ends, "ploidy")
    width = ends[1] - ends[0] if ends else 0.0
    return Normal(middle, width / (2 * STANDARD.inv_cdf((1 + LEVEL) / 2)))


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise UsageError(
            "a tumour purity must lie above 0 and be at most 1",
            why="It is the share of tumour cells; without any there is nothing to measure.",
            fix="Write 0.3 or 30%.",
        )


def _check_held(middle: float, ends: tuple[float, float] | None, what: str) -> None:
    if ends is not None and not ends[0] <= middle <= ends[1]:
        raise UsageError(f"the interval of the {what} does not hold the {what}")


def _figure(value: float | str, what: str) -> float:
    try:
        found = stated(str(value), what)
    except InputError:
        found = None
    if found is None:
        raise UsageError(f"the {what} is no number")
    return found


def _ends(interval: tuple[float, float] | str, what: str) -> tuple[float, float]:
    if isinstance(interval, str):
        match = RANGE.fullmatch(interval)
        if match is None:
            raise UsageError(f"the interval of the {what} is not written as 0.2-0.4")
        interval = (_figure(match[1], what), _figure(match[2], what))
    if not 0 < interval[0] < interval[1]:
        raise UsageError(f"the interval of the {what} is not in order, or not above 0")
    return interval


def _purities(path: str | Path) -> dict[str, float]:
    """Read a table of sample and purity; a column of percentages (any value above 1) is read as such."""
    lines = _text(path).splitlines()
    while lines and lines[0].startswith("#"):
        lines = lines[1:]
    header = read_header(lines)
    at = [
        next((header.names.index(name) for name in terms().purity_table[role] if name in header.names), None)
        for role in ("sample", "purity")
    ]
    if at[0] is None or at[1] is None:
        raise InputError("The table has no columns of sample and purity.", where=str(path), fix="Name them so.")
    found = {}
    for line, text in enumerate(lines[header.line :], header.line + 1):
        cells = text.split(header.separator)
        if len(cells) > max(at[0], at[1]) and cells[at[1]].strip().lower() not in BLANK:
            found[cells[at[0]].strip()] = stated(cells[at[1]], f"{path}:{line}") or 0.0
    scale = 100 if any(value > 1 for value in found.values()) else 1
    return {name: value / scale for name, value in found.items() if value}


def tumour_of(profile: Profile, given: Stated) -> tuple[Tumour | None, tuple[str, ...], tuple[str, ...]]:
    """Return the tumour of a sample (None without a purity), what of it carries no interval of its own, and notes.

    Raises:
        InputError: the file states a purity that is not possible.
    """
    named = given.purities.get(profile.specimen_id, profile.purity)
    purity = given.purity or (None if named is None else Normal(named, 0.0, "logit"))
    notes = []
    if profile.purity is not None and purity is not None and not math.isclose(purity.middle, profile.purity):
        notes.append(f"The file states a purity of {profile.purity:g}; {purity.middle:g} was named and used.")
    if purity is None:
        return None, (), tuple(notes)
    if not 0 < purity.middle <= 1:
        raise InputError(
            f"The file states a tumour purity of {purity.middle:g}, which must lie above 0 and be at most 1.",
            where=profile.file,
            fix="Write a share (0.3) or a percentage with its sign (30%).",
        )
    ploidy = given.ploidy or Normal(profile.ploidy or defaults().ploidy, 0.0)
    bare = [("tumour_purity", purity), ("ploidy", ploidy)]
    assumed = tuple(
        name for name, spread in bare if not spread.deviation and not (name != "ploidy" and spread.middle == 1)
    )
    if given.ploidy is None and profile.ploidy is None:
        notes.append(f"The ploidy of the tumour was not given; {ploidy.middle:g} was assumed.")
    return Tumour(purity, ploidy), assumed, tuple(notes)


def read_samples(
    source: str | Path | bytes,
    name: str,
    build: str | None,
    panel: Panel | None,
    cnvkit: tuple[str | Path | None, str | Path | None],
) -> list[tuple[Profile, str]]:
    """Return the samples of a file, each with a digest of what it was read from.

    Raises:
        InputError: it cannot be read.
    """
    if _is_bam(source):
        from her2crc.measure.tissue_bam import run_cnvkit

        data, name = run_cnvkit(source, cnvkit, Path(str(source)).name), Path(str(source)).name
    else:
        data, name = _bytes(source, name)
    if _is_xml(data):
        from her2crc.read.xml_safe import read_xml

        return [(profile, "") for profile in read_reports(read_xml(data, name), name)]
    text = excel_text(data, name) if data.startswith(EXCEL) else decode(data, name)[0]
    if panel is not None and is_coverage(read_header(text.splitlines()[:5])):
        lines = text.splitlines()
        return coverage_profiles(read_coverage(lines, read_header(lines), name), panel)
    digest = sha256(data).hexdigest()
    profiles = read_profiles(text, name, build)
    if not isinstance(source, bytes) and str(source) != "-":
        profiles = with_purity_beside(profiles, Path(source))
    return [(profile, digest) for profile in profiles]


def excel_text(data: bytes, name: str) -> str:
    """Return the first sheet of a workbook that holds a table of copy numbers, as tab-separated text, row for row.

    Raises:
        MissingExtraError: openpyxl is not installed.
        InputError: the workbook is damaged, or no sheet holds such a table.
    """
    from her2crc.read.excel import excel_grids

    for grid in excel_grids(data, name).values():
        rows = [[_cell(value) for value in cells] for _, cells in grid]
        width = max(map(len, rows), default=0)
        text = "\n".join("\t".join(row + [""] * (width - len(row))) if any(row) else "" for row in rows)
        if find_table(read_header(text.splitlines())) is not None:
            return text
    raise InputError("No sheet of the workbook is of a kind that holds copy numbers.", where=name, fix=READABLE)


def _cell(value: object) -> str:
    """Return a cell as text; what cannot be used (a formula without a result) stays visible and is refused later."""
    return "" if value is None else re.sub(r"\s+", " ", str(value))


def _bytes(source: str | Path | bytes, name: str) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        data = source
    else:
        stdin = sys.stdin.buffer.read() if str(source) == "-" and not sys.stdin.isatty() else None
        data, name = read_source(str(source), stdin)
    if data.startswith(GZIP):
        data = unpack(data, name)
    if not data.strip():
        raise InputError("The file is empty.", where=name, fix=READABLE)
    return data, name


def _is_bam(source: str | Path | bytes) -> bool:
    """Tell a BAM file by its first block: such a file is far too large to be unpacked here."""
    head = source[:HEAD] if isinstance(source, bytes) else b""
    if not isinstance(source, bytes) and Path(source).is_file():
        with Path(source).open("rb") as handle:
            head = handle.read(HEAD)
    try:
        return head.startswith(GZIP) and zlib.decompressobj(zlib.MAX_WBITS | GZIP_FORMAT).decompress(head).startswith(
            BAM
        )
    except zlib.error:
        return False


def _is_xml(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def _text(path: str | Path) -> str:
    data, name = _bytes(path, "")
    return decode(data, name)[0]


def load_panel_of(path: str | Path, build: str | None = None) -> Panel:
    """Return the panel of normals of a folder, a matrix of coverage, or a file that was saved.

    Raises:
        InputError: it holds too few normals, or something else.
    """
    return _panel(str(path), build, Path(path).stat().st_mtime_ns if Path(path).exists() else 0)


@lru_cache(maxsize=2)
def _panel(path: str, build: str | None, _: int) -> Panel:
    """Return the panel, learned once for a run over many files; the time of its last change tells it apart."""
    if Path(path).is_dir():
        return learn_panel(_normals(Path(path), build), build, str(path))
    data, name = _bytes(path, "")
    if data.lstrip().startswith(b"{"):
        return load_panel(data, name)
    lines = decode(data, name)[0].splitlines()
    header = read_header(lines)
    if not is_coverage(header):
        raise InputError(
            "This is neither a folder of normals, a matrix of their coverage, nor a panel that was saved.",
            where=name,
            fix="Name a folder of .cnr files of normals.",
        )
    return learn_coverage(read_coverage(lines, header, name), build)


def _normals(folder: Path, build: str | None) -> Iterator[tuple[Profile, str]]:
    for path in sorted(folder.iterdir()):
        if path.name.lower().removesuffix(".gz").endswith(".cnr"):
            data, name = _bytes(path, "")
            profile = read_profiles(decode(data, name)[0], name, build)[0]
            yield msgspec.structs.replace(profile, specimen_id=specimen_of(name)), sha256(data).hexdigest()
