#!/usr/bin/env bash
# format.sh [--check]: formats every C++ file, or only says which ones need it (exit code 1).
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    '') arguments=(-i) ;;
    --check) arguments=(--dry-run --Werror) ;;
    *)
        say "usage: format.sh [--check]"
        exit 2
        ;;
esac
ensure_packages clang-format
cd "$root"
find model workloads tb tests \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 clang-format "${arguments[@]}" || exit 1
