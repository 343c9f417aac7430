"""``cite`` and ``schema``: the evidence behind the answers, and the shape of the patient file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import knowledge_options, load


@click.command("cite")
@click.argument("identifier", required=False)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="To read, or for a program.",
)
@knowledge_options
def cite_command(identifier: str | None, output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """Show the statements and references, or the one named IDENTIFIER (S09, valtorta2015, ...) with its sources."""
    found = her2crc.catalogue.cite(load(as_of, criteria_dir), identifier)
    if output_format == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for statement in found["statements"]:
        click.echo(_statement(statement))
    for reference in found["references"]:
        click.echo(_reference(reference))


def _statement(item: dict[str, Any]) -> str:
    lines = [
        f"{item['id']}  {item['text']}",
        f"     {item['confidence']}, {item['review_state']}, reviewed {item['reviewed_on']}; sources: {_sources(item)}",
    ]
    lines += [f"     dissent: {other['text']} ({_sources(other)})" for other in item["dissent"]]
    return "\n".join([*lines, f"     here: {item['behaviour']}", ""])


def _sources(item: dict[str, Any]) -> str:
    return "; ".join(f"{citation['ref']}, {citation['place']}" for citation in item["cite"])


def _reference(item: dict[str, Any]) -> str:
    parts = [item.get(key) for key in ("authors", "title", "journal", "year", "volume_issue", "pages")]
    doi = f" doi:{item['doi']}" if item.get("doi") else ""
    text = ". ".join(str(part) for part in parts if part)
    return f"[{item['id']}] {text}.{doi}\n     {item['confidence']}: {item['basis']}\n"


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the patient file that `assess` and `read` take."""
    click.echo(json.dumps(her2crc.patient_schema(), indent=2, ensure_ascii=False))
