"""The page: complete in one file, escaped, every link leads somewhere, readable without sight or colour."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import UsageError
from her2crc.flow import assess, read_patients
from her2crc.model.verdict import Assessment
from her2crc.report.html import TEMPLATES, report_html
from her2crc.report.outline import VIEWS
from her2crc.report.text import report_text
from her2crc.report.words import STATUS

Answer = Callable[..., Assessment]
EXAMPLES = sorted(path for path in (Path(her2crc.__file__).parent / "examples").iterdir() if path.is_file())
PROFESSIONAL = [view for view in VIEWS if view != "patient"]
VOID = {"meta", "link", "br", "img", "input", "hr"}
NAMED_BY_TEXT = {"h1", "h2", "h3", "h4", "caption", "th", "a", "title", "strong"}
CONTRAST_AA = 4.5  # WCAG 2.2, success criterion 1.4.3


class Element:
    def __init__(self, tag: str, attributes: dict[str, str], parent: "Element | None") -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Element] = []
        self.words: list[str] = []

    def walk(self) -> "Iterator[Element]":
        yield self
        for child in self.children:
            yield from child.walk()

    def text(self) -> str:
        return " ".join(" ".join(item.words) for item in self.walk()).strip()

    def all(self, *tags: str) -> "list[Element]":
        return [item for item in self.walk() if item.tag in tags]


class Page(HTMLParser):
    """The page as a tree; a tag that is not closed in its place is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.root = self.open = Element("root", {}, None)
        self.feed(page)
        assert self.open is self.root, f"<{self.open.tag}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.children.append(Element(tag, {name: value or "" for name, value in attrs}, self.open))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.tag == tag, f"</{tag}> closes <{self.open.tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.open.words.append(data.strip())


@pytest.fixture(scope="module")
def pages(knowledge: Knowledge) -> dict[str, Element]:
    """Every example, and one of them in every view."""
    answers = [assess(patient, knowledge) for path in EXAMPLES for patient in read_patients(path, knowledge)]
    found = {answer.patient_id: report_html(answer, knowledge) for answer in answers}
    found |= {view: report_html(answers[0], knowledge, view=view) for view in VIEWS}
    return {name: Page(page).root for name, page in found.items()}


def test_nothing_is_fetched_and_no_script_runs(pages: dict[str, Element]) -> None:
    for root in pages.values():
        assert not root.all("script", "iframe", "object", "embed", "img", "form")
        for item in root.walk():
            assert not [name for name in item.attributes if name.startswith("on") or name in ("src", "srcset", "style")]
            address = item.attributes.get("href", "#")
            assert address.startswith(("#", "data:,", "https://doi.org/")), address
            assert not address.startswith("https:") or item.tag == "a"
        styles = " ".join(item.text() for item in root.all("style"))
        assert styles
        assert not re.search(r"@import|url\(", styles)


def test_every_link_within_the_page_leads_somewhere(pages: dict[str, Element]) -> None:
    for root in pages.values():
        targets = {item.attributes["id"] for item in root.walk() if "id" in item.attributes}
        inner = {item.attributes["href"][1:] for item in root.all("a") if item.attributes["href"].startswith("#")}
        assert inner <= targets


def test_every_reference_is_cited_and_numbered(pages: dict[str, Element]) -> None:
    for root in pages.values():
        listed = [item.attributes["id"] for item in root.all("li") if item.attributes.get("id", "").startswith("ref-")]
        cited = {item.attributes["href"][1:] for item in root.all("a") if item.attributes.get("class") == "cite"}
        assert listed == [f"ref-{number}" for number in range(1, len(listed) + 1)]
        assert cited == set(listed)


def test_references_say_what_was_read(answer: Answer, knowledge: Knowledge) -> None:
    root = Page(report_html(answer({"ihc_score": 3}), knowledge)).root
    (listed,) = [item for item in root.all("ol") if item.attributes.get("class") == "references"]
    assert listed.children
    for item in listed.children:
        assert re.search(r"Read: .+ \((primary|secondary|unverified)\)\. Cited here for: .+", item.text())


# ---- accessibility


def test_landmarks_language_and_title(pages: dict[str, Element]) -> None:
    for root in pages.values():
        assert root.all("html")[0].attributes["lang"] == "en"
        assert root.all("title")[0].text()
        for tag in ("header", "main", "footer", "h1"):
            assert len(root.all(tag)) == 1, tag
        assert root.all("a")[0].attributes == {"class": "skip", "href": "#main"}


def test_ids_are_unique(pages: dict[str, Element]) -> None:
    for root in pages.values():
        ids = [item.attributes["id"] for item in root.walk() if "id" in item.attributes]
        assert len(ids) == len(set(ids))


def test_headings_descend_one_level_at_a_time(pages: dict[str, Element]) -> None:
    for root in pages.values():
        levels = [int(item.tag[1]) for item in root.all("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_section_is_named_by_its_heading(pages: dict[str, Element]) -> None:
    for root in pages.values():
        for section in root.all("section"):
            heading = next(item for item in section.walk() if item.tag == "h2")
            assert section.attributes["aria-labelledby"] == heading.attributes["id"]


def test_every_table_has_a_caption_and_scoped_headers(pages: dict[str, Element]) -> None:
    for root in pages.values():
        for table in root.all("table"):
            assert table.children[0].tag == "caption"
            assert all(header.attributes["scope"] for header in table.all("th"))
            columns = len(table.all("thead")[0].all("th"))
            for body in table.all("tbody"):
                for row in body.all("tr"):
                    assert row.children[0].tag == "th"
                    assert sum(int(cell.attributes.get("colspan", 1)) for cell in row.children) == columns


def test_what_scrolls_can_be_reached_and_is_named(pages: dict[str, Element]) -> None:
    for root in pages.values():
        for table in root.all("table"):
            assert table.parent is not None
            assert table.parent.attributes.get("class") == "scroll"
        for item in root.walk():
            if item.attributes.get("class") == "scroll":
                assert item.attributes["tabindex"] == "0"
                assert item.attributes["role"] == "region"
                assert item.attributes["aria-label"]


def test_what_carries_a_name_is_not_empty(pages: dict[str, Element]) -> None:
    for root in pages.values():
        assert all(item.text() for item in root.all(*NAMED_BY_TEXT))


def test_the_picture_has_words(pages: dict[str, Element]) -> None:
    pictures = [item for root in pages.values() for item in root.all("svg") if item.attributes.get("role") == "img"]
    assert pictures
    for picture in pictures:
        words = {item.attributes["id"] for item in picture.all("title", "desc") if item.text()}
        assert set(picture.attributes["aria-labelledby"].split()) == words
    drawn = [item for root in pages.values() for item in root.all("svg") if item.attributes.get("role") != "img"]
    assert all(item.attributes["aria-hidden"] == "true" for item in drawn)


def test_a_status_is_never_told_by_colour_alone(pages: dict[str, Element]) -> None:
    for root in pages.values():
        chips = [item for item in root.walk() if item.attributes.get("class", "").startswith("chip ")]
        assert chips or not root.all("table")
        for chip in chips:
            shown = STATUS[chip.attributes["class"].split()[1]]
            assert shown.symbol in chip.text()
            assert shown.word in chip.text()


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_contrast() -> None:
    colours = dict(re.findall(r"--(\S+): (#[0-9a-f]{6})", (TEMPLATES / "page.css").read_text(encoding="utf-8")))
    pairs = [(name, f"{name}-bg") for name in (*STATUS, "warn")]
    pairs += [
        (ink, ground) for ink in ("ink", "quiet", "accent", "indeterminate", "warn") for ground in ("paper", "shade")
    ]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= CONTRAST_AA, (ink, ground)
    assert contrast("#000000", "#ffffff") == 21


# ---- content


@pytest.mark.parametrize("view", PROFESSIONAL)
def test_every_set_appears_and_each_cell_leads_to_its_reason(answer: Answer, knowledge: Knowledge, view: str) -> None:
    assessment = answer({"ihc_score": 2, "specimen_id": "a b"}, {"ihc_score": 3, "specimen_id": "c#d"})
    root = Page(report_html(assessment, knowledge, view=view)).root
    by_id = {item.attributes["id"]: item for item in root.walk() if "id" in item.attributes}
    (matrix,) = [item for item in root.all("table") if item.attributes.get("class", "").startswith("matrix")]
    rows = {row.all("a")[0].attributes["href"]: row for row in matrix.all("tr") if row.all("td")}
    for criteria in knowledge.criteria.values():
        assert criteria.name in by_id["verdicts"].text()
        if criteria.role == "unseen":
            continue
        row, verdict = rows[f"#why-{criteria.id}"], assessment.criteria[criteria.id]
        shown = [cell.all("span")[0].attributes["class"].split()[1] for cell in row.all("td")]
        assert shown == [verdict.status, *(item.status for item in verdict.specimens.values())]
        for cell, (name, judged) in zip(row.all("td")[1:], verdict.specimens.items(), strict=True):
            reason = by_id[cell.all("a")[0].attributes["href"][1:]]
            assert name in reason.text()
            line = reason
            while line.tag != "tr" and line.parent is not None:
                line = line.parent
            assert STATUS[judged.status].word in line.text()


def test_contrast_sets_stand_apart(answer: Answer, knowledge: Knowledge) -> None:
    root = Page(report_html(answer({"ihc_score": 3}), knowledge)).root
    bodies = [item for item in root.all("tbody") if item.attributes.get("class") == "contrast"]
    assert len(bodies) == 1
    assert {link.attributes["href"] for link in bodies[0].all("a")} >= {"#why-breast_2018", "#why-gea_2016"}


def test_an_unread_source_and_a_local_set_are_flagged(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer({"ihc_score": 3})
    local = msgspec.structs.replace(assessment.criteria["triumph"], origin="local: ours.yaml")
    changed = msgspec.structs.replace(assessment, criteria={**assessment.criteria, "triumph": local})
    root = Page(report_html(changed, knowledge)).root
    by_id = {item.attributes["id"]: item.text() for item in root.walk() if "id" in item.attributes}
    assert "unverified: source not read" in by_id["why-nccn_colon"]
    assert "local: ours.yaml" in by_id["why-triumph"]
    assert "unverified: source not read" not in by_id["why-triumph"]


def test_conditions_evidence_and_approvals_are_shown(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer({"ihc_score": 3}, metastatic=True, lines_of_therapy=1, ras="mutant")
    root = Page(report_html(assessment, knowledge)).root
    by_id = {item.attributes["id"]: item for item in root.walk() if "id" in item.attributes}
    for action in assessment.actions:
        shown = by_id[f"action-{action.id}"]
        states = [item.text() for item in shown.walk() if item.attributes.get("class", "").startswith("holds")]
        words = {True: "met ✓", False: "not met ✗", None: "unknown ?"}
        assert states == [words[item.met] for item in action.conditions]
        for approval in action.approvals:
            assert approval.state in shown.text()
    assert "46.9 % (34.3 to 59.8; 30/64, counts derived)" in by_id["action-tdxd_label"].text()


def test_a_negative_with_an_untested_site_is_marked(answer: Answer, knowledge: Knowledge) -> None:
    page = report_html(answer({"ihc_score": 0, "site": "primary"}, metastatic=True), knowledge)
    assert "* Negative as far as tested; no result yet from: metastasis." in page
    assert "Negative as far as tested" not in report_html(answer({"ihc_score": 3, "site": "primary"}), knowledge)


def test_problems_are_shown_and_otherwise_have_no_section(answer: Answer, knowledge: Knowledge) -> None:
    page = report_html(answer({"ihc_score": "four"}), knowledge)
    assert '<section id="problems"' in page
    assert "never as negative" in page
    assert '<section id="problems"' not in report_html(answer({"ihc_score": 3}), knowledge)


def test_before_the_first_regimen_there_is_no_section_of_regimens(answer: Answer, knowledge: Knowledge) -> None:
    early = msgspec.structs.replace(answer({"ihc_score": 3}), actions=())
    assert '<section id="actions"' not in report_html(early, knowledge)
    assert "REGIMENS" not in report_text(early, knowledge)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_carries_disclaimer_and_knowledge(answer: Answer, knowledge: Knowledge, view: str) -> None:
    footer = Page(report_html(answer({"ihc_score": 3}), knowledge, view=view)).root.all("footer")[0].text()
    assert knowledge.settings.disclaimer in footer
    assert knowledge.sha256 in footer
    assert f"submitted ({len(knowledge.criteria)} sets)" in footer


def test_a_view_orders_the_sections(answer: Answer, knowledge: Knowledge) -> None:
    for view, names in VIEWS.items():
        root = Page(report_html(answer({"ihc_score": "four"}, metastatic=True), knowledge, view=view)).root
        assert tuple(item.attributes["id"] for item in root.all("section")) == tuple(
            name for name in names if name not in ("concordance", "follow_up")
        )


def test_an_unknown_view_is_refused(answer: Answer, knowledge: Knowledge) -> None:
    with pytest.raises(UsageError, match="no view 'nurse'"):
        report_html(answer({"ihc_score": 3}), knowledge, view="nurse")


ATTACK = "<script>alert(1)</script>"
QUOTE = '"><img src=x onerror=alert(1)>'


@pytest.mark.parametrize("view", VIEWS)
def test_values_are_escaped(answer: Answer, knowledge: Knowledge, view: str) -> None:
    specimen = {
        "specimen_id": QUOTE,
        "ihc_score": 3,
        "ihc_antibody": ATTACK,
        "collected_on": "2026-01-02",
        "ngs_assay": ATTACK,
    }
    assessment = msgspec.structs.replace(answer(specimen, erbb2_mutation=ATTACK), patient_id=ATTACK)
    page = report_html(assessment, knowledge, view=view)
    root = Page(page).root
    assert ATTACK not in page
    assert not root.all("script", "img")
    assert root.all("h1")[0].text().endswith(ATTACK)
