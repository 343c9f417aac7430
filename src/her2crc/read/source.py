"""From a path to bytes to text: opening, unpacking and decoding, before anybody asks what the file says."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from pathlib import Path

from her2crc.errors import InputError, MissingInputError, UsageError
from her2crc.model.record import Issue

STANDARD_INPUT = "standard input"
MAX_UNPACKED = 200_000_000
"""Bytes that a packed file may unpack to; a real registry stays far below, an attack does not."""
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_source(path_or_dash: str, stdin: bytes | None) -> tuple[bytes, str]:
    """Return the bytes of a file (``-``: of standard input) and the name that messages use for it.

    Raises:
        MissingInputError: there is no such file, or it may not be read.
        UsageError: ``-`` was given, but nothing on standard input.
    """
    if path_or_dash == "-":
        if stdin is None:
            raise UsageError("'-' reads standard input; there is none.", fix="Pipe in a file, or name it.")
        return stdin, STANDARD_INPUT
    path = Path(path_or_dash)
    try:
        return path.read_bytes(), path.name
    except FileNotFoundError:
        what = "The file does not exist."
    except IsADirectoryError:
        what = "This is a folder, not a file."
    except (OSError, ValueError):  # ValueError: a name that no file can have
        what = "The file cannot be opened."
    raise MissingInputError(what, where=path_or_dash, fix="Check its name and who may read it.") from None


def piped_input() -> bytes | None:
    """Return what is piped into the program; None where a person sits at its standard input."""
    return None if sys.stdin.isatty() else sys.stdin.buffer.read()


def unpack(data: bytes, name: str) -> bytes:
    """Return what a gzip file holds.

    Raises:
        InputError: the file is damaged or cut short, or unpacks to more than ``MAX_UNPACKED`` bytes.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            content = packed.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise InputError(
            "The gzip file is damaged or cut short.", where=name, fix="Copy it again from where it was made."
        ) from None
    refuse_too_large(len(content), name)
    return content


def refuse_too_large(size: int, name: str) -> None:
    """Raise an InputError when a packed file holds more than ``MAX_UNPACKED`` bytes."""
    if size > MAX_UNPACKED:
        limit = MAX_UNPACKED // 1_000_000
        raise InputError(f"The file unpacks to more than {limit} MB.", where=name, fix="Split it.")


def decode(data: bytes, name: str) -> tuple[str, tuple[Issue, ...]]:
    """Return the text of a file (UTF-8, UTF-16 with a byte-order mark, else Latin-1, with a warning).

    Raises:
        InputError: it says that it is UTF-16, and is not.
    """
    if data.startswith(UTF16):
        try:
            return data.decode("utf-16"), ()
        except UnicodeDecodeError:
            raise InputError(
                "The file starts as UTF-16 text, but is damaged.", where=name, fix="Save it as UTF-8."
            ) from None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        text = "The file is not UTF-8 and was read as Latin-1: check letters with accents, or save it as UTF-8."
        return data.decode("latin-1"), (Issue("warning", "read_as_latin_1", text, place=name),)


def first_line(text: str) -> str:
    """Return the first line of a text that is not blank."""
    found = re.search(r"[^\r\n]*\S[^\r\n]*", text)
    return found.group() if found else ""
