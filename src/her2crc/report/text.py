"""The report for a terminal: plain text that fits a width, numbered citations, no status by colour alone.

Part of stage 5. Each section is a function from the page to its lines; the view selects and orders them.
"""

from __future__ import annotations

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.outline import review_states, sections_of
from her2crc.report.text_page import TextPage, heading, wrap
from her2crc.report.text_sections import SECTIONS

WITH_REASONS = ("laboratory", "researcher")
"""The views that print the reason of every verdict; the others have them on the page (HTML) and keep the text short."""


def report_text(
    assessment: Assessment,
    knowledge: Knowledge,
    *,
    width: int = 100,
    colour: bool = False,
    view: str = "pathologist",
) -> str:
    """Return the report as text whose lines are at most ``width`` characters long.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave the answer, for names and references.
        width: characters to a line, 60 or more.
        colour: whether to add terminal colours to words and symbols that already say it.
        view: who reads it, one of ``outline.VIEWS``.

    Raises:
        UsageError: there is no such view.
    """
    page = TextPage(assessment, knowledge, width, colour)
    names = [name for name in sections_of(view) if name != "reasons" or view in WITH_REASONS]
    blocks = [_header(page), *(SECTIONS[name](page) for name in names), _footer(page)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _header(page: TextPage) -> list[str]:
    answer = page.assessment
    stamp = f"As of {answer.as_of}, by knowledge {answer.knowledge.version}."
    title = wrap(page, f"HER2 in colorectal cancer: patient {answer.patient_id}")
    return [
        *(page.paint(line, "bold") for line in title),
        *wrap(page, stamp),
        *wrap(page, f"Review state of the rules: {review_states(answer)}."),
    ]


def _footer(page: TextPage) -> list[str]:
    stamp = page.assessment.knowledge
    return [
        *heading(page, "Disclaimer"),
        *wrap(page, page.assessment.disclaimer),
        *wrap(page, f"Knowledge {stamp.version}, sha256 {stamp.sha256}."),
    ]
