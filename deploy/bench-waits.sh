# Handlers that wait, and who has to wait for them; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

waits_usage() {
    cat <<'TEXT'
Usage: deploy/bench waits [--seconds N] [--against FILE]

Measures what handlers that wait cost those that do not, with Tests/Programs/WaitProgram behind nginx: percentiles of
/hello, in milliseconds, and requests a second. Sync handlers block their worker, async ones and streams hold none.

  --seconds N      length of each load (default 5)
  --against FILE   another build of the program, measured first
TEXT
}

bench_waits() {
    local seconds=5 against='' build program
    while (($#)); do
        case $1 in
            --seconds)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench waits --help"
                seconds=$2
                shift
                ;;
            --against)
                against=$(realpath -e -- "${2:-}") || die "--against needs a program; see deploy/bench waits --help"
                shift
                ;;
            --help | -h)
                waits_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench waits --help" ;;
        esac
        shift
    done

    need_swift "${library_packages[@]}" nginx-light spawn-fcgi curl wrk
    end_with_script
    make_work_folder
    build_c wait-client
    build=(env GALLETA_BENCHMARKS=1 swift build --package-path "$repository" -c release --product wait-program
        --static-swift-stdlib)
    say "Building the program"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    program=$("${build[@]}" --show-bin-path)/wait-program
    [[ ! $against ]] || waits_of 'before' "$against" "$work/before"
    waits_of 'now' "$program" "$work/now"
}

# waits_of TITLE PROGRAM FOLDER
waits_of() {
    local folder=$3 answered sleeper
    detached=()
    export WORKERS=4
    start_backend "$folder" "$2"
    start_web_server nginx "$folder" '' 'access_log=access_log off;'
    wait_ready "$folder"
    printf '%s, 4 workers\n' "$1"
    hello_beside 'alone, 8 clients' 8
    hello_beside 'beside one request that blocks for 1 s, again and again, 8 clients' 8 1000 1
    hello_beside 'beside 4 requests that block for 20 ms, again and again, 1 client' 1 20 4
    printf '  %-72s %s\n' 'requests that block for 5 ms, 64 clients, a second' "$(wrk_figure 64 /app/block/5 rate)"

    export WORKERS=2
    start_backend "$folder-2" "$2"
    start_web_server nginx "$folder-2" '' 'access_log=access_log off;'
    wait_ready "$folder-2"
    printf '%s, 2 workers\n' "$1"
    answered=$("$work/wait-client" "$folder-2/fcgi.sock" /app/suspend/1000 1000)
    printf '  %-72s %s ms, %s not answered\n' '1,000 requests at a time that each suspend for 1 s' "${answered% *}" "${answered#* }"
    "$work/wait-client" "$folder-2/fcgi.sock" /app/events 500 $((2 * seconds + 4)) >"$work/streams" &
    sleeper=$!
    sleep 1
    hello_beside 'beside 500 open event streams, each with an event a second, 8 clients' 8
    wait "$sleeper"
    printf '  %-72s %s\n' 'of which were open at the end, and bytes that came' "$(<"$work/streams")"
}

# hello_beside TITLE CLIENTS [MS COUNT]: /hello, while COUNT clients ask for what blocks so long.
hello_beside() {
    local blockers=''
    if [[ ${3:-} ]]; then
        setpriv --pdeathsig TERM -- wrk -t1 -c"$4" -d$((seconds + 1))s "$url/app/block/$3" >/dev/null &
        blockers=$!
        sleep 0.3
    fi
    printf '  %-72s %s\n' "/hello $1: p50, p99, rate" "$(wrk_figure "$2" /app/hello)"
    [[ ! $blockers ]] || wait "$blockers"
}

# wrk_figure CLIENTS PATH [rate]
wrk_figure() {
    setpriv --pdeathsig TERM -- wrk -t1 -c"$1" -d"${seconds}s" --latency "$url$2" | awk -v only="${3:-}" '
        function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
        $1 == "50%" { p50 = ms($2) }
        $1 == "99%" { p99 = ms($2) }
        /^Requests\/sec:/ { rate = $2 }
        END { if (only) printf "%.0f", rate; else printf "%.2f %.2f %.0f", p50, p99, rate }'
}
