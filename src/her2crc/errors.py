"""Errors a pathologist can act on, and the exit code of each class.

Every error says what was wrong, where (file, line, field, specimen), why it matters and what to do.
The data are attributes, so that a program can use them; the text never holds patient text beyond the
offending value's field name and place.
"""

from __future__ import annotations


class Her2crcError(Exception):
    """Base of every error that her2crc raises on purpose.

    Args:
        what: what was wrong, one sentence.
        where: file, line, field or specimen, as far as known.
        why: why it matters for the answer.
        fix: what to do about it.
    """

    exit_code = 70

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return " ".join(part for part in (place + self.what, self.why, self.fix) if part)


class UsageError(Her2crcError):
    """The command or call itself was wrong: an unknown option, format or identifier."""

    exit_code = 64


class InputError(Her2crcError):
    """The input as a whole cannot be read (a single unusable value is an issue of its patient instead)."""

    exit_code = 65


class MissingInputError(InputError):
    """The input file does not exist or may not be read."""

    exit_code = 66


class MissingExtraError(Her2crcError):
    """An optional part of her2crc that this command needs is not installed."""

    exit_code = 69


class OutputError(Her2crcError):
    """The result cannot be written."""

    exit_code = 73


class KnowledgeError(Her2crcError):
    """A file of the knowledge base is wrong: it is refused whole, never used in part."""

    exit_code = 78
