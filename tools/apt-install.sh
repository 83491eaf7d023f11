#!/usr/bin/env bash
# Installs Debian packages as root, asking nothing and starting no daemon.
# usage: tools/apt-install.sh PACKAGE...
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
readonly POLICY=/usr/sbin/policy-rc.d
readonly OPTIONS=(-q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
ours=

# Debian asks this file before it starts a service; 101 forbids it. One that is there is respected.
if [ ! -e $POLICY ]; then
    ours=1
    trap 'rm -f $POLICY' EXIT
    printf '#!/bin/sh\nexit 101\n' >$POLICY
    chmod 755 $POLICY
fi

# The lists have a lock of their own, without a time-out.
for _ in $(seq 30); do
    if apt-get "${OPTIONS[@]}" update; then break; fi
    echo "apt-install: the package lists are busy or out of reach; trying again" >&2
    sleep 10
done
apt-get "${OPTIONS[@]}" install -y --no-install-recommends "$@"

# Nor shall a test archive listen after the next start of the machine.
if [ -n "$ours" ] && command -v systemctl >/dev/null; then
    for package in "$@"; do
        case $package in orthanc) systemctl --quiet disable orthanc || true ;; esac
    done
fi
