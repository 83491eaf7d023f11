#!/usr/bin/env bash
# Writes requirements.lock (what ships, and the build tool) and requirements-dev.lock (what tests add).
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch"
"$scratch/bin/pip" install --quiet --disable-pip-version-check pip-tools

for list in requirements requirements-dev; do
    # No registry, mirror or folder of the machine that locks may end up in the file.
    "$scratch/bin/pip-compile" --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
        --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        --output-file $list.lock $list.in
done
