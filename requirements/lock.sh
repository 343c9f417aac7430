#!/usr/bin/env bash
# Rewrites run.txt, dev.txt and peers.txt beside this script from pyproject.toml, for every platform, with hashes and without addresses.
# Usage: requirements/lock.sh              keep the locked releases, follow a change of pyproject.toml
#        requirements/lock.sh --upgrade    take the newest releases
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv

# Limits of the lock files alone. Newer releases of z3 have no wheel for aarch64 with the C library of Debian 12.
# pyrofile-validator's fhirpathpy needs python-dateutil 2, which newer matplotlib does not take.
printf '%s\n' 'z3-solver<4.15.5' 'python-dateutil<3' >"$tools/limits.txt"

compile() {
    "$tools/bin/uv" --no-config pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        --constraints "$tools/limits.txt" "$@" >/dev/null
}
compile pyproject.toml "$@" --extra all --group build --output-file requirements/run.txt
compile pyproject.toml "$@" --extra all --extra spark --extra bam --group build --group dev --constraints requirements/run.txt \
    --output-file requirements/dev.txt
compile "$@" --group peers --output-file requirements/peers.txt
