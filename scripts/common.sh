# shellcheck shell=bash
# Sourced by every script here: where the project is, what it needs, how it is built.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root

# What a build with tests takes, by Debian's names.
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly build_packages=(g++ cmake ninja-build pkg-config ccache libsystemc-dev libfmt-dev
    libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libsimdjson-dev zlib1g-dev catch2)

# A compiler cache needs somewhere to live; an account without a home has nowhere.
if [[ -z ${CCACHE_DIR:-} && ! -w ${HOME:-/nonexistent} ]]; then
    export CCACHE_DISABLE=1
fi

say() { printf '%s\n' "$*" >&2; }

# missing_packages NAME...: those of the names that are not installed, one a line.
missing_packages() {
    local -A installed=()
    local status name
    while read -r status name; do
        if [[ $status == installed ]]; then installed[$name]=1; fi
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
    for name in "$@"; do
        if [[ -z ${installed[$name]:-} ]]; then printf '%s\n' "$name"; fi
    done
}

# Sets `as_root` to what a command is prefixed with to run as root; fails where nothing helps.
find_root() {
    if [[ $(id -u) == 0 ]]; then
        as_root=(env)
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
        as_root=(sudo env)  # asks for a password on the terminal where it needs one
    else
        return 1
    fi
}

# Says what to install by hand, and gives up as bad usage does.
refuse() {
    say "$1"
    say "Missing packages: ${missing[*]}"
    say "Ask someone who is root to run:"
    say "    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    exit 2
}

# run_quietly LOG COMMAND...: shows the command's output only if it fails.
run_quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        return 1
    fi
}

# ensure_packages NAME...: installs what is not there. Starts no apt when all of it is.
ensure_packages() {
    if ! command -v dpkg-query >/dev/null; then
        say "No dpkg-query here: taking it that these are installed under other names: $*"
        return 0
    fi
    local missing as_root log
    mapfile -t missing < <(missing_packages "$@")
    if ((${#missing[@]} == 0)); then return 0; fi
    find_root || refuse "Some packages are missing, and this account is neither root nor may it use sudo here."

    say "Installing ${missing[*]}"
    log=$(mktemp)
    # Lists that cannot be refreshed may still be good enough for the installation.
    run_quietly "$log" "${as_root[@]}" apt-get update || say "apt-get update failed; going on."
    if ! run_quietly "$log" "${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" </dev/null; then
        rm -f "$log"
        refuse "apt-get could not install what is missing."
    fi
    rm -f "$log"
}

# One compiler per core, but no more than memory holds at 1 GiB each.
job_count() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
    if ((memory < 1)); then memory=1; fi
    echo $((cores < memory ? cores : memory))
}

# A build folder that was configured here, with the presets as they are now.
is_configured() {
    local folder=$root/build/$1
    [[ -f $folder/build.ninja && ! $root/CMakePresets.json -nt $folder/build.ninja ]] &&
        grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"
}

# configure PRESET [cmake argument...]
configure() {
    local preset=$1 log
    shift
    if is_configured "$preset"; then return 0; fi
    mkdir -p "$root/build/$preset"
    log=$root/build/$preset/configure.log
    (cd "$root" && run_quietly "$log" cmake --fresh --preset "$preset" "$@")
}

# Reads Ninja's output: one line of progress on a terminal, one line in all elsewhere, nothing when
# nothing was to be done; all of it goes into the file named.
show_progress() {
    local log=$1 line started=
    : >"$log"
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (Building|Linking) ]] || continue
        if [[ -t 2 ]]; then
            printf '\rBuilding: %s of %s\033[K' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
        elif [[ -z $started ]]; then
            say "Building (${BASH_REMATCH[2]} steps)"
        fi
        started=yes
    done
    if [[ -t 2 && -n $started ]]; then printf '\r\033[K' >&2; fi
}

# build PRESET [argument of cmake --build...]: quiet unless it fails.
build() {
    local preset=$1 log
    shift
    configure "$preset"
    log=$root/build/$preset/build.log
    if ! (cd "$root" && cmake --build --preset "$preset" --parallel "$(job_count)" "$@") 2>&1 |
        show_progress "$log"; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Re-)' "$log" >&2 || true
        say "The build failed; all of its output is in build/$preset/build.log"
        return 1
    fi
}
