"""The report in print: the page (HTML) laid out on A4 by WeasyPrint.

Part of stage 5. The page is complete in itself, so the printer is forbidden to fetch anything.
"""

from __future__ import annotations

from typing import Any

from her2crc.criteria.library import Knowledge
from her2crc.errors import MissingExtraError
from her2crc.model.verdict import Assessment
from her2crc.report.html import report_html

ACCESSIBLE = "pdf/ua-1"
"""The variant of PDF whose text, tables and reading order a screen reader can follow."""


def report_pdf(assessment: Assessment, knowledge: Knowledge, *, view: str = "pathologist") -> bytes:
    """Return the report as a tagged PDF of A4 pages.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave the answer, for names and references.
        view: who reads it, one of ``outline.VIEWS``.

    Raises:
        MissingExtraError: WeasyPrint, or a library of the system that it needs, is not installed.
        UsageError: there is no such view.
    """
    page = report_html(assessment, knowledge, view=view)
    weasyprint = _weasyprint()
    nothing = weasyprint.URLFetcher(allowed_protocols=())
    document: bytes = weasyprint.HTML(string=page, url_fetcher=nothing).write_pdf(pdf_variant=ACCESSIBLE)
    return document


def _weasyprint() -> Any:
    """Import WeasyPrint; it raises OSError where Pango, a library of the system, is missing."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise MissingExtraError(
            "PDF reports need WeasyPrint and the Pango library.",
            why=f"({type(error).__name__})",
            fix="Install them with: pip install 'her2crc[pdf]' (Pango: apt-get install libpango-1.0-0). "
            "Or write HTML and print it from a browser.",
        ) from None
    return weasyprint
