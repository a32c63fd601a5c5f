#!/usr/bin/env bash
# Replays a ranking model and a training step on a model of Meta's MTIA 2i, and says what bounds
# each. Installs and builds first what is not there yet; a second call starts at once.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_packages "${build_packages[@]}"
build release --target diastole
diastole=$root/build/release/tb/diastole

show() {
    printf '\n$ diastole %s\n\n' "$*"
    "$diastole" "$@"
}

show run --chip mtia-2i --workload dlrm-dcnv2 --batch 4096
show run --chip mtia-2i --workload dhen-training
