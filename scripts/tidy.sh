#!/usr/bin/env bash
# Runs clang-tidy over every C++ file with the checks of .clang-tidy; a finding is an error.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_packages "${build_packages[@]}" clang-tidy
# As errors, so that a file with a finding is looked at again on the next call.
configure tidy -D 'CMAKE_CXX_CLANG_TIDY=clang-tidy;--quiet;--warnings-as-errors=*'
build tidy -- -k 0
