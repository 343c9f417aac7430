"""The report as one page (HTML): complete in one file, readable without colour, without script and without a network.

Part of stage 5. What is said comes from :mod:`her2crc.report.outline` and :mod:`her2crc.report.summary`; how it looks
stands in the templates beside this module. Every value is escaped by the template engine.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.model.follow import FollowUp
from her2crc.model.verdict import Assessment
from her2crc.report import findings, follow_text, outline, summary, words
from her2crc.report.citations import Citations, show_reference
from her2crc.report.follow_plot import draw_follow
from her2crc.report.timeline import draw_timeline

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def report_html(assessment: Assessment, knowledge: Knowledge, *, view: str = "pathologist") -> str:
    """Return the report as one self-contained HTML file.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave the answer, for names and references.
        view: who reads it, one of ``outline.VIEWS``.

    Raises:
        UsageError: there is no such view.
    """
    from markupsafe import Markup

    followed = msgspec.convert(assessment.follow_up, FollowUp) if assessment.follow_up else None
    names = [name for name in outline.sections_of(view) if _has_content(name, assessment)]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            answer=assessment,
            view=view,
            knowledge=knowledge,
            patient=assessment.patient,
            sections=names,
            citations=Citations(knowledge.references),
            timeline=draw_timeline(assessment.patient.specimens),
            follow_up=followed,
            follow_plot=Markup(draw_follow(followed)) if followed else "",  # noqa: S704 - made by us, values escaped
            numbers={item.specimen_id: number for number, item in enumerate(assessment.patient.specimens, 1)},
            untested=summary.untested(assessment),
            negative_note=summary.negative_note(assessment),
        )
    )


def _has_content(section: str, assessment: Assessment) -> bool:
    if section == "actions":
        return bool(assessment.actions)
    if section == "follow_up":
        return bool(assessment.follow_up)
    if section == "problems":
        return bool(assessment.errors or assessment.warnings)
    if section == "concordance":
        found = assessment.concordance
        return bool(found.comparisons or found.untested_sites or found.retest)
    return True


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The template engine with everything that the templates may call; undefined names are errors."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.globals |= {
        "words": words,
        "outline": outline,
        "summary": summary,
        "findings": findings,
        "follow_text": follow_text,
    }
    engine.globals["show_reference"] = show_reference
    return engine
