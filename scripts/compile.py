"""Compile the busiest modules with mypyc, the compiler that comes with mypy. Takes half a minute.

    .venv/bin/python scripts/compile.py

Needs a C compiler and Python's headers. What is made lies in ``_compiled`` inside of each package, and is used only as
long as the package's source is the same (``her2crc.compiled``). Modules that define records for msgspec are left as
they are, since compiling would take the types from them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup

from her2crc.compiled import FOLDER, MARK, fingerprint

SOURCE = Path(__file__).resolve().parents[1] / "src" / "her2crc"
BUSY = {
    "frontends/text": (
        *("binding", "circumstances", "context", "counts", "denials", "drafts", "extract", "fold", "gather", "layout"),
        *("lexicon", "markers", "numbers", "scan", "scores", "sections", "shares", "sharing", "statuses", "values"),
        *("walk", "windows", "wording"),
    ),
}
"""The modules of each package that are compiled."""
SETTINGS = """\
[mypy]
cache_dir = /dev/null
follow_imports = skip
[mypy-{packages},her2crc.errors,her2crc.model.*,msgspec.*,builtins,collections.*,functools,re,typing]
follow_imports = normal
"""
"""Nothing beside what these modules handle has to be looked at: the whole project is checked by `make check`."""


def build(work: Path) -> Path:
    """Compile in a folder of its own, and return where the modules lie."""
    os.chdir(work)
    Path("her2crc").symlink_to(SOURCE)
    packages = ",".join(f"her2crc.{package.replace('/', '.')}.*" for package in BUSY)
    Path("mypy.ini").write_text(SETTINGS.format(packages=packages), encoding="utf-8")
    files = [f"her2crc/{package}/{module}.py" for package, modules in BUSY.items() for module in modules]
    extensions = mypycify(["--config-file", "mypy.ini", *files], opt_level="2", debug_level="0", separate=True)
    cores = os.cpu_count() or 1
    setup(
        name="her2crc-compiled",
        packages=[],
        ext_modules=extensions,
        script_args=["build_ext", "--build-lib=out", f"-j{cores}"],
    )
    return work / "out" / "her2crc"


def main() -> None:
    """Compile, then put what was made in its place, all at once for each package."""
    before = {package: fingerprint(SOURCE / package) for package in BUSY}
    with tempfile.TemporaryDirectory() as name:
        built = build(Path(name))
        for package, mark in before.items():
            folder = SOURCE / package / FOLDER
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(built / package, folder)
            (folder / MARK).write_text(mark, encoding="ascii")
    print(f"compiled: {', '.join(BUSY)}", file=sys.stderr)


if __name__ == "__main__":
    main()
