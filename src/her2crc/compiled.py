"""Where a package's busiest modules lie compiled; used only where they were made of just the source that is here.

``scripts/compile.py`` makes them with mypyc from the same Python, which runs as it is where they are missing: slower,
and with the same results. Under everything: a package names its folder and looks there first for its modules.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

FOLDER = "_compiled"
MARK = "source.sha256"
SWITCH = "HER2CRC_COMPILED"
"""Set to ``no``, the environment variable of this name keeps to Python: to debug, and to compare the two."""


def fingerprint(package: Path) -> str:
    """Return the hash of the source of a package's own modules: one that is changed, added or gone changes it."""
    found = sha256()
    for path in sorted(package.glob("*.py")):
        source = path.read_bytes()
        found.update(f"{path.name} {len(source)}\n".encode() + source)
    return found.hexdigest()


def compiled_folder(package: Path) -> list[str]:
    """Return the folder of a package's compiled modules, or nothing if there is none or it is of other source.

    Args:
        package: the folder of the package.
    """
    folder = package / FOLDER
    try:
        mark = (folder / MARK).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return []
    return [str(folder)] if mark == fingerprint(package) and os.environ.get(SWITCH) != "no" else []
