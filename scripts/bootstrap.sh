#!/bin/sh
# Make .venv what requirements-dev.lock and pyproject.toml say. Run by `make setup` from the project's root.
#
# Quick when nothing changed; begins again after an interruption; touches nothing outside .venv and .tools.
# Ways, in this order: uv on the PATH; python3 -m venv and pip; uv installed into .tools by a pip that has no venv.
set -eu

unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_ROOT UV_SYSTEM_PYTHON UV_PYTHON 2>/dev/null || true
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONNOUSERSITE=1
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1

STAMP=.venv/.setup-done          # holds what the environment was made from
UNFINISHED=.venv/.setup-running  # there while an installation runs: what it left is not trusted
PLACE=.venv/.setup-place         # where it was made
LOCK=requirements-dev.lock

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 1; }

wanted() { printf '%s %s' "$(cat "$LOCK" pyproject.toml | cksum)" "$PWD"; }

healthy() {  # it runs, and was made here: in a moved or copied folder its programs point elsewhere
    .venv/bin/python -c pass 2>/dev/null && [ "$(cat "$PLACE" 2>/dev/null || printf %s "$PWD")" = "$PWD" ]
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

begin() {  # $1: the program that makes the environment, and its arguments
    mkdir -p .venv
    : >"$UNFINISHED"
    printf %s "$PWD" >"$PLACE"
    [ -x .venv/bin/python ] || "$@"
}

with_uv() {  # $1: uv
    begin "$1" venv --quiet --allow-existing --python "$PY" .venv &&
        "$1" pip sync --quiet --compile-bytecode --require-hashes --python .venv/bin/python "$LOCK" &&
        "$1" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e .
}

with_pip() {
    begin "$PY" -m venv .venv &&
        { .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null; } &&
        .venv/bin/python -m pip install -qq --no-deps --require-hashes -r "$LOCK" &&
        .venv/bin/python -m pip install -qq --no-deps --no-build-isolation -e .
}

own_uv() {
    [ -x .tools/bin/uv ] || "$PY" -m pip install -qq --target .tools uv
}

if command -v flock >/dev/null 2>&1; then  # two at once would build on each other's ruins
    exec 9<"$0"
    flock 9
fi
if [ -f "$STAMP" ] && [ ! -e "$UNFINISHED" ] && [ "$(cat "$STAMP")" = "$(wanted)" ] && healthy; then
    exit 0
fi

PY=$(find_python) || fail "Python 3.11 or newer is needed and was not found on the PATH (or name it: make setup PYTHON=/path/to/python3)"
if [ -e "$UNFINISHED" ] || ! healthy; then
    rm -rf .venv
fi
say "preparing .venv with $("$PY" --version) (once; takes up to a minute)"

if command -v uv >/dev/null 2>&1 && with_uv uv; then
    how=uv
elif "$PY" -c 'import ensurepip, venv' 2>/dev/null && with_pip; then
    how=pip
elif "$PY" -m pip --version >/dev/null 2>&1 && own_uv && with_uv .tools/bin/uv; then
    how="uv in .tools"
elif "$PY" -c 'import ensurepip, venv' 2>/dev/null || "$PY" -m pip --version >/dev/null 2>&1; then
    fail "the packages could not be installed; the reason stands above (is the package index reachable?)"
else
    fail "this Python has neither venv nor pip: apt install python3-venv"
fi
wanted >"$STAMP"
rm -f "$UNFINISHED"
say "ready ($how)"
