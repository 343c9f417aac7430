#!/usr/bin/env bash
# Sets up her2crc in .venv; quick when nothing has changed.
# Usage: scripts/setup.sh run     what a user needs
#        scripts/setup.sh test    that, and what the checks and tests need
#        scripts/setup.sh peers   the programs that are measured beside us, in .venv-peers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "setup: $*"; }
warn() { echo "setup: $*" >&2; }
die() { warn "$@"; exit 1; }

# Shows a command's output only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; else cat "$log" >&2; rm -f "$log"; return 1; fi
}

# Installs Debian packages where that is possible: as root, with apt-get.
apt_install() {
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
    say "installing with apt-get: $*"
    quietly apt-get update -qq &&
        quietly env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
}

is_recent_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Tries each by running it: a version manager may leave a command that only prints an error.
find_python() {
    local name names=(python3 python3.14 python3.13 python3.12 python3.11 python)
    [[ -z ${PYTHON:-} ]] || names=("$PYTHON")
    for name in "${names[@]}"; do
        if is_recent_python "$name"; then echo "$name"; return; fi
    done
    die "Python 3.11 or newer was not found${PYTHON:+ as $PYTHON}. Install it (Debian: apt-get install python3 python3-venv)," \
        "or name one: make setup PYTHON=..."
}

venv_is_usable() {
    is_recent_python .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 &&
        grep -qF "$(pwd -P)/.venv" .venv/pyvenv.cfg # its commands name the folder that they were made in
}

make_venv() {
    if [[ -e .venv ]]; then
        venv_is_usable && return
        die ".venv is unfinished, too old, or was made in another folder. Remove it (make clean) and run again."
    fi
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$python cannot make a virtual environment. Install its venv module (Debian: apt-get install python3-venv)."
    say "making .venv with $("$python" --version)"
    quietly "$python" -m venv .venv || die ".venv could not be made; the reason is above."
}

# changed NAME FILE...: true when the files differ from those that NAME was last installed from.
changed() { [[ $(fingerprint "${@:2}") != "$(cat ".venv/.installed-$1" 2>/dev/null)" ]]; }
installed() { fingerprint "${@:2}" >".venv/.installed-$1"; }
fingerprint() {
    cat "$@" | .venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

pip_install() {
    quietly .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" ||
        die "pip could not install; the reason is above."
}

install_package() {
    local inputs=(requirements/run.txt pyproject.toml scripts/setup.sh)
    changed run "${inputs[@]}" || return 0
    say "installing her2crc and what it needs"
    pip_install --require-hashes -r requirements/run.txt
    pip_install --no-deps --no-build-isolation --editable .
    installed run "${inputs[@]}"
}

# Where there is a C compiler, the reader of report text is compiled: the same results in half the time.
compile_busy_modules() {
    local inputs=(src/her2crc/frontends/text/*.py scripts/compile.py requirements/run.txt)
    changed compiled "${inputs[@]}" || return 0
    if command -v "${CC:-cc}" >/dev/null; then
        say "compiling the reader of report text"
        quietly .venv/bin/python scripts/compile.py && installed compiled "${inputs[@]}" && return
    fi
    warn "the reader of report text stays uncompiled: it works just so, at about half the speed." \
        "(To compile it, Debian: apt-get install gcc python3-dev)"
}

# WeasyPrint lays text out with Pango, which pip cannot install.
install_pdf_libraries() {
    .venv/bin/python -c '
import sys
from ctypes.util import find_library
sys.exit(not all(map(find_library, ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset"))))' && return
    apt_install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 ||
        warn "Pango or HarfBuzz is missing: only '--format pdf' is affected." \
            "(Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
}

# Reads and checks the whole knowledge base once, so that the first real command is quick.
warm_knowledge() {
    .venv/bin/her2crc criteria list >/dev/null || die "the knowledge base could not be read; the reason is above."
}

install_test_packages() {
    changed test requirements/dev.txt || return 0
    say "installing what the checks and tests need"
    pip_install --require-hashes -r requirements/dev.txt
    installed test requirements/dev.txt
}

install_cql_engine() {
    local inputs=(tests/cql/package.json tests/cql/package-lock.json)
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        warn "node or npm is missing: the tests that run the exported CQL need them. (Debian: apt-get install nodejs npm)"
        return
    fi
    [[ -d tests/cql/node_modules ]] && ! changed cql "${inputs[@]}" && return
    say "installing the CQL engine for the tests"
    quietly npm --prefix tests/cql ci --ignore-scripts --no-audit --no-fund ||
        die "npm could not install the CQL engine; the reason is above."
    installed cql "${inputs[@]}"
}

has_java() { java -version >/dev/null 2>&1; }
has_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

install_test_tools() {
    local missing=()
    command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
    command -v pdftoppm >/dev/null || missing+=(poppler-utils)
    has_java || missing+=(openjdk-17-jre-headless)
    has_postgres || missing+=(postgresql)
    [[ ${#missing[@]} == 0 ]] || apt_install "${missing[@]}" ||
        warn "missing: ${missing[*]}. The tests that look at web pages (chromium) or at PDF pages (poppler-utils)," \
            "and those that run Spark (openjdk) or a database server (postgresql), need them." \
            "(Debian: apt-get install ${missing[*]})"
}

# Other releases of what we use: they get an environment of their own.
install_peers() {
    [[ -e .venv-peers ]] || quietly .venv/bin/python -m venv .venv-peers || die ".venv-peers could not be made."
    changed peers requirements/peers.txt || return 0
    say "installing the programs that are measured beside us"
    quietly .venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/peers.txt || die "pip could not install the peers; the reason is above."
    installed peers requirements/peers.txt
}

case "${1:-}" in
run | test | peers) ;;
*) die "usage: scripts/setup.sh run|test|peers" ;;
esac
make_venv
install_package
install_pdf_libraries
compile_busy_modules
warm_knowledge
if [[ $1 == test ]]; then
    install_test_packages
    install_cql_engine
    install_test_tools
fi
if [[ $1 == peers ]]; then
    install_peers
fi
