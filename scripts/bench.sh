#!/usr/bin/env bash
# bench.sh [exact|fast]: how fast the model itself runs, in the given memory mode (default exact):
# seconds and memory of the whole process, each with its goal, beside what the run had to do. Meant
# for an idle core. Exit code 1 if a case fails; a goal that is missed is only marked with '!'.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=${1:-exact}
if [[ $# -gt 1 || ! $mode =~ ^(exact|fast)$ ]]; then
    say "usage: bench.sh [exact|fast]"
    exit 2
fi
ensure_packages "${build_packages[@]}" time jq
build release --target diastole
diastole=$root/build/release/tb/diastole

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# over VALUE GOAL: '!' behind a value beyond its goal, a blank behind one within it.
over() { awk -v value="$1" -v goal="$2" 'BEGIN {printf "%s", (value + 0 > goal + 0 ? "!" : " ")}'; }

readonly row='%-38s %8s%1s %5s %7s%1s %5s %11s%1s %-6s %-30s %11s %9s\n'
heading() {
    # shellcheck disable=SC2059  # one format for the heading and all rows
    printf "$row" case seconds '' goal MB '' goal act/lookup '' memory 'address map' 'DRAM bursts' Mbursts/s
}

# measure NAME SECONDS MEGABYTES ARGUMENT...: runs the program and prints its row.
measure() {
    local name=$1 seconds_goal=$2 memory_goal=$3 result=$scratch/result.json
    shift 3
    rm -f "$result"
    local code=0
    /usr/bin/time -q -f '%e %M' -o "$scratch/cost" \
        "$diastole" "$@" --json "$result" >"$scratch/output" 2>&1 </dev/null || code=$?
    if [[ $code != 0 || ! -s $result ]]; then
        printf '%-38s failed with exit code %s or wrote no result: %s\n' "$name" "$code" \
            "$(grep -v '^[[:space:]]*$' "$scratch/output" | tail -n 1 || true)"
        failed=1
        return
    fi
    local seconds kilobytes megabytes per_lookup memory map bursts rate
    read -r seconds kilobytes <"$scratch/cost"
    megabytes=$((kilobytes * 1024 / 1000000))
    # What does not apply is absent from the result; here it is a dash.
    IFS=$'\t' read -r per_lookup map bursts rate < <(jq -r '
        [(.host.activations_per_lookup | if . then . * 1000 | round / 1000 else . end),
         .dram.map, .dram.bursts,
         (.host.dram_bursts_per_second | if . then . / 10000 | round / 100 else . end)]
        | map(. // "-") | @tsv' "$result")
    memory=$mode
    if [[ $bursts == - ]]; then memory=-; fi
    # shellcheck disable=SC2059
    printf "$row" "$name" "$seconds" "$(over "$seconds" "$seconds_goal")" "$seconds_goal" \
        "$megabytes" "$(over "$megabytes" "$memory_goal")" "$memory_goal" \
        "$per_lookup" "$(over "${per_lookup/#-/0}" 0.3)" "$memory" "$map" "$bursts" "$rate"
}

printf 'Processor: %s; load before the start: %s\n' \
    "$(awk -F': ' '/^model name/ {print $2; exit}' /proc/cpuinfo)" "$(cut -d' ' -f1 /proc/loadavg)"
heading
measure 'DHEN training step, mtia-2i' 10 500 \
    run --chip mtia-2i --workload dhen-training --memory-mode "$mode"
for chip in mtia-1 mtia-2i mtia-300 h100-sxm; do
    measure "DLRM-DCNv2 inference 4096, $chip" 2 500 \
        run --chip "$chip" --workload dlrm-dcnv2 --batch 4096 --memory-mode "$mode"
done
# measure_gemm NAME EDGE GOAL_KIND GOAL ARGUMENT...: a product of EDGE cubed, FP16; CPU seconds, or
# millions of simulated cycles a CPU second.
measure_gemm() {
    local name=$1 edge=$2 kind=$3 goal=$4 result=$scratch/result.json cpu cycles rate mark
    shift 4
    {
        echo '{"trace":"diastole/1","name":"gemm","batch":1,"mode":"inference"}'
        echo '{"id":1,"name":"gemm","kind":"gemm","inputs":[{"id":"a","shape":['"$edge,$edge"'],"dtype":"fp16"},{"id":"b","shape":['"$edge,$edge"'],"dtype":"fp16"}],"outputs":[{"id":"c","shape":['"$edge,$edge"'],"dtype":"fp16"}],"deps":[]}'
    } >"$scratch/gemm.jsonl"
    if ! /usr/bin/time -q -f '%U' -o "$scratch/cost" "$diastole" run --workload \
        "$scratch/gemm.jsonl" "$@" --json "$result" >"$scratch/output" 2>&1 </dev/null; then
        printf '%-38s failed: %s\n' "$name" "$(tail -n 1 "$scratch/output")"
        failed=1
        return
    fi
    cpu=$(cat "$scratch/cost")
    cycles=$(jq .cycles "$result")
    rate=$(awk -v c="$cycles" -v s="$cpu" 'BEGIN {printf "%.1f", c / 1e6 / (s > 0 ? s : 0.01)}')
    if [[ $kind == seconds ]]; then mark=$(over "$cpu" "$goal"); else mark=$(over "$goal" "$rate"); fi
    printf '%-38s %8s CPU s %12s cycles %8s Mcycles/CPU s %s goal: %s %s\n' "$name" "$cpu" \
        "$cycles" "$rate" "$mark" "$goal" "$kind"
}
measure_gemm 'GEMM 4096 cubed, mtia-2i' 4096 seconds 2 --chip mtia-2i
measure_gemm 'GEMM 2048 cubed, one PE of mtia-2i' 2048 Mcycles 10 --chip mtia-2i \
    --set grid.rows=1 --set grid.columns=1 --set lowering.inputs_in_lls=true
trace=${DIASTOLE_SHARED:-$root/../shared}/data/traces/kineto/mtia_dhen_training_rank0.json.gz
if [[ -f $trace ]]; then
    measure 'import of the 87 MB training trace' 6 400 \
        import "$trace" -o "$scratch/imported.jsonl.gz"
else
    echo 'import of the 87 MB training trace: left out, no data folder beside the project'
fi

readonly dram_row='%-38s %8s %5s %7s %9s%1s %5s %-6s %-38s\n'

# measure_dram NAME GOAL ARGUMENT...: requests per second of the memory bench, the goal in millions.
measure_dram() {
    local name=$1 goal=$2 result=$scratch/result.json code=0
    shift 2
    rm -f "$result"
    /usr/bin/time -q -f '%e %M' -o "$scratch/cost" \
        "$diastole" dram "$@" --memory-mode "$mode" --json "$result" \
        >"$scratch/output" 2>&1 </dev/null || code=$?
    if [[ $code != 0 || ! -s $result ]]; then
        printf '%-38s failed with exit code %s or wrote no result: %s\n' "$name" "$code" \
            "$(grep -v '^[[:space:]]*$' "$scratch/output" | tail -n 1 || true)"
        failed=1
        return
    fi
    local seconds kilobytes rate percent map
    read -r seconds kilobytes <"$scratch/cost"
    IFS=$'\t' read -r rate percent map < <(jq -r '
        [(.host.requests_per_second / 10000 | round / 100), (.utilization * 1000 | round / 10), .map]
        | @tsv' "$result")
    # shellcheck disable=SC2059
    printf "$dram_row" "$name" "$seconds" "$((kilobytes * 1024 / 1000000))" "$percent" "$rate" \
        "$(over "$goal" "$rate")" "$goal" "$mode" "$map"
}

readonly map_of_rows='row:15 ba:2 bg:2 col:5 byte:5'  # a kilobyte of a row together
echo
# shellcheck disable=SC2059
printf "$dram_row" 'memory bench' seconds MB '% peak' 'Mreq/s' '' goal memory 'address map'
measure_dram 'hbm2-2000, sequential' 3.5 --memory hbm2-2000 --pattern sequential --requests 20000000
measure_dram 'hbm2-2000, random 64 B' 1.4 --memory hbm2-2000 --pattern random --requests 10000000
measure_dram 'hbm2-2000, embedding 128 B' 1.4 --memory hbm2-2000 --pattern embedding \
    --requests 10000000
measure_dram 'hbm2-2000, rows of 256 B, by atom' 8 --memory hbm2-2000 --pattern embedding \
    --row-bytes 256 --map "$map_of_rows" --requests 20000000
measure_dram 'hbm2-2000, rows of 256 B, whole' 8 --memory hbm2-2000 --pattern embedding \
    --row-bytes 256 --map "$map_of_rows" --offer block --requests 40000000
for pattern in sequential random; do
    for channels in 1 32; do
        measure_dram "hbm3-6400, $pattern, $channels channels" 1.4 --memory hbm3-6400 \
            --pattern "$pattern" --pseudo-channels "$channels" --requests 10000000
    done
done
exit "$failed"
