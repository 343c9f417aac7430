"""A folder, or a zip archive of one, as named files that are read line by line.

Between a path and the readers of study folders: nothing is ever unpacked to disk, and a name that leads out of the
archive is left out. Limits stand here, so that no reader can forget them.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from her2crc.errors import InputError, MissingInputError
from her2crc.read.source import refuse_too_large, unpack

MAX_RATIO = 500
"""How often larger an entry may unpack; a sparse copy-number matrix stays below a tenth of this."""
MAX_ENTRIES = 10_000
PACKED, GZIP = ".gz", b"\x1f\x8b"
Opener = Callable[[], IO[bytes]]
IGNORED_FOLDERS = ("__MACOSX",)
DAMAGED = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    struct.error,
    zlib.error,
)


class Folder(NamedTuple):
    """Files by their path inside the folder, written with ``/``; ``name`` is for messages."""

    name: str
    files: Mapping[str, Opener]

    def read(self, path: str) -> bytes:
        """Return the whole content of one file.

        Raises:
            InputError: it cannot be read.
        """
        try:
            with self.files[path]() as file:
                return file.read()
        except DAMAGED as error:
            raise _unreadable(f"{self.name}/{path}", error) from None

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield each line that is not blank with its number, however long the file. Raises as :meth:`read`."""
        try:
            with self.files[path]() as file:
                for number, line in enumerate(file, 1):
                    text = _decode(line).rstrip("\r\n")
                    if text.strip():
                        yield number, text.removeprefix("\ufeff")
        except DAMAGED as error:
            raise _unreadable(f"{self.name}/{path}", error) from None


def open_folder(path: Path) -> Folder:
    """Return a folder of the disk: its files, and those of its folders one level down.

    Raises:
        MissingInputError: it may not be read, or is empty.
    """
    try:
        entries = [*path.iterdir()]
        entries += [inner for entry in entries if entry.is_dir() for inner in entry.iterdir()]
        files = sorted(entry for entry in entries if entry.is_file() and not entry.name.startswith("."))
    except OSError:
        raise MissingInputError("The folder cannot be opened.", where=str(path), fix="Check who may read it.") from None
    if not files:
        raise MissingInputError("The folder is empty.", where=str(path), fix="Name a folder with files.")
    return Folder(path.name, _unpacked({file.relative_to(path).as_posix(): _opener(file) for file in files}))


def open_zip(data: bytes, name: str) -> Folder:
    """Return the files of a zip archive; a single folder that holds all of them is left out of their names.

    Raises:
        InputError: damaged, protected by a password, or unpacks to too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except DAMAGED as error:
        raise _unreadable(name, error) from None
    entries = [entry for entry in archive.infolist() if _is_inside(entry.filename) and not entry.is_dir()]
    _refuse_bomb(entries, name)
    paths = {entry.filename: PurePosixPath(entry.filename) for entry in entries}
    tops = {path.parts[0] if path.parent.parts else "" for path in paths.values()}
    top = tops.pop() if len(tops) == 1 else ""
    inner = {entry: str(path.relative_to(top)) if top else str(path) for entry, path in paths.items()}
    return Folder(name, _unpacked({path: partial(archive.open, entry) for entry, path in inner.items()}))


def _unpacked(files: Mapping[str, Opener]) -> dict[str, Opener]:
    """Return the files with those packed with gzip under their own name, where no such file stands beside them."""
    return {_own_name(path, files): _unpacking(path, opener, files) for path, opener in files.items()}


def _own_name(path: str, files: Mapping[str, Opener]) -> str:
    bare = path.removesuffix(PACKED)
    return path if bare in files else bare


def _unpacking(path: str, opener: Opener, files: Mapping[str, Opener]) -> Opener:
    def opened() -> IO[bytes]:
        with opener() as packed:
            data = packed.read()
        return io.BytesIO(unpack(data, path) if data.startswith(GZIP) else data)

    return opener if _own_name(path, files) == path else opened


def _opener(file: Path) -> Opener:
    return lambda: file.open("rb")


def _is_inside(entry: str) -> bool:
    """Tell whether a name stays in the archive and is of interest (hidden files and folders are not)."""
    parts = entry.split("/")
    leads_out = "\\" in entry or ":" in parts[0] or not all(parts)
    return not leads_out and not any(part.startswith(".") or part in IGNORED_FOLDERS for part in parts)


def _refuse_bomb(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"The archive holds more than {MAX_ENTRIES} files.", where=name, fix="Split it.")
    refuse_too_large(sum(entry.file_size for entry in entries), name)
    if any(entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries):
        raise InputError(
            f"A file of the archive unpacks to more than {MAX_RATIO} times its size, as no table of results does.",
            where=name,
            fix="Unpack it yourself, if you trust it, and name the folder.",
        )


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _unreadable(name: str, error: Exception) -> InputError:
    if isinstance(error, RuntimeError) and not isinstance(error, NotImplementedError):
        return InputError("The archive is protected by a password.", where=name, fix="Unpack it first.")
    return InputError(
        "The file cannot be read, or is damaged.", where=name, fix="Copy it again from where it was made."
    )
