"""``criteria list|show|check|diff|export|fields``: the rules themselves."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import knowledge_options, load, write_bytes

text_or_json = click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="To read, or for a program.",
)


@click.group("criteria")
def criteria_group() -> None:
    """List, show, check, compare and export the criteria sets."""


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, default=str))


@criteria_group.command("list")
@text_or_json
@knowledge_options
def list_command(output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """List the sets: id, role, how sure the source is, since when, and the name."""
    sets = her2crc.catalogue.list_criteria(load(as_of, criteria_dir))
    if output_format == "json":
        _print_json(sets)
        return
    for item in sets:
        mark = "" if item["origin"] == "shipped" else "  [local]"
        head = f"{item['id']:<22} {item['role']:<9} {item['confidence']:<11} {item['effective'].year}"
        click.echo(f"{head}  {item['name']}{mark}")


@criteria_group.command("show")
@click.argument("criteria")
@text_or_json
@knowledge_options
def show_command(criteria: str, output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """Show every row of the set CRITERIA with its condition and source."""
    shown = her2crc.catalogue.show_criteria(criteria, load(as_of, criteria_dir))
    if output_format == "json":
        _print_json(shown)
        return
    click.echo(f"{shown['name']}  ({shown['id']}, {shown['role']}, {shown['confidence']}, {shown['review_state']})")
    click.echo(f"{shown['summary']}\n")
    for name, text in shown.get("define", {}).items():
        click.echo(f"  {name} means {text}")
    for row in shown.get("rows", ()):
        places = "; ".join(f"{citation['ref']}, {citation['place']}" for citation in row["cite"])
        click.echo(f"  {row['then']:<13} {row['id']}\n      when {row['when']}\n      {row['says']}\n      [{places}]")
    for question in shown.get("open_questions", ()):
        click.echo(f"\n  open question: {question}")
    for level in shown["levels"]:
        click.echo(f"\n  {level['id']} {level['code']}")
        for check in level["checks"]:
            click.echo(f"    [{'x' if check['met'] else ' '}] {check['text']}: {check['detail']}")


@criteria_group.command("fields")
@text_or_json
@knowledge_options
def fields_command(output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """List every field that a table, a patient file or a condition may use."""
    fields = her2crc.catalogue.list_fields(load(as_of, criteria_dir))
    if output_format == "json":
        _print_json(fields)
        return
    for field in fields:
        allowed = f" ({', '.join(field['values'])})" if field.get("values") else ""
        click.echo(f"{field['name']:<24} {field['type']:<8} {field['meaning']}{allowed}")


@criteria_group.command("check")
@click.argument("criteria", nargs=-1)
@text_or_json
@knowledge_options
def check_command(criteria: tuple[str, ...], output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """Prove each set free of overlaps, undeclared silences and reversals, and run its boundary cases."""
    report = her2crc.catalogue.check_criteria(load(as_of, criteria_dir), criteria)
    if output_format == "json":
        _print_json(report)
    else:
        for finding in report["findings"]:
            click.echo(f"{finding['criteria']}: {finding['kind']}: {finding['text']}")
        click.echo(f"{report['sets']} sets, {report['cases']} cases, {report['failures']} failures")
    if report["failures"]:
        sys.exit(1)


@criteria_group.command("diff")
@click.argument("first")
@click.argument("second")
@text_or_json
@knowledge_options
def diff_command(first: str, second: str, output_format: str, as_of: date | None, criteria_dir: str | None) -> None:
    """Show where the sets FIRST and SECOND say different things, with example patients."""
    differences = her2crc.catalogue.diff_criteria(first, second, load(as_of, criteria_dir))
    if output_format == "json":
        _print_json(differences)
        return
    for item in differences:
        click.echo(f"{first} {item['first']}, {second} {item['second']}: {item['example']}")
    click.echo(f"{len(differences)} kind(s) of difference")


@criteria_group.command("export")
@click.argument("criteria", nargs=-1)
@click.option("--to", type=click.Choice(("cql", "fhir", "json")), required=True, help="Language of the export.")
@click.option("-o", "--output", help="Folder to write to; standard output if not named.")
@knowledge_options
def export_command(
    criteria: tuple[str, ...], to: str, output: str | None, as_of: date | None, criteria_dir: str | None
) -> None:
    """Export the sets as CQL libraries, as FHIR definitions with the CQL inside, or as JSON."""
    documents = her2crc.catalogue.export_criteria(to, load(as_of, criteria_dir), criteria)
    for name, content in documents.items():
        write_bytes(content.encode(), str(Path(output) / name) if output else None)
