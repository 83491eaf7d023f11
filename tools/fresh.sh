#!/usr/bin/env bash
# Proves that a bare Debian 12 with make, git and python3 runs both commands: as a plain user, who is
# told the one line that root has to run, and as root. Tests the committed HEAD.
# usage: tools/fresh.sh [user|root]...      needs root and debootstrap; KEEP=1 keeps the folders
# The mirror, the package registries and the certificates are those that this machine is set up for.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SUITE=bookworm
readonly WORK=${FRESH_DIR:-/var/tmp/capture-app-fresh}
readonly HOME_THERE=/home/nurse
readonly CHECKOUT=$HOME_THERE/capture-app

main() {
    [ "$(id -u)" = 0 ] || stop "run it as root: debootstrap and chroot need it"
    command -v debootstrap >/dev/null || stop "install debootstrap first"
    # In namespaces of its own: every mount and every process ends with this script.
    if [ -z "${FRESH_INSIDE:-}" ]; then
        FRESH_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
    fi
    mkdir -p "$WORK"
    base_system
    [ $# -gt 0 ] || set -- user root
    for who in "$@"; do
        say "=== $who"
        new_system "$who"
        "proof_as_$who"
        say "=== $who: both commands work on a bare $SUITE"
        [ -n "${KEEP:-}" ] || remove "$ROOT"
    done
}

say() { echo "fresh: $*"; }

stop() {
    echo "fresh: $*" >&2
    exit 1
}

remove() {
    umount -R "$1/proc" "$1/dev" "$1/sys" 2>/dev/null || true
    rm -rf --one-file-system "$1"
}

# ------------------------------------------------------------------------------------------- systems

base_system() {
    if [ -e "$WORK/base.tar" ]; then return; fi
    say "debootstrap $SUITE"
    local mirror
    # shellcheck disable=SC2016  # apt's own variable
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    remove "$WORK/base"
    debootstrap --variant=minbase --include=make,git,python3 $SUITE "$WORK/base" "$mirror" >"$WORK/debootstrap.log"
    tar -C "$WORK/base" -cf "$WORK/base.tar.part" .
    mv "$WORK/base.tar.part" "$WORK/base.tar"
    remove "$WORK/base"
}

new_system() {
    ROOT=$WORK/$1
    remove "$ROOT"
    mkdir -p "$ROOT"
    tar -C "$ROOT" -xf "$WORK/base.tar"
    mount -t proc proc "$ROOT/proc"
    mount --rbind /dev "$ROOT/dev"
    mount --make-rslave "$ROOT/dev"
    mount -t sysfs sysfs "$ROOT/sys" 2>/dev/null || mount --rbind /sys "$ROOT/sys"
    as_this_machine
    chroot "$ROOT" useradd --create-home --home-dir $HOME_THERE nurse
    git clone --quiet --no-local . "$ROOT$CHECKOUT"
    chroot "$ROOT" chown -R nurse: $HOME_THERE
}

as_this_machine() {
    # Where this machine gets its packages from, so that the bare one asks there too.
    local file
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip /etc/npmrc \
        /etc/apt/apt.conf.d/*proxy* /usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then
            mkdir -p "$ROOT$(dirname "$file")"
            cp -rL "$file" "$ROOT$(dirname "$file")/"
        fi
    done
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u | grep security \
        | sed "s|.*|deb & $SUITE-security main|" >"$ROOT/etc/apt/sources.list.d/security.list" || true
}

environment() {
    env | grep -iE '^(pip_|npm_config_|https?_proxy|no_proxy|ssl_cert_|node_extra_ca|requests_ca)' || true
}

# Runs a command line in the checkout as a user; everything that it says is also in $SAID.
SAID=$(mktemp)
in_there() {
    local user=$1 home=$HOME_THERE status=0
    [ "$user" != root ] || home=/root
    local variables=()
    mapfile -t variables < <(environment)
    say "$user: $2"
    # pivot_root, for the kernel grants no user namespace (the small disks of the tests) in a chroot.
    # shellcheck disable=SC2016  # the inner shell's own variables
    unshare --mount sh -c 'mount --rbind "$0" "$0" && cd "$0" && pivot_root . mnt && umount -l mnt && exec "$@"' "$ROOT" \
        setpriv --reuid="$user" --regid="$user" --init-groups \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" "${variables[@]}" \
        sh -c "cd $CHECKOUT && $2" </dev/null 2>&1 | tee "$SAID" || status=${PIPESTATUS[0]}
    return "$status"
}

# ------------------------------------------------------------------------------------------- proofs

proof_as_user() {
    told_then_done run
    told_then_done test
    tests_ran
}

told_then_done() {
    local status=0 line
    in_there nurse "make $1" || status=$?
    [ "$status" = 2 ] || stop "make $1 without rights: exit $status instead of 2"
    line=$(sed -n 's/^setup: as root, once: //p' "$SAID")
    [ "$(grep -c . <<<"$line")" = 1 ] || stop "make $1 without rights printed no line for root"
    in_there root "$line" >/dev/null || stop "root's line failed: $(tail -n 5 "$SAID")"
    in_there nurse "make $1" || stop "make $1 as a plain user failed"
}

proof_as_root() {
    chroot "$ROOT" chown -R root: $CHECKOUT
    in_there root "make run" || stop "make run as root failed"
    [ ! -e "$ROOT/usr/sbin/policy-rc.d" ] || stop "set-up left its policy-rc.d behind"
    in_there root "make test" || stop "make test as root failed"
    tests_ran
}

tests_ran() {
    grep -Eq '\b[1-9][0-9]* passed\b' "$SAID" || stop "no test has passed"
}

main "$@"
