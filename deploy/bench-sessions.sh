# The store of sessions, measured by itself; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh

sessions_usage() {
    cat <<'TEXT'
Usage: deploy/bench sessions [--rounds N] [--sessions N] [--disk FOLDER] [--quick]

Measures the store of sessions in memory, without a web server, against two ports of the well-known teaching design
(dictionary, linked list, one lock; Tests/Benchmarks/SessionStore/ClassicStore.swift): with the cookie's text for its
ids, as it is known, and with ids in binary. Rounds are alternated, each run is a fresh process. Prints medians and
ratios; of stalls the worst of all rounds is shown too.

  --rounds N      rounds of each (default 5; of the stalls two fewer, at least one)
  --sessions N    sessions in the store (default 1,000,000)
  --disk FOLDER   where the log-outs with a state file and its journal are measured (default: a temporary folder)
  --quick         one round of a small store: shows that the benchmark runs, its figures mean nothing
TEXT
}

# sessions_run WHAT STORE: one process; its figures go to $work/results with WHAT's store before each.
sessions_run() {
    setpriv --pdeathsig TERM -- "$program" "$1" "$2" "$count" >"$work/figures" || die "the run $1 of $2 failed"
    sed "s/^/$2 /" "$work/figures" >>"$work/results"
    printf '%s %s: %s\n' "$2" "$1" "$(paste -sd ' ' "$work/figures")" >&2
}

# sessions_table: reads $work/results. A row a figure, a column a store; the ratios are those of A.
sessions_table() {
    sort -k1,2 -k3,3n "$work/results" | awk -v count="$count" '
        { n[$1, $2]++; v[$1, $2, n[$1, $2]] = $3 }
        function median(store, name,    m) {
            m = n[store, name]
            return m ? (v[store, name, int((m + 1) / 2)] + v[store, name, int(m / 2) + 1]) / 2 : ""
        }
        function most(store, name) { return v[store, name, n[store, name]] }
        function cell(x) { return x == "" ? "-" : x >= 100 ? sprintf("%.0f", x) : sprintf("%.2f", x) }
        function ratio(a, b, more) { return a == "" || b == "" || a * b == 0 ? "-" : sprintf("%.2f", more ? a / b : b / a) }
        function row(label, name, more, target, worst,    a, b, c) {
            a = worst ? most("galleta", name) : median("galleta", name)
            b = worst ? most("classic", name) : median("classic", name)
            c = worst ? most("classic-id", name) : median("classic-id", name)
            printf "%-46s %12s %12s %12s %8s %8s  %s\n", label, cell(a), cell(b), cell(c), \
                ratio(a, b, more), ratio(a, c, more), target
        }
        function stalls(label, name) {
            row(label ": p99 us", name "-ours-p99")
            row("  p99.9", name "-ours-p99.9")
            row("  worst, median of the rounds", name "-ours-worst")
            row("  worst of all rounds", name "-ours-worst", 0, "< 1000", 1)
            row("  with the machine: p99.9", name "-wall-p99.9")
            row("  worst of all rounds", name "-wall-worst", 0, "", 1)
            row("  control, a store of its own: p99.9", name "-control-p99.9")
            row("  worst of all rounds", name "-control-worst", 0, "", 1)
        }
        END {
            printf "%d sessions of 3 small values; medians. A: MemoryProvider, B: the port, C: the port with binary ids.\n", count
            printf "Ratios: how many times better A is.\n"
            printf "%-46s %12s %12s %12s %8s %8s  %s\n", "", "A", "B", "C", "to B", "to C", "target"
            row("get+touch a second, 1 thread", "visit-1-per-second", 1, "2 x B")
            row("  CPU ns each", "visit-1-cpu-ns")
            row("get+touch a second, 2 threads", "visit-2-per-second", 1, "4 x B")
            row("  CPU ns each", "visit-2-cpu-ns")
            row("create a second", "create-per-second", 1)
            row("update a second (A: a request'"'"'s, with commit)", "update-per-second", 1)
            row("destroy a second", "destroy-per-second", 1)
            row("resident bytes a session, with its values", "bytes-a-session", 0, "<= 300")
            row("resident MiB at the peak", "peak-mib")
            row("  when all have expired", "empty-mib")
            row("  after seconds (at most 45 are waited)", "empty-seconds")
            stalls("get while half of them expire", "expire")
            stalls("get while sessions begin", "grow")
            row("  sessions begun a second", "grow-per-second", 1)
            row("  worst create of all rounds, CPU us", "grow-create-worst", 0, "", 1)
        }'
}

bench_sessions() {
    local rounds=5 count=1000000 disk='' round store build program clients
    while (($#)); do
        case $1 in
            --rounds | --sessions)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench sessions --help"
                if [[ $1 == --rounds ]]; then rounds=$2; else count=$2; fi
                shift
                ;;
            --disk)
                [[ -d ${2:-} ]] || die "$1 needs a folder; see deploy/bench sessions --help"
                disk=$2
                shift
                ;;
            --quick) rounds=1 count=5000 ;;
            --help | -h)
                sessions_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench sessions --help" ;;
        esac
        shift
    done
    need_swift "${library_packages[@]}"
    end_with_script
    make_work_folder
    build=(env GALLETA_BENCHMARKS=1 swift build --package-path "$repository" -c release --product session-store-benchmark)
    say "Building the benchmark"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    program=$("${build[@]}" --show-bin-path)/session-store-benchmark

    for ((round = 0; round < rounds; round++)); do
        for store in galleta classic classic-id; do sessions_run cost "$store"; done
    done
    for ((round = 0; round < (rounds > 3 ? rounds - 2 : 1); round++)); do
        for store in galleta classic; do
            sessions_run expire "$store"
            sessions_run grow "$store"
        done
    done
    for store in galleta classic; do sessions_run empty "$store"; done
    sessions_table
    printf '\nA log-out by so many clients: with a state file and no journal, and with the journal, in %s\n' "${disk:-$work}"
    for clients in 1 64; do setpriv --pdeathsig TERM -- "$program" log-outs "${disk:-$work}" "$clients"; done
}
