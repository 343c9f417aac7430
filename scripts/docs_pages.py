"""The reference pages that show knowledge: fields, criteria sets, statements, references, and the shape of the result.

Pure functions from loaded values to Markdown; `scripts/docs.py` loads, writes and checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.levels import Level, knowledge_levels
from her2crc.criteria.library import Knowledge, Statement
from her2crc.criteria.lint_rules import SEVERITIES, LintRule
from her2crc.criteria.load import RowFile, SetFile, SilentFile
from her2crc.model.citation import Citation, Reference
from her2crc.model.verdict import Assessment

ROLES = {
    "rule": "a colorectal rule; it enters the summary of what the sets say",
    "contrast": "a rule of another organ, shown as a pitfall only; it never enters the summary",
    "unseen": "its text was not read, so it gives no verdict",
}
CONFIDENCE = {
    "primary": "read in the source itself",
    "secondary": "known through another text that reports it",
    "unverified": "the wording was not read",
}
METHODS = {
    "ihc_ish": "staining, then in situ hybridisation",
    "any": "any one of several methods",
    "ish": "in situ hybridisation",
    "copies": "copy number by sequencing",
}


# ---- fields


def fields_page(fields: Sequence[Field]) -> str:
    """Every field by group."""
    parts = [
        "# Fields",
        "Every name that a specimen table, a patient file or a condition of a criteria set may use. Blank is unknown. "
        "Percentages run 0 to 100, purity and fractions 0 to 1. A field marked *computed* cannot be given. Where codes "
        "are listed, the spellings in brackets are read as that code; capitals and blanks do not matter.",
    ]
    for name in dict.fromkeys(field.group for field in fields):
        rows = [field_row(field) for field in fields if field.group == name]
        parts += [f"## {name}", table(["field", "of the", "type", "range or codes", "unit", "LOINC", "meaning"], rows)]
    return "\n\n".join(parts)


def lint_page(rules: Sequence[LintRule]) -> str:
    """Every rule of ``lint``, the gravest first."""
    parts = [
        "# Lint rules",
        "What `her2crc lint` reports; [how to use it](../how-to/lint-a-file.md). The id of a rule is stable. "
        "*error*: something was lost, or would have been read wrongly. *warning*: a person should look. *note*: good "
        "to know. A finding by which a fact was lost is an error, whatever its rule says.",
    ]
    for severity in SEVERITIES:
        chosen = [rule for rule in rules if rule.severity == severity]
        parts += [f"## {severity}", *(lint_rule(rule) for rule in chosen)]
    return "\n\n".join(parts)


def lint_rule(rule: LintRule) -> str:
    source = f"{rule.place}; [{rule.statement}](statements.md)" if rule.statement else rule.place
    lines = [f"- Send: {rule.send}", f"- Source: {source}"]
    if rule.issues:
        lines.append(f"- Issues of `read`: {codes(rule.issues)}")
    return "\n".join([f"### {rule.id}", "", f"{rule.title}. {rule.why}", "", *lines])


def field_row(field: Field) -> list[str]:
    computed = f" *Computed from {codes(field.derived_from)}.*" if field.derived_from else ""
    if not field.derived_from and field.group == "judged":
        computed = " *Computed.*"
    return [
        f"`{field.name}`",
        field.level,
        field.type,
        allowed(field),
        field.unit,
        field.loinc,
        field.meaning + computed,
    ]


def allowed(field: Field) -> str:
    if field.values:
        spelt = (f"`{code}`" + (f" ({', '.join(others)})" if others else "") for code, others in field.values.items())
        return "; ".join(spelt)
    if field.minimum is None and field.maximum is None:
        return ""
    return f"{field.minimum} to {field.maximum}"


# ---- criteria sets


def criteria_index(sets: Sequence[SetFile], order: Sequence[str]) -> str:
    """All sets in the order in which reports show them."""
    latest = {item.id: item for item in sorted(sets, key=lambda item: item.effective)}
    rows = [
        [
            f"[{name}]({name}.md)",
            latest[name].name,
            latest[name].role,
            METHODS[latest[name].method],
            latest[name].judges,
            latest[name].confidence,
            since(latest[name]),
            str(len(latest[name].rows)),
            str(len(latest[name].open_questions)),
        ]
        for name in order
    ]
    head = ["set", "name", "role", "decides by", "material", "confidence", "in force since", "rows", "open questions"]
    return "\n\n".join(
        [
            "# Criteria sets",
            "Each published rule as the program knows it, one page each. They stand side by side and are "
            "[never merged](../../explanation/never-merged.md).",
            table(head, rows),
            "Role: " + "; ".join(f"**{name}** is {text}" for name, text in ROLES.items()) + ".",
            "Confidence: " + "; ".join(f"**{name}** is {text}" for name, text in CONFIDENCE.items()) + ".",
        ]
    )


def criteria_page(editions: Sequence[SetFile]) -> str:
    """One set: its latest edition in full, then the earlier ones."""
    parts = [f"# {editions[0].name}"]
    for item in editions:
        parts += edition(item, titled=len(editions) > 1)
    return "\n\n".join([*parts, "[All sets](README.md) · [how to read a table](../../how-to/read-a-table.md)"])


def edition(item: SetFile, titled: bool) -> list[str]:
    facts = [
        ["id", f"`{item.id}`"],
        ["role", f"**{item.role}**: {ROLES[item.role]}"],
        ["judges", f"{item.judges} of a {item.tumour} tumour, by {METHODS[item.method]}"],
        ["in force since", since(item)],
        ["confidence", f"**{item.confidence}**: {CONFIDENCE[item.confidence]}"],
        ["review", review(item)],
        ["source", sources(item.cite)],
        ["more of these never lowers the verdict", codes(item.monotone) or "not declared"],
    ]
    parts = [f"## Edition in force since {since(item)}"] if titled else []
    parts += [item.summary, table(["", ""], facts)]
    if item.define:
        named = [[f"`{name}`", f"`{text}`"] for name, text in item.define.items()]
        parts += ["**Names used in the rows**", table(["name", "stands for"], named)]
    if item.rows:
        parts += ["**Rows**", table(["says", "row", "when", "in words", "source"], map(row, item.rows))]
    if item.silent:
        parts += [
            "**Silences**: what the source does not cover",
            table(["says", "row", "when", "why", "source"], map(row, item.silent)),
        ]
    if item.open_questions:
        parts += ["**Open questions**", "\n".join(f"- {question}" for question in item.open_questions)]
    return parts


def row(item: RowFile | SilentFile) -> list[str]:
    then, words = (item.then, item.says) if isinstance(item, RowFile) else ("not_covered", item.why)
    return [f"**{then}**", f"`{item.id}`", f"`{' '.join(item.when.split())}`", words, sources(item.cite)]


def review(item: SetFile | Statement) -> str:
    return f"{item.review_state.replace('_', ' ')}; last checked against the source on {item.reviewed_on}"


def since(item: SetFile) -> str:
    """The effective date, no more exact than it is known."""
    formats = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
    return item.effective.strftime(formats[item.effective_precision])


def sources(cited: Iterable[Citation], folder: str = "../") -> str:
    return "; ".join(f"[{item.ref}]({folder}references.md#{item.ref}), {item.place}" for item in cited)


# ---- levels of representation


def levels_page(knowledge: Knowledge) -> str:
    """How far each set has come from text to running logic: a table of all, then the checklist of each."""
    levels = {name: knowledge_levels(item, knowledge) for name, item in knowledge.criteria.items()}
    columns = next(iter(levels.values()))
    rows = [
        [f"[{name}](#{name})", *(f"{level.met} of {len(level.checks)}" for level in levels[name])] for name in levels
    ]
    parts = [
        "# Levels of knowledge representation",
        "The HL7 clinical guidelines guide tells four levels apart, from the text of a guideline (L1) over organised "
        "text (L2) and structured content (L3) to logic that runs at a site (L4). What there is of each set, and what "
        "is missing, follows from the set itself; `her2crc criteria show` gives the same lists. A tick says that "
        "something exists, not that it is right: for that, see [review states](../explanation/review-states.md).",
        table(["set", *(f"{level.id} {level.code}" for level in columns)], rows),
    ]
    for name, checklists in levels.items():
        parts += [f"## {name}", *map(checklist, checklists)]
    return "\n\n".join(parts)


def checklist(level: Level) -> str:
    lines = [f"- [{'x' if item.met else ' '}] {item.text}: {item.detail}" for item in level.checks]
    return "\n".join([f"**{level.id}, {level.code}**", "", *lines])


# ---- evidence


def statements_page(statements: Sequence[Statement]) -> str:
    """Every statement with its sources, its dissent and what the program does with it."""
    parts = [
        "# Statements",
        "What the program says about HER2 in colorectal cancer, in our own words. S, P and Q rows restate the source "
        "article; X rows are evidence beyond it. Evidence that disagrees is listed under each, never merged into it.",
    ]
    for item in statements:
        dissent = [f"- Dissent: {other.text} ({sources(other.cite, '')})" for other in item.dissent]
        parts += [
            f"## {item.id}",
            item.text,
            "\n".join(
                [
                    f"- Source: {sources(item.cite, '')}",
                    f"- Confidence {item.confidence}; {review(item)}",
                    *dissent,
                    f"- Here: {item.behaviour}",
                ]
            ),
        ]
    return "\n\n".join(parts)


def references_page(references: Sequence[Reference]) -> str:
    """Every source, and what of it was read."""
    parts = ["# References", "Every source that a rule, statement or figure cites, and how much of it was read."]
    for item in references:
        printed = (item.authors, item.title, item.journal, item.year, item.volume_issue, item.pages)
        text = ". ".join(str(part).rstrip(".") for part in printed if part)
        links = [f"[doi:{item.doi}](https://doi.org/{item.doi})"] if item.doi else []
        links += [f"PMID {item.pmid}"] if item.pmid else []
        notes = [f"- Read: {item.basis} ({item.confidence})"]
        notes += [f"- Figures used: {item.figures}"] if item.figures else []
        notes += [f"- Note: {item.note}"] if item.note else []
        parts += [
            f"## {item.id}",
            " ".join([f"{text}." if text else "Not identified in full.", *links]),
            "\n".join(notes),
        ]
    return "\n\n".join(parts)


# ---- the result


def result_page() -> str:
    """The JSON contract, from the structs that make it."""
    structs = list(dict.fromkeys(reachable(Assessment)))
    parts = [
        "# The result",
        "What `her2crc assess --format json` gives: one object for one patient, a list for several; `jsonl` gives one "
        "a line. Numbers keep the digits that the laboratory wrote. `null` is unknown, always.",
    ]
    for struct in structs:
        parts += [f"## {struct.__name__}", markdown(getdoc(struct) or ""), table(["key", "value"], keys_of(struct))]
    return "\n\n".join(parts)


def reachable(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Yield a struct and, in order of mention, every struct below it."""
    yield struct
    for hint in get_type_hints(struct).values():
        for part in parts_of(hint):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                yield from reachable(part)


def parts_of(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in get_args(hint):
        yield from parts_of(argument)


def keys_of(struct: type[msgspec.Struct]) -> Iterator[list[str]]:
    hints = get_type_hints(struct)
    optional = {field.name for field in msgspec.structs.fields(struct) if not field.required}
    for name in struct.__struct_fields__:
        left_out = struct.__struct_config__.omit_defaults and name in optional
        yield [f"`{name}`", shape(hints[name]) + ("; left out where there is none" if left_out else "")]


def shape(hint: Any) -> str:
    """Say what JSON a type becomes."""
    plain = {Any: "any", str: "text", int: "whole number", float: "number", Decimal: "number", bool: "true or false"}
    plain |= {date: "day, `YYYY-MM-DD`", NoneType: "null"}
    if hint in plain:
        return plain[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(shape, arguments))
    if origin is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"list of {shape(arguments[0])}"
    if origin is tuple:
        return f"list of {len(arguments)}: {', '.join(map(shape, arguments))}"
    if origin is dict:
        return f"object, by name: {shape(arguments[1])}"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


# ---- writing


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def markdown(text: str) -> str:
    """Turn a docstring's marks into Markdown's."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def first_paragraph(item: object) -> str:
    return markdown((getdoc(item) or "").split("\n\n")[0].replace("\n", " "))
