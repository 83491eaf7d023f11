#!/usr/bin/env bash
# Makes the machine in which attached devices are tried: Debian's own kernel with its camera, USB and
# input drivers, a ramdisk that mounts this computer's files, and v4l2loopback built for that kernel.
# usage: build.sh DIR
# Leaves DIR/vmlinuz, DIR/initrd.gz and DIR/v4l2loopback.ko; what is there and current stays. No root.
set -euo pipefail

readonly DIR=$(realpath -m "${1:?usage: build.sh DIR}")
readonly HERE=$(dirname "$(realpath "$0")")
# What of the kernel's modules the machine may need: its own disk and input, media, USB as guest and host.
readonly DRIVERS='9p|netfs|fscache|virtio|overlay|/input/|/hid/|usb/(core|common|usbip)|rc-core|cec|/media/(mc|v4l2-core|common|cec/core|rc/rc-core)|vivid|uvc|videobuf2|v4l2-tpg'

main() {
    local image version stamp
    image=$(apt-cache depends linux-image-amd64 | sed -n 's/ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    [ -n "$image" ] || die "apt knows no linux-image-amd64: run apt-get update"
    version=${image#linux-image-}
    stamp="$(apt-cache policy "$image" | sed -n 's/ *Candidate: //p') $(cat "$HERE/build.sh" "$HERE/init" | sha256sum)"
    if [ "$(cat "$DIR/made" 2>/dev/null)" = "$stamp" ]; then return; fi
    echo "devices: making the machine ($version)" >&2
    mkdir -p "$DIR"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    unpack "$image" "$version"
    cp "kernel/boot/vmlinuz-$version" "$DIR/vmlinuz"
    loopback "$version"
    ramdisk "$version"
    echo "$stamp" >"$DIR/made"
}

die() {
    echo "devices: $*" >&2
    exit 2
}

unpack() {
    local base=${2%-amd64} kbuild package
    kbuild=linux-kbuild-$(echo "$2" | cut -d. -f1,2)
    for package in "$1" "linux-headers-$2" "linux-headers-$base-common" "$kbuild" v4l2loopback-dkms; do
        apt-get -qq download "$package" 2>/dev/null || die "$package cannot be downloaded"
    done
    for package in *.deb; do dpkg-deb -x "$package" kernel; done
}

loopback() {
    local headers=$PWD/kernel/usr/src/linux-headers-$1 kbuild source tool
    kbuild=$(echo "$PWD"/kernel/usr/lib/linux-kbuild-*)
    source=$(echo "$PWD"/kernel/usr/src/v4l2loopback-*)
    # The headers name where a package would have put them; here they lie elsewhere.
    sed -i "s|/usr/src/linux-headers|$PWD/kernel/usr/src/linux-headers|g" "$headers/Makefile"
    for tool in scripts tools; do ln -sfn "$kbuild/$tool" "$headers/$tool"; done
    make -s -C "$headers" M="$source" modules >module.log 2>&1 || { cat module.log >&2; die "v4l2loopback cannot be built"; }
    cp "$source/v4l2loopback.ko" "$DIR/"
}

ramdisk() {
    local disk=$PWD/disk modules
    mkdir -p "$disk"/{bin,proc,sys,dev,host,top,lib/modules}
    cp /bin/busybox "$disk/bin/"
    cp -r "kernel/lib/modules/$1" "$disk/lib/modules/"
    modules=$disk/lib/modules/$1
    find "$modules" -name '*.ko' | grep -Ev "$DRIVERS" | xargs rm -f
    PATH=$PATH:/usr/sbin:/sbin depmod -b "$disk" "$1"
    install -m 755 "$HERE/init" "$disk/init"
    (cd "$disk" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$DIR/initrd.gz"
}

main
