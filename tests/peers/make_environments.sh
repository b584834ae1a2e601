#!/usr/bin/env bash
# Makes an environment of its own for each program of others that tests run, in .peers/NAME, and
# fetches wheels that tests only look into:
#
#     tests/peers/make_environments.sh [NAME ...]
#
# NAME.txt beside this file has the versions, wheels.in the wheels. What is there and of these
# versions stays as it is. PYTHON chooses the interpreter (python3 by default).
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)/.peers"
names=("$@")
if [ $# -eq 0 ]; then
    for file in "$here"/*.txt; do names+=("$(basename "$file" .txt)"); done
    if ! cmp --silent "$here/wheels.in" "$root/wheels.in"; then
        mkdir -p "$root"
        "${PYTHON:-python3}" -m pip --disable-pip-version-check download --quiet --no-deps \
            --only-binary=:all: --require-hashes --dest "$root" --requirement "$here/wheels.in" &&
            cp "$here/wheels.in" "$root/" || echo "No wheels were fetched." >&2
    fi
fi
status=0
for name in "${names[@]}"; do
    wanted="$here/$name.txt" made="$root/$name"
    cmp --silent "$wanted" "$made/made-of.txt" && continue
    rm -rf "$made"
    if "${PYTHON:-python3}" -m venv "$made" &&
        "$made/bin/python" -m pip --disable-pip-version-check install --quiet --requirement "$wanted"
    then
        cp "$wanted" "$made/made-of.txt"
    else
        echo "$name: no environment was made; tests that run it are skipped." >&2
        rm -rf "$made"
        status=1
    fi
done
exit $status
