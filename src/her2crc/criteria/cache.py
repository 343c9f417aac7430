"""The compiled knowledge, kept between runs under the hash of the files it came from.

Compiling takes most of a second (sqlglot, YAML); reading the cache takes milliseconds. The cache is a JSON file of
frozen structs in the user's cache folder; a changed knowledge file or program version gives another name, and a
cache that cannot be written or read is simply not used.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR, Editions, files_of, hash_files


def load_editions(local: Sequence[Path] = (), folder: Path = KNOWLEDGE_DIR) -> Editions:
    """Return the compiled knowledge, from the cache where it is fresh.

    Args:
        local: a laboratory's own criteria files.
        folder: the knowledge folder.

    Raises:
        KnowledgeError: a file is wrong (only fresh files are compiled, so a bad file is never used).
    """
    key = hash_files(_files(folder, local))
    return _load(key, folder, tuple(local))


@lru_cache(maxsize=4)
def _load(key: str, folder: Path, local: tuple[Path, ...]) -> Editions:
    cached = _cache_path(key)
    with suppress(OSError, msgspec.DecodeError):
        if cached:
            return msgspec.json.decode(cached.read_bytes(), type=Editions)
    from her2crc.criteria.compile import compile_editions

    editions = compile_editions(folder, local)
    if cached:
        _write(cached, msgspec.json.encode(editions))
    return editions


def _files(folder: Path, local: Sequence[Path]) -> dict[str, Path]:
    """Everything that the compiled knowledge depends on: its files, a laboratory's own, and the code of its types."""
    package = Path(__file__).resolve().parent.parent
    files = {path.relative_to(folder).as_posix(): path for path in files_of(folder)}
    files |= {f"local/{path}": path for path in local}
    code = (path for part in ("criteria", "model") for path in (package / part).glob("*.py"))
    return files | {f"code/{path.parent.name}/{path.name}": path for path in code}


def _cache_path(key: str) -> Path | None:
    """Return where the cache of this knowledge stands; None where the account has no home folder."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return root / "her2crc" / f"knowledge-{key}.json"


def _write(path: Path, content: bytes) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as handle:
            handle.write(content)
        Path(handle.name).replace(path)
