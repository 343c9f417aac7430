#!/usr/bin/env bash
# Rewrites run.txt and dev.txt beside this script from pyproject.toml, for every platform, with hashes and without addresses.
# Usage: requirements/lock.sh              keep the locked releases, follow a change of pyproject.toml
#        requirements/lock.sh --upgrade    take the newest releases
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv

# Limits of the lock files alone. Newer releases of z3 have no wheel for aarch64 with the C library of Debian 12.
echo 'z3-solver<4.15.5' >"$tools/limits.txt"

compile() {
    "$tools/bin/uv" --no-config pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        --constraints "$tools/limits.txt" "$@" >/dev/null
}
compile "$@" --group build --output-file requirements/run.txt
compile "$@" --group build --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
