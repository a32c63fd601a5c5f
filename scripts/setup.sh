#!/usr/bin/env bash
# Installs what a build takes and is not there yet. Needs root or sudo only if something is missing;
# exit code 2 names the packages where neither is at hand.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_packages "${build_packages[@]}"
