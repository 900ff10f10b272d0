# galleta-server measured beside programs in C; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

requests_usage() {
    cat <<'TEXT'
Usage: deploy/bench sessions [--help]
       deploy/bench logins [--help]
       deploy/bench instructions [--help]
       deploy/bench transfers [--help]
       deploy/bench waits [--help]
       deploy/bench php [--help]
       deploy/bench php-formats [--help]
       deploy/bench slow-page [--help]
       deploy/bench redis-memory [--help]
       deploy/bench [--rounds N] [--seconds N] [--clients N] [--workers N|default] [--path PATH] [--one-visitor]
                    [--access-log] [--no-keepalive] [--against FILE] [--self]
       deploy/bench --table [--rounds N] [--seconds N] [--against FILE]

With "sessions" the store of sessions is measured by itself, with "logins" how long others wait while many guess
passwords, with "instructions" what a request takes of them, with "transfers" what large bodies cost, with "waits" what
handlers that wait cost those that do not, with "php" sessions in Redis beside PHP's, with "redis-memory" what they take of
a Redis. Else galleta-server is measured against programs in C, in alternated rounds on one machine:
  A  Tests/Benchmarks/classic-hello.c: the classic threaded libfcgi program, no sessions, 256 threads
  R  Tests/Benchmarks/raw-counter.c: the practical limit, a session counter on epoll without libfcgi, 2 threads
  B  GET /app/counter of galleta-server: the session read, incremented and committed
each behind an nginx of its own with 2 workers and the pool of kept connections of nginx.conf.example. Prints the
backend's CPU time (user and system) per request, requests per second and the 99th percentile: medians, with the
quartiles in parentheses. The ratios are those within a round, so that a machine that is slower for a while does not
count.

  --rounds N      rounds of each (default 5)          --seconds N   length of one (default 8)
  --clients N     wrk's connections (default 64)      --workers N   galleta-server's (default: its own default)
  --path PATH     what is asked of galleta-server (default /app/counter), for example /app/hello
  --one-visitor   all requests in one session; by default there is a session for each client
  --access-log    galleta-server logs each request; by default it does not: the others do not either
  --no-keepalive  nginx keeps no connections to the backends: each request has its own
  --against FILE  another build of galleta-server, B0, measured beside B
  --self          B is A once more, which shows how much to trust the figures: the ratio should be 1
  --table         R and B in many cases (clients, workers, not kept, with an access log), one line for each
                  (default 3 rounds of 3 s: some five minutes)
TEXT
}

bench_requests() {
    local rounds='' seconds='' clients=64 workers=default path=/app/counter visitors='' log=--no-access-log against=''
    local self=false table=false kept=true packages server_0='' server_b=''
    while (($#)); do
        case $1 in
            --rounds | --seconds | --clients)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see --help"
                declare "${1#--}=$2"
                shift
                ;;
            --workers)
                [[ ${2:-} =~ ^([1-9][0-9]*|default)$ ]] || die "$1 needs a number, or \"default\"; see --help"
                workers=$2
                shift
                ;;
            --path)
                [[ ${2:-} == /* ]] || die "--path needs a path; see --help"
                path=$2
                shift
                ;;
            --against)
                against=$(realpath -e -- "${2:-}") || die "--against needs a program; see --help"
                shift
                ;;
            --one-visitor) visitors=1 ;;
            --access-log) log=--access-log ;;
            --no-keepalive) kept=false ;;
            --self) self=true ;;
            --table) table=true ;;
            --help | -h)
                requests_usage
                return
                ;;
            *) die "unknown option $1; see --help" ;;
        esac
        shift
    done
    ! $self || { ! $table && [[ ! $against ]]; } || die "--self goes with neither --table nor --against"

    packages=(libfcgi-dev nginx-light spawn-fcgi curl wrk gcc libc6-dev)
    if $self; then need_packages "${packages[@]}"; else build_server "${packages[@]}"; fi
    end_with_script
    make_work_folder
    results=$work/results
    build_c classic-hello -lfcgi
    build_c raw-counter
    server_b=${server:-} server_0=$against
    write_visitors
    # All in one session: with sessions of their own the kernel would share out the processors between these
    # (autogroup), and what else the machine does would weigh as much as the web server.
    detached=()

    if $table; then
        rounds=${rounds:-3} seconds=${seconds:-3}
        requests_table
    else
        rounds=${rounds:-5} seconds=${seconds:-8}
        requests_case
    fi
}

# The process of each side.
declare -A pid

# add_side SIDE TITLE PATH PROGRAM [OPTION …]: starts it behind an nginx, as $kept says, and gathers cookies.
add_side() {
    local side=$1 folder=$work/side-$1 lines=('access_log=access_log off;')
    $kept || lines+=('keepalive=')
    start_backend "$folder" "${@:4}"
    start_web_server nginx "$folder" '' "${lines[@]}"
    wait_ready "$folder"
    pid[$side]=$backend
    measured "$side" "$url$3" "$2" "$folder"
    gather_cookies "$side" "${visitors:-$clients}"
    # Hello has no sessions.
    [[ -s $work/cookies-$side || $3 != */counter ]] || die "$url$3 gives nobody a session cookie"
}

# galleta_side SIDE TITLE PROGRAM
galleta_side() {
    local options=(--mount /app "$log")
    [[ $workers == default ]] || options+=(--workers "$workers")
    add_side "$1" "$2" "$path" "$3" "${options[@]}"
}

raw_side() { add_side r 'R  raw epoll in C, counter, 2 threads' /app/counter "$work/raw-counter" 2; }

# add_galletas: B, and B0 if there is one.
add_galletas() {
    if [[ $server_0 ]]; then galleta_side b0 "B0 galleta-server before, $path" "$server_0"; fi
    galleta_side b "B  galleta-server, $path" "$server_b"
}

# measure ROUND SIDE: one line of figures into $results: CPU us a request, requests a second, p99 in ms.
measure() {
    local before after output requests rate p99
    before=$(cpu_ns "${pid[$2]}")
    load "$seconds" "$2" "$clients"
    after=$(cpu_ns "${pid[$2]}")
    read -r requests rate p99 < <(wrk_figures <<<"$output")
    printf '%s %s %s %s %s\n' "$1" "$2" "$(per "$requests" $(((after - before) / 1000)))" "$rate" "$p99" >>"$results"
}

# All sides in turn, so often as $rounds says, after a short load each that does not count.
measure_rounds() {
    local round side output
    : >"$results"
    for side in "${sides[@]}"; do load "$1" "$side" "$clients"; done
    for ((round = 1; round <= rounds; round++)); do
        for side in "${sides[@]}"; do
            measure "$round" "$side"
            tail -n 1 "$results" >&2
        done
    done
}

requests_case() {
    local side base
    add_side a 'A  classic libfcgi, hello, 256 threads' /app/hello "$work/classic-hello" 256
    raw_side
    if $self; then
        add_side s 'B  the same program as A' /app/hello "$work/classic-hello" 256
    else
        add_galletas
    fi
    measure_rounds 2
    printf '%d rounds of %d s, %d clients, %d sessions, workers: %s, upstream connections %s, %s\n' "$rounds" "$seconds" \
        "$clients" "${visitors:-$clients}" "$workers" "$($kept && echo kept || echo 'not kept')" "${log#--}"
    printf '%-40s %22s %24s %20s\n' 'medians (quartiles)' 'CPU us/request' 'requests/s' 'p99 ms'
    for side in "${sides[@]}"; do
        printf '%-40s %22s %24s %20s\n' "${title[$side]}" "$(column "$side" 1 | spread 2)" \
            "$(column "$side" 2 | spread 0)" "$(column "$side" 3 | spread 2)"
    done
    # The last is B.
    side=${sides[-1]}
    for base in "${sides[@]}"; do
        [[ $base != "$side" ]] || continue
        printf '%-40s %22s %24s %20s\n' "B / ${base^^}" "$(ratios "$side" "$base" 1 | spread 2)" \
            "$(ratios "$side" "$base" 2 | spread 2)" "$(ratios "$side" "$base" 3 | spread 2)"
    done
}

# The sides end, the web server of each before it.
remove_sides() {
    while ((${#running[@]})); do stop "${running[-1]}" TERM 15; done
    rm -rf --one-file-system -- "$work"/side-*
    sides=()
}

# table_row LABEL: the case that the options say.
table_row() {
    local base line
    raw_side
    add_galletas
    measure_rounds 1
    line=$(printf '%-24s' "$1")
    for base in "${sides[@]}"; do
        line+=$(printf ' %8s %8s' "$(column "$base" 1 | median 2)" "$(column "$base" 2 | median 0)")
    done
    for base in "${sides[@]}"; do
        [[ $base != b ]] || continue
        line+=$(printf ' %18s %18s' "$(ratios b "$base" 1 | spread 2)" "$(ratios b "$base" 2 | spread 2)")
    done
    printf '%s\n' "$line"
    remove_sides
}

requests_table() {
    local names=(R B) count header name
    [[ ! $server_0 ]] || names=(R B0 B)
    printf 'CPU us/request and requests/s; medians, ratios with quartiles; %d rounds of %d s, 64 clients where not said\n' \
        "$rounds" "$seconds"
    header=$(printf '%-24s' '')
    for name in "${names[@]}"; do header+=$(printf ' %8s %8s' "$name CPU" "$name rate"); done
    for name in "${names[@]}"; do
        [[ $name == B ]] || header+=$(printf ' %18s %18s' "B/$name CPU" "B/$name rate")
    done
    printf '%s\n' "$header"
    for count in 1 4 64 256; do clients=$count table_row "clients: $count"; done
    kept=false table_row 'connections not kept'
    log=--access-log table_row 'access log'
    for count in 1 2 4 8 16; do workers=$count table_row "workers: $count"; done
}
