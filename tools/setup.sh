#!/usr/bin/env bash
# Makes this checkout ready: system packages, virtual environment, locked dependencies, our package.
# usage: tools/setup.sh run|check|test|devices
#   run      what the app needs;          check    adds linters and test tools
#   test     adds the real peers;         devices  adds the machine with camera drivers to those
# Does nothing that is done already. Exit 2: a person has to do what the last line says.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.venv

main() {
    local level=$1
    case $level in run | check | test | devices) ;; *) die "usage: tools/setup.sh run|check|test|devices" ;; esac
    system_packages "$level"
    virtual_environment
    locked run requirements.lock
    if [ "$level" != run ]; then locked check requirements-dev.lock; fi
    our_package
    case $level in test | devices) node_peers ;; esac
}

die() {
    echo "setup: $*" >&2
    exit 2
}

# ---------------------------------------------------------------------------------- system packages

system_packages() {
    local lists=(tools/system-packages-run.txt) missing=()
    case $1 in test | devices) lists+=(tools/system-packages-test.txt) ;; esac
    if [ "$1" = devices ]; then lists+=(tools/system-packages-devices.txt); fi
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        not_debian "${lists[@]}"
        return
    fi
    mapfile -t missing < <(missing_packages "${lists[@]}")
    if [ ${#missing[@]} -gt 0 ]; then
        if [ "$(id -u)" = 0 ]; then
            tools/apt-install.sh "${missing[@]}"
        elif sudo -n true 2>/dev/null; then
            sudo -n tools/apt-install.sh "${missing[@]}"
        else
            die "as root, once: $PWD/tools/apt-install.sh ${missing[*]}"
        fi
    fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
        || die "python3 (3.11 or later) is needed first"
}

missing_packages() {
    local package unless
    while read -r package unless; do
        case $package in '' | '#'*) continue ;; esac
        if [ -n "$unless" ] && sh -c "$unless" >/dev/null 2>&1; then continue; fi
        # shellcheck disable=SC2016  # dpkg's own variable
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true) in
            ii*) ;;
            *) echo "$package" ;;
        esac
    done < <(cat "$@")
}

not_debian() {
    if [ -n "${CAPTURE_SYSTEM_PACKAGES_ARE_THERE:-}" ]; then return; fi
    echo "setup: this is not Debian. Install what these Debian packages hold:" >&2
    sed -e '/^#/d' -e 's/[[:space:]].*//' "$@" | paste -sd ' ' >&2
    die "then say so: make ... CAPTURE_SYSTEM_PACKAGES_ARE_THERE=1"
}

# --------------------------------------------------------------------------------------- what we pin

hash_of() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

is_stamped() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

virtual_environment() {
    # A copied or moved environment, or one whose Python is gone, is made anew.
    if ! is_stamped $VENV/.made "$PWD" || ! $VENV/bin/python -c '' 2>/dev/null; then
        rm -rf $VENV
        python3 -m venv $VENV
        echo "$PWD" >$VENV/.made
    fi
}

locked() {
    local stamp=$VENV/.locked-$1 hash
    hash=$(hash_of "$2")
    if is_stamped "$stamp" "$hash"; then return; fi
    echo "setup: installing $2"
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement "$2"
    echo "$hash" >"$stamp"
}

our_package() {
    local stamp=$VENV/.ours hash
    hash=$(hash_of pyproject.toml requirements.lock)
    if is_stamped "$stamp" "$hash"; then return; fi
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation --no-deps --editable .
    echo "$hash" >"$stamp"
}

node_peers() {
    local stamp=tests/node/node_modules/.locked hash
    hash=$(hash_of tests/node/package-lock.json)
    if is_stamped "$stamp" "$hash"; then return; fi
    echo "setup: installing tests/node/package-lock.json"
    npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund --loglevel error
    echo "$hash" >"$stamp"
}

main "$@"
