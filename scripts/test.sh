#!/usr/bin/env bash
# test.sh [argument of ctest...]: installs what is missing, builds, runs every test. Ends with
# ctest's own summary and exit code. Tests on real traces need the data folder beside the project
# (../shared, or where DIASTOLE_SHARED says); those left out without it are named.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_packages "${build_packages[@]}"
build release

folder=$root/build/release
if [[ -z ${DIASTOLE_SHARED:-} && -d $root/../shared ]]; then
    DIASTOLE_SHARED=$(cd "$root/../shared" && pwd -P)
    export DIASTOLE_SHARED
fi

# Passes ctest's lines on as they come, but keeps its summary back, so that what was left out can
# stand before it.
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
keep_summary_back() {
    local line held=
    while IFS= read -r line; do
        if [[ $line =~ ^[0-9]+%\ tests\ passed ]]; then held=yes; fi
        if [[ -n $held ]]; then
            printf '%s\n' "$line" >>"$summary"
        else
            printf '%s\n' "$line"
        fi
    done
}

code=0
ctest --test-dir "$folder" --parallel "$(nproc)" --output-on-failure --no-tests=error "$@" 2>&1 |
    keep_summary_back || code=$?

left_out=$(grep -aohE 'left out: .*' "$folder/Testing/Temporary/LastTest.log" | sort -u) || true
if [[ -n $left_out ]]; then
    printf '\nLeft out, for want of data (see the head of scripts/test.sh):\n%s\n\n' "$left_out"
fi
cat "$summary"
exit "$code"
