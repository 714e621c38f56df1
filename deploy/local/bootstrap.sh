#!/bin/sh
# Makes everything that Python needs in the checkout, then does one of the steps that the Makefile
# names: up, down, demo, test, test-peers, check, audit, bench, faults, mutants, schemas. Needs Python 3.11+ alone.
set -eu

cd "$(dirname "$0")/../.."
venv=.venv

# What the tests against Debian's own programs need; the only list of it.
peers="chromium strace prometheus postfix dovecot-imapd"

die() { # cause, remedy
    printf 'postdesk: %s\n' "$1" >&2
    printf 'What helps: %s\n' "$2" >&2
    exit 1
}

say() { printf 'postdesk: %s\n' "$1" >&2; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed, and there is none in PATH." \
        "install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: PYTHON=/path/to/python3.12 make ..."
}

make_venv() {
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null; then
        return
    fi
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$python has no module venv or ensurepip." \
            "Debian, Ubuntu: apt-get install python3-venv; elsewhere install Python whole."
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv" ||
        die "the virtual environment could not be made." \
            "see the message above; is there room and may you write in $(pwd)?"
}

# Installs a requirements file if it, or Python, changed since it was last installed.
install() { # requirements file
    wanted="$(cksum <"$1") $("$venv/bin/python" --version)"
    stamp="$venv/installed-${1%.txt}"
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge 1500 ] ||
        die "only $free MB are free in $(pwd); 1500 MB are needed." "make room."
    say "installing what is listed in $1 (once; a few minutes on a slow line)"
    rm -f "$stamp"
    quiet=--quiet
    [ -t 2 ] && quiet=
    # shellcheck disable=SC2086 # one word or none
    "$venv/bin/python" -m pip install $quiet --disable-pip-version-check \
        --require-hashes -r "$1" >&2 ||
        die "the dependencies could not be installed." \
            "see pip's message above; mostly the network or a proxy (HTTPS_PROXY), or a full disk."
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps \
        --no-build-isolation -e . >&2 ||
        die "Postdesk itself could not be installed into $venv." "see pip's message above."
    printf '%s' "$wanted" >"$stamp"
}

prepare() { # requirements file
    make_venv
    install "$1"
}

run_checks() {
    "$venv/bin/ruff" check .
    "$venv/bin/ruff" format --check .
    "$venv/bin/mypy"
    "$venv/bin/lint-imports"
    "$venv/bin/python" -m shared.contracts.generate --check
    "$venv/bin/python" -m tests.features --check
    "$venv/bin/python" -m shared.contracts.compatibility
    "$venv/bin/python" -m deploy.licences --check
}

install_peers() {
    missing=""
    for package in $peers; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] ||
        die "these Debian packages are missing:$missing." "install them, or run this as root on Debian."
    say "installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 &&
        # shellcheck disable=SC2086 # a list of words
        apt-get install -qq -y --no-install-recommends $missing >&2 ||
        die "the Debian packages could not be installed." "see apt-get's message above."
}

step=${1:-}
[ $# -gt 0 ] && shift
case "$step" in
up)
    prepare requirements.txt
    "$venv/bin/postdesk" up --detach "$@"
    ;;
down)
    [ -x "$venv/bin/postdesk" ] || exit 0
    "$venv/bin/postdesk" down "$@"
    ;;
demo)
    prepare requirements.txt
    "$venv/bin/postdesk" status "$@" >/dev/null 2>&1 || "$venv/bin/postdesk" up --detach "$@"
    "$venv/bin/postdesk" demo "$@"
    ;;
test)
    prepare requirements-dev.txt
    "$venv/bin/pytest" -m "not peers" "$@"
    ;;
test-peers)
    prepare requirements-dev.txt
    install_peers
    code=0
    "$venv/bin/pytest" -m peers "$@" || code=$?
    [ "$code" != 5 ] || { say "no test is marked 'peers'" && code=0; } # pytest's code for none
    exit "$code"
    ;;
check)
    prepare requirements-dev.txt
    run_checks
    ;;
audit)
    prepare requirements-dev.txt
    "$venv/bin/python" -m deploy.audit "$@"
    ;;
bench)
    prepare requirements-dev.txt
    "$venv/bin/python" -m tests.bench.run "$@"
    ;;
faults)
    prepare requirements-dev.txt
    "$venv/bin/python" -m tests.faults "$@"
    ;;
mutants)
    prepare requirements-dev.txt
    install_peers
    "$venv/bin/python" -m tests.faults.mutants "$@"
    ;;
schemas)
    prepare requirements-dev.txt
    "$venv/bin/python" -m shared.contracts.generate
    "$venv/bin/python" -m tests.features
    "$venv/bin/python" -m deploy.licences
    ;;
*)
    die "unknown step '$step'." "one of: up down demo test test-peers check audit bench faults mutants schemas."
    ;;
esac
