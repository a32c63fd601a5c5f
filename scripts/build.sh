#!/usr/bin/env bash
# build.sh [PRESET] [argument of cmake --build...]: builds everything in build/PRESET.
# Presets: release (default), dev, asan.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=${1:-release}
ensure_packages "${build_packages[@]}"
build "$preset" "${@:2}"
say "Built: build/$preset/tb/diastole"
