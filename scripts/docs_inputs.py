"""The reference page of inputs: every format that is read, what of it is read from where, and what is not.

From ``knowledge/terms/inputs.yaml`` to Markdown; the figures of the limits and the list of what is refused are the
readers' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import msgspec
from docs_pages import codes, table

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict
from her2crc.read.sniff import REFUSED_ARCHIVES, REFUSED_BYTES, REFUSED_TEXT

INPUTS_FILE = KNOWLEDGE_DIR / "terms" / "inputs.yaml"
ANY_FIELD = "the field of that name"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read from one place, and the fields it fills (empty: any field, by its own name)."""

    source: str = msgspec.field(name="from")
    into: tuple[str, ...]
    note: str = ""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A constant of a reader, ``module.NAME`` below ``her2crc.read``, and what it counts."""

    constant: str
    text: str

    @property
    def most(self) -> int:
        """The figure in force."""
        module, _, name = self.constant.rpartition(".")
        figure: int = getattr(import_module(f"her2crc.read.{module}"), name)
        return figure


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One format; the keys are explained in the file."""

    id: str
    name: str
    recognised_by: str
    read: tuple[Part, ...]
    ignored: tuple[str, ...]
    how_to: str
    shown: str
    tests: tuple[str, ...]
    files: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    needs: str = ""
    more: str = ""
    caution: str = ""


class InputsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    formats: tuple[Format, ...]


def load_inputs() -> tuple[Format, ...]:
    """Return every format in the order of the page."""
    return load_strict(INPUTS_FILE, InputsFile).formats


def inputs_page(formats: tuple[Format, ...]) -> str:
    """Every format, then what holds for all of them."""
    rows = [[f"[{item.name}](#{anchor(item.name)})", f"`{item.id}`", how_to(item), item.needs] for item in formats]
    parts = [
        "# Inputs",
        "Every format that `assess`, `read`, `lint` and `explain` take, found by looking into the file; its name "
        "decides only where the content leaves it open. `-` is standard input. "
        "The fields are those of [the field list](fields.md).",
        table(["format", "called", "how-to", "extra"], rows),
        "An *extra* is installed with the package, as in `pip install 'her2crc[tables]'`.",
    ]
    for item in formats:
        parts += section(item)
    return "\n\n".join([*parts, *of_all()])


def section(item: Format) -> Iterator[str]:
    """One format."""
    yield f"## {item.name}"
    if item.caution:
        yield f"**{item.caution}**"
    yield f"Recognised by: {item.recognised_by}"
    rows = [[part.source, codes(part.into) or ANY_FIELD, part.note] for part in item.read]
    yield table(["from", "fills", "remark"], rows)
    lines = [f"- Not read: {'; '.join(item.ignored)}."]
    if item.limits:
        lines.append(f"- At most: {'; '.join(f'{limit.most:,} {limit.text}' for limit in item.limits)}.")
    lines.append(f"- How-to: {how_to(item)}.")
    if item.more:
        lines.append(f"- More: [{item.more}]({item.more.removeprefix('reference/')}).")
    lines.append(f"- Tested in {codes(item.tests)}{tested_with(item)}.")
    yield "\n".join(lines)


def of_all() -> Iterator[str]:
    """What holds for every format, and what is refused."""
    refused = [what for _, what in (*REFUSED_BYTES, *REFUSED_TEXT, *REFUSED_ARCHIVES)]
    yield "## What holds for all"
    yield "\n".join(
        [
            "- Text is UTF-8, UTF-16 with a byte-order mark, or else Latin-1 with a warning; HL7 v2 as MSH-18 says. "
            "Line ends do not matter.",
            "- Blank and absent are unknown, never negative. A value that cannot be used is an error with its place, "
            "and stays unknown; the rest of the file is read.",
            "- Numbers keep the digits they are written with.",
            "- XML with a document type or entities is refused. Nothing outside the file is ever opened.",
            "- Messages repeat no names of people and no free text.",
        ]
    )
    yield "## Recognised and refused"
    yield f"{'; '.join(dict.fromkeys(refused))}; a binary Excel workbook (.xlsb); XML and HTML of other kinds."


def how_to(item: Format) -> str:
    return f"[{item.how_to.removeprefix('how-to/').removesuffix('.md')}](../{item.how_to})"


def tested_with(item: Format) -> str:
    real = [f"`{name}` (not shipped)" for name in item.beside]
    shipped = [f"`{name}`" for name in item.files]
    return f", with {', '.join([*shipped, *real])}" if shipped or real else ""


def anchor(title: str) -> str:
    """The anchor that a Markdown viewer gives a heading."""
    kept = "".join(sign for sign in title.lower() if sign.isalnum() or sign in "-_ ")
    return kept.replace(" ", "-")
