"""Copy-number records of a VCF file (4.1 to 4.5), read by pysam: the record that covers ERBB2, for every sample.

``CN`` may be a float, ``FC``, ``SM`` or ``FOLD_CHANGE`` a fold change, ``SVLEN`` of either sign; END may be missing.
Where the header states a purity that the caller used, ``CN`` is per tumour cell and is not corrected again. A copy
number of 2 without a record is never assumed: where no record covers ERBB2, nothing is known.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from her2crc.errors import InputError, MissingExtraError
from her2crc.frontends.seq.builds import OPTION, build_of_lengths, named_build
from her2crc.frontends.seq.profile import Profile, Segment
from her2crc.frontends.seq.tables import number
from her2crc.frontends.seq.terms import Build, plain_chromosome, terms
from her2crc.model.quantity import DIPLOID

PASSED = "PASS"
NORMAL_95 = 1.959964
FLOAT_DIGITS = 7
"""VCF numbers are held in single precision: more digits than these were not written."""


def read_vcf(data: bytes, file: str, specimen: str, build: str | None) -> list[Profile]:
    """Read the copy-number records of each sample on chromosome 17.

    Raises:
        MissingExtraError: pysam is not installed.
        InputError: the file is damaged, or its build is not shown and not named.
    """
    try:
        import pysam
    except ImportError:
        raise MissingExtraError(
            "Reading VCF needs pysam, which is not installed.", where=file, fix="Run: pip install 'her2crc[measure]'."
        ) from None
    pysam.set_verbosity(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.vcf"
        path.write_bytes(_defined(data))
        try:
            with pysam.VariantFile(str(path)) as variants:
                return _read(variants, file, specimen, build, data.partition(b"#CHROM")[0].count(b"\n") + 2)
        except (OSError, ValueError, LookupError) as error:
            raise InputError(
                "The VCF file is damaged or cut short.", where=file, why=_plain(error), fix="Write it again."
            ) from None


def _defined(data: bytes) -> bytes:
    """Return the file with a definition of each key that is read: many files use keys that they do not define."""
    head, mark, records = data.partition(b"#CHROM")
    kinds = {"END": "Integer", "SVLEN": "Integer", "SVTYPE": "String"}
    kinds |= dict.fromkeys((*terms().vcf.fold, *terms().vcf.copies, *terms().vcf.bins), "Float")
    added = "".join(
        f'##INFO=<ID={key},Number={1 if key == "END" else "."},Type={kind},Description="-">\n'
        for key, kind in kinds.items()
        if f"##INFO=<ID={key},".encode() not in head
    )
    return head + (added.encode() if mark else b"") + mark + records


def _plain(error: Exception) -> str:
    return "" if "tmp" in str(error) else str(error).rstrip(".") + "."


def _read(variants: Any, file: str, specimen: str, wanted: str | None, first: int) -> list[Profile]:
    """Read the records; ``first`` is the line of the first one."""
    header = variants.header
    build = _build(header, wanted, file)
    samples = list(header.samples) or [specimen]
    found: dict[str, list[Segment]] = {name: [] for name in samples}
    callers = _purity(header, terms().vcf.callers_purity)
    notes: list[str] = []
    for line, record in enumerate(variants, first):
        if plain_chromosome(record.chrom) != terms().chromosome:
            continue
        notes += _doubts(record, build, line)
        if _is_copy_number(record):
            for name in samples:
                values = record.samples[name] if len(header.samples) else {}
                found[name].append(_segment(record, values, line, corrected=callers is not None))
    purity = _purity(header, terms().vcf.purity) if callers is None else callers
    return [
        Profile(name, "", "vcf", file, build.id, segments=tuple(found[name]), purity=purity, notes=tuple(notes))
        for name in samples
    ]


def _doubts(record: Any, build: Build, line: int) -> Iterator[str]:
    """Yield what a person must know of a copy-number record that covers ERBB2."""
    start, end = build.her2 or build.band
    if not (_kinds(record) & set(terms().vcf.kinds) and record.pos <= end and record.stop >= start):
        return
    failed = [name for name in record.filter if name != PASSED]
    if failed:
        yield f"The record on line {line} covers ERBB2, but did not pass its caller's filters ({', '.join(failed)})."
    if not _is_copy_number(record):
        yield f"The record on line {line} covers ERBB2, but has no copy number that is read, so it is not used."


def _build(header: Any, wanted: str | None, file: str) -> Build:
    lengths = {name: contig.length for name, contig in header.contigs.items() if contig.length}
    reference = next((str(record.value).lower() for record in header.records if record.key == "reference"), "")
    by_name = next((b for b in terms().builds for name in b.names if not name.isdigit() and name in reference), None)
    by_accession = next((build for build in terms().builds if build.accession in header.contigs), None)
    found = build_of_lengths(lengths) or by_accession or by_name
    if wanted is not None and found is not None and named_build(wanted) != found:
        raise InputError(f"The header says {found.id}, not {wanted}.", where=file, fix="Leave --build out.")
    build = named_build(wanted) if wanted is not None else found
    if build is None:
        raise InputError(
            "The header names neither the lengths of the contigs nor a reference that is known.",
            where=file,
            why="ERBB2 lies elsewhere in each genome build.",
            fix=OPTION,
        )
    return build


def _kinds(record: Any) -> set[str]:
    kinds = {str(alt).strip("<>").split(":")[0].upper() for alt in record.alts or ()}
    return kinds | {str(_one(_get(record.info, "SVTYPE")) or "").upper()}


def _is_copy_number(record: Any) -> bool:
    kinds = _kinds(record)
    keys = (*terms().vcf.fold, *terms().vcf.copies)
    carries = any(key in record.info or key in record.format for key in keys)
    return carries and bool(kinds & set(terms().vcf.kinds) or not record.alts or "SVTYPE" in record.info)


def _segment(record: Any, values: Any, line: int, *, corrected: bool) -> Segment:
    start, end = record.pos, record.stop
    length = _one(_get(record.info, "SVLEN"))
    if length is not None and end <= start + len(record.ref or ""):
        end = start + abs(int(length))
    known = terms().vcf
    fold = _first(record, values, known.fold)
    tumour_copies = _first(record, values, known.corrected) if corrected else None
    copies = _first(record, values, [key for key in known.copies if not (corrected and key in known.corrected)])
    error = _error(record, values, copies if tumour_copies is None else tumour_copies)
    genes = ",".join(str(part) for key in ("GENE", "Gene", "gene") for part in _all(_get(record.info, key)))
    fold = copies / DIPLOID if fold is None and copies is not None else fold
    bins = _first(record, values, known.bins)
    return Segment(
        plain_chromosome(record.chrom), start, end, genes, fold, tumour_copies, int(bins) if bins else None, error, line
    )


def _first(record: Any, values: Any, keys: Iterable[str]) -> float | None:
    """Return the first of the keys that the sample, else the record, has a number for."""
    for key in keys:
        for place in (values, record.info):
            value = _one(_get(place, key))
            if value is not None:
                return float(f"{float(value):.{FLOAT_DIGITS}g}")
    return None


def _error(record: Any, values: Any, copies: float | None) -> float | None:
    """Return the standard error of log2 from CICN, offsets around CN that are taken as an interval of 95 %."""
    key = terms().vcf.interval
    ends = _all(_get(values, key) or _get(record.info, key))
    if len(ends) <= 1 or not copies or None in ends:
        return None
    low, high = copies + float(ends[0]), copies + float(ends[1])
    return (math.log2(high) - math.log2(low)) / (2 * NORMAL_95) if 0 < low < high else None


def _purity(header: Any, keys: tuple[str, ...]) -> float | None:
    """Return the purity that a line of the header states under one of the keys (capitals, - and _ aside)."""
    for record in header.records:
        if str(record.key).lower().replace("_", "").replace("-", "") in keys:
            return number(str(record.value))
    return None


def _get(place: Any, key: str) -> Any:
    """Return a value; pysam refuses to be asked for a key that the header does not define."""
    return place[key] if key in place else None  # noqa: SIM401 - get() raises here


def _all(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _one(value: Any) -> Any:
    return next(iter(_all(value)), None)
