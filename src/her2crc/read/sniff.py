"""What a file is, by its content: a name may be wrong, the first bytes are not.

The first step of reading. The name only decides where the content leaves it open. Formats that are recognised
but not read are refused by name, so that a person knows what to ask the laboratory for.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from pathlib import PurePath

from her2crc.errors import InputError
from her2crc.read.columns import canonical, columns, groups
from her2crc.read.source import decode, first_line
from her2crc.read.table import header_line

READABLE = (
    "This version reads: the specimen table (CSV, TSV, Excel .xlsx, Parquet), patient JSON, JSON Lines,"
    " FHIR (JSON, NDJSON, XML), HL7 v2 (ORU^R01), FoundationOne and Caris XML, DNPM JSON, an earlier result in"
    " JSON, pathology reports as prose (text, Word .docx, PDF with a text layer, HTML, RTF, or JSON Lines of id and"
    " text), each of these packed with gzip or zip, and folders (or zip archives) of a cBioPortal study or of mCODE"
    " tables in CSV."
    " For a table with other columns, make a mapping with `her2crc map`."
    " Copy numbers from sequencing (CNVkit, SEG, VCF and others) go through `her2crc measure tissue`."
)
REPORT_BYTES = ((b"%PDF", "report_pdf"), (b"{\\rtf", "report_rtf"))
REFUSED_BYTES = (
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls or .doc)"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"II*\0", "an image or slide (TIFF)"),
    (b"MM\0*", "an image or slide (TIFF)"),
)
REFUSED_TEXT = (("##fileformat=VCF", "a variant file (VCF)"),)
REFUSED_ARCHIVES = (
    ("ppt/", "a PowerPoint file"),
    ("content.xml", "an OpenDocument file"),
)
HL7V2 = re.compile(r"(?:MSH|FHS|BHS)(?:\||([^\w\s])[^\w\s]{3,5}\1)")
"""The header of a message, file or batch, with the usual separator or any other."""
FHIR_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[?\s*\{\s*"resourceType"\s*:')
FHIR_XML = re.compile(r"""(?:<[?!][^>]*>\s*)*<[^!?>]*xmlns(?::[\w.-]+)?\s*=\s*["']http://hl7\.org/fhir["']""")
FHIR_LINE = re.compile(r'\s*\{.*"resourceType"\s*:\s*"[A-Z].*\}\s*$')
"""How FHIR starts in JSON as it is usually written, and in XML; and a line of FHIR in lines (NDJSON)."""
XML_NAMES = re.compile(r"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
XML_KINDS = (
    ("foundation_xml", frozenset(("resultsreport", "variant-report"))),
    ("caris_xml", frozenset(("testdetails", "patientinformation", "specimeninformation", "tests"))),
)
"""Names of elements of which at least half stand in a file of that kind."""
REPORT_JSON = "report_json"
REPORT_KINDS = ("report_text", "report_docx", "report_pdf", "report_html", "report_rtf", REPORT_JSON)
TEXT, REPORT_KEYS = "text", frozenset(("id", "patient_id", "specimen_id", "date"))
"""A report in JSON: its text, and at least one of these beside it."""
DNPM = "dnpm_json"
DNPM_KEYS = frozenset(
    ("episodesOfCare", "ihcReports", "ngsReports", "msiFindings", "histologyReports", "guidelineTherapies")
)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TABLE_NAMES = (".csv", ".tsv", ".tab")
TEXT_NAMES = (".txt", ".text", ".asc")
HTML = re.compile(
    r"(?:\s|<!--.*?-->|<\?[^>]*>)*<(?:!doctype\s+html|html|head|body|meta|div|p|table|h[1-6]|pre)\b", re.I | re.S
)
HER2 = re.compile(r"her\W{0,2}2|erb\W?b\W?2", re.IGNORECASE)
"""HER2 as reports write it: only what speaks of it is taken for a report where no name says that it is text."""
CELLS = {
    ",": re.compile(r",(?=[^\s\d])"),
    ";": re.compile(r";(?=\S)"),
    "\t": re.compile(r"\t(?=[^\t]*\t)"),
}
"""What parts the cells in the first line of a table: in prose a blank follows, or a digit after a decimal comma."""
LINES_NAMES = (".jsonl", ".ndjson")


def sniff(data: bytes, name: str) -> str:
    """Return what a file is, by its content.

    One of ``csv`` (any delimiter), ``xlsx``, ``parquet``, ``patient_json`` (one or a list), ``json_rows``,
    ``json_lines``, ``fhir_json`` (also in lines), ``fhir_xml``, ``dnpm_json``, ``hl7v2``,
    ``foundation_xml``, ``caris_xml``, ``assessment_json``, ``gzip``, ``zip`` (not of Office); for reports as prose
    ``report_text``, ``report_docx``, ``report_pdf``, ``report_html``, ``report_rtf``, ``report_json`` (also in lines);
    or ``unknown``.

    Raises:
        InputError: the file is empty, or of a known format that is not read.
    """
    if not data.strip():
        raise InputError("The file is empty.", where=name, fix=READABLE)
    for start, kind in REPORT_BYTES:
        if data.lstrip().startswith(start):
            return kind
    for start, what in REFUSED_BYTES:
        if data.startswith(start):
            raise _refused(what, name)
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith(ZIP):
        return _zip_kind(data, name)
    if FHIR_JSON.match(data):
        return "fhir_json"  # as most files of FHIR start: nothing more is parsed to know it
    kind = _text_kind(decode(data, name)[0], name)
    return "report_text" if kind == "unknown" and _is_report_text(data, name) else kind


def _refused(what: str, name: str) -> InputError:
    return InputError(f"This is {what}, which is not read.", where=name, fix=READABLE)


def _zip_kind(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise InputError(
            "The file starts as an Excel workbook, Word document or ZIP archive, but is damaged or cut short.",
            where=name,
            fix="Copy it again from where it was made.",
        ) from None
    if "xl/workbook.xml" in inside:
        return "xlsx"
    if "word/document.xml" in inside:
        return "report_docx"
    if "xl/workbook.bin" in inside:
        raise _refused("a binary Excel workbook (.xlsb)", name)
    for start, what in REFUSED_ARCHIVES:
        if any(item.startswith(start) for item in inside):
            raise _refused(what, name)
    return "zip"


def _text_kind(text: str, name: str) -> str:
    start, suffixed = text.lstrip(), name.lower().removesuffix(".gz")
    if "\0" in text:
        return "unknown"
    for mark, what in REFUSED_TEXT:
        if start.startswith(mark):
            raise _refused(what, name)
    if HL7V2.match(start):
        return "hl7v2"
    if start.startswith("<"):
        return _xml_kind(start, name)
    if start.startswith(("{", "[")):
        return _json_kind(text, name)
    if _in_lines(text) or suffixed.endswith(LINES_NAMES):
        return _lines_kind(text)
    if _has_known_column(header_line(text)) or suffixed.endswith(TABLE_NAMES):
        return "csv"
    return "unknown"


def _xml_kind(text: str, name: str) -> str:
    if FHIR_XML.match(text):
        return "fhir_xml"
    if HTML.match(text):
        return "report_html"
    found = {element.lower() for element in XML_NAMES.findall(text)}
    for kind, names in XML_KINDS:
        if len(found & names) >= len(names - found):
            return kind
    raise _refused("XML or HTML of a kind", name)


def _has_known_column(header: str) -> bool:
    return any(canonical(cell.strip('" ')) in columns() for cell in re.split(r"[,;\t|]", header))


def _json_kind(text: str, name: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        if FHIR_LINE.match(first_line(text)):
            return "fhir_json"
        in_lines = _in_lines(text) or name.lower().removesuffix(".gz").endswith(LINES_NAMES)
        return _lines_kind(text) if in_lines else "patient_json"
    if isinstance(document, dict):
        return _kind_of(document, "patient_json")
    entries = [entry for entry in document if isinstance(entry, dict)]
    kinds = {_kind_of(entry, "json_rows" if _is_flat(entry) else "patient_json") for entry in entries}
    if DNPM in kinds:
        return DNPM  # its reader says which entries are no record
    return kinds.pop() if len(kinds) == 1 else "patient_json"


def _kind_of(entry: dict[str, object], otherwise: str) -> str:
    if "resourceType" in entry:
        return "fhir_json"
    if is_report(entry):
        return REPORT_JSON
    if isinstance(entry.get("patient"), dict) and DNPM_KEYS & set(entry):
        return DNPM
    return "assessment_json" if earlier_patient(entry) is not None else otherwise


def is_report(entry: dict[str, object]) -> bool:
    """Tell whether an object is a report as prose: ``{"id", "text"}``, and no specimens beside it."""
    return isinstance(entry.get(TEXT), str) and bool(REPORT_KEYS & set(entry)) and _is_flat(entry)


def _lines_kind(text: str) -> str:
    """Reports, or anything else in lines: told by the first line that is an object."""
    for line in text.split("\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            return REPORT_JSON if is_report(entry) else "json_lines"
    return "json_lines"


def _is_report_text(data: bytes, name: str) -> bool:
    """Tell whether content that is nothing else is prose: readable, no table, and HER2 or a name that says text."""
    from her2crc.frontends.text.documents_text import decode_report, is_readable

    try:
        text = decode_report(data, name)[0]
    except InputError:
        return False
    suffix = PurePath(name.lower().removesuffix(".gz")).suffix
    named = suffix in TEXT_NAMES or (not suffix and bool(HER2.search(unicodedata.normalize("NFKC", text))))
    return named and is_readable(text) and not _is_table(text)


def _is_table(text: str) -> bool:
    """Tell whether every line has at least the cells of the first; a list of names and values (one tab) is prose."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    counts = {mark: len(pattern.findall(lines[0])) for mark, pattern in CELLS.items()} if len(lines) > 1 else {}
    return any(cells and all(line.count(mark) >= cells for line in lines[1:]) for mark, cells in counts.items())


def earlier_patient(entry: dict[str, object]) -> dict[str, object] | None:
    """Return the patient in an earlier result of this software; None where an object is something else."""
    patient = entry.get("patient")
    return patient if isinstance(patient, dict) and "criteria" in entry else None


def _is_flat(entry: dict[str, object]) -> bool:
    return not ({"specimens", *groups()} & set(entry))


def _in_lines(text: str) -> bool:
    """Tell whether at least half of several lines look like JSON objects (no broken document does)."""
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    whole = sum(line.startswith("{") and line.endswith("}") for line in lines)
    return len(lines) > 1 and whole >= len(lines) - whole
