# What sessions cost a Redis; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh

redis_memory_usage() {
    cat <<'TEXT'
Usage: deploy/bench redis-memory [--sessions N]

Begins sessions of 3 small values through the Redis provider, from 8 threads, in a redis-server with default settings: first
anonymous ones, then, in another redis-server, each with a user of its own, who is in the index of users. Every 50th is read
back. Prints the bytes that Redis uses for each (used_memory, once the provider has gone), its keys, the seconds that it
took, and how many were begun and read a second. The aim is 360 bytes at most, and 620 with a user.

  --sessions N   how many (default 1,000,000: some two minutes, and 1 GB of memory)
TEXT
}

bench_redis_memory() {
    local count=1000000 build program
    while (($#)); do
        case $1 in
            --sessions)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench redis-memory --help"
                count=$2
                shift
                ;;
            --help | -h)
                redis_memory_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench redis-memory --help" ;;
        esac
        shift
    done
    need_swift "${library_packages[@]}" redis-server redis-tools
    end_with_script
    make_work_folder
    build=(env GALLETA_BENCHMARKS=1 swift build --package-path "$repository" -c release --product redis-sessions-benchmark)
    say "Building the benchmark"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    program=$("${build[@]}" --show-bin-path)/redis-sessions-benchmark

    printf '%s sessions of 3 small values, redis-server with its default settings\n' "$count"
    printf '%-28s %14s %8s %10s %10s %12s %12s\n' '' 'bytes/session' 'aim' 'keys' 'seconds' 'begun/s' 'read/s'
    redis_memory_row 'anonymous' anonymous 360
    redis_memory_row 'each with a user of its own' users 620
}

# redis_memory_row TITLE KIND AIM
redis_memory_row() {
    local before after
    start_redis "$work/$2"
    before=$(redis_field memory used_memory)
    setpriv --pdeathsig TERM -- "$program" "unix://$redis_socket" "$count" "$2" >"$work/figures" || {
        show_logs "$work/$2"
        die "the run with $2 sessions failed"
    }
    after=$(settled_memory)
    awk -v title="$1" -v aim="$3" -v count="$count" -v bytes=$((after - before)) -v keys="$(ask_redis DBSIZE)" '
        { figure[$1] = $2 }
        END {
            printf "%-28s %14.0f %8s %10.2f %10.1f %12.0f %12.0f\n", title, bytes / count, "<= " aim, keys / count, \
                figure["create-seconds"], count / figure["create-seconds"], figure["read-per-second"]
        }' "$work/figures"
    stop "$redis" TERM
}

# The memory that Redis uses, once its tables have grown to their size and the connections are gone.
settled_memory() {
    local last='' now tries
    for ((tries = 0; tries < 40; tries++)); do
        now=$(redis_field memory used_memory)
        [[ ! $last ]] || ((now - last > 10000 || last - now > 10000)) || break
        last=$now
        sleep 0.5
    done
    printf '%s' "$now"
}
