#!/usr/bin/env bash
# Builds libjpeg-turbo for Windows from Debian's source: resources/libraries/turbojpeg.dll, which a wheel then holds.
# On Debian the package libturbojpeg0 is used. Needs cmake, make, nasm and gcc-mingw-w64-x86-64-win32, and apt for the
# source, from wherever this computer has its packages. Debian's own patches are left out.
# usage: tools/build-turbojpeg.sh [SOURCE.tar.gz, where it was fetched before]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SOURCE=libjpeg-turbo=1:2.1.5-2
# As Debian's signed libjpeg-turbo_2.1.5-2.dsc has it.
readonly SHA256=254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c
# The day of that release, not that of the build: the same source makes the same file.
readonly BUILD=20230203
readonly CROSS=x86_64-w64-mingw32
readonly INTO=resources/libraries

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Fetches Debian's source with lists of its own: those of the machine need not name sources.
fetch() {
    mkdir -p "$scratch/apt/parts" "$scratch/apt/lists/partial" "$scratch/fetched"
    chmod 755 "$scratch" && chmod 777 "$scratch/fetched"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        if [ -f "$list" ]; then
            sed -E 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$list" >"$scratch/apt/parts/$(basename "$list")"
        fi
    done
    local options=(-qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$scratch/apt/parts"
        -o "Dir::State::lists=$scratch/apt/lists" -o "Dir::Cache=$scratch/apt")
    apt-get "${options[@]}" update
    (cd "$scratch/fetched" && apt-get "${options[@]}" source --only-source --download-only $SOURCE)
    cp "$scratch"/fetched/*.orig.tar.gz "$scratch/source.tar.gz"
}

if [ $# -gt 0 ]; then
    cp "$1" "$scratch/source.tar.gz"
else
    fetch
fi
if ! echo "$SHA256  $scratch/source.tar.gz" | sha256sum --check --quiet --status; then
    echo "build-turbojpeg: this is not the source that is pinned" >&2
    exit 1
fi
for program in cmake make nasm $CROSS-gcc; do
    if ! command -v $program >/dev/null; then
        echo "build-turbojpeg: as root, once: tools/apt-install.sh cmake make nasm gcc-mingw-w64-x86-64-win32" >&2
        exit 2
    fi
done
mkdir "$scratch/source"
tar --extract --gzip --file "$scratch/source.tar.gz" --directory "$scratch/source" --strip-components=1

# Nothing but Windows itself beside it: no DLL of the compiler.
cmake -S "$scratch/source" -B "$scratch/build" --log-level=ERROR -Wno-dev \
    -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=AMD64 -DCMAKE_C_COMPILER=$CROSS-gcc \
    -DCMAKE_RC_COMPILER=$CROSS-windres -DCMAKE_INSTALL_PREFIX="$scratch/install" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$scratch=." -DENABLE_STATIC=0 -DREQUIRE_SIMD=1 -DBUILD=$BUILD \
    -DCMAKE_SHARED_LINKER_FLAGS="-static-libgcc -Wl,--no-insert-timestamp,--strip-all" >/dev/null
cmake --build "$scratch/build" --target turbojpeg >/dev/null

mkdir -p $INTO
install -m 644 "$scratch/build/libturbojpeg.dll" $INTO/turbojpeg.dll
# Its licences go with it (IJG, BSD-3-Clause, zlib).
install -m 644 "$scratch/source/LICENSE.md" $INTO/turbojpeg-LICENSE.md
install -m 644 "$scratch/source/README.ijg" $INTO/turbojpeg-README.ijg
sha256sum $INTO/turbojpeg.dll
