# The instructions of a request; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

instructions_usage() {
    cat <<'TEXT'
Usage: deploy/bench instructions [--path PATH] [--workers N|default] [--against FILE]

Counts the instructions of a request in the program behind nginx, under callgrind: a figure that hardly depends on what
else the machine does. The kernel's are not in it. One visitor asks again and again over a kept connection, one request
at a time; what 200 requests take is taken off what 2,000 take, so start and stop do not count. Each is counted three
times, the fewest hold.

  --path PATH     what is asked of galleta-server (default: /app/hello, then /app/counter)
  --workers N     galleta-server's (default: its own default)
  --against FILE  another build of galleta-server, counted too
TEXT
}

bench_instructions() {
    local paths=(/app/hello /app/counter) workers=() against='' path few=200 many=2000
    while (($#)); do
        case $1 in
            --path)
                [[ ${2:-} == /* ]] || die "--path needs a path; see deploy/bench instructions --help"
                paths=("$2")
                shift
                ;;
            --workers)
                [[ ${2:-} =~ ^([1-9][0-9]*|default)$ ]] ||
                    die "--workers needs a number, or \"default\"; see deploy/bench instructions --help"
                workers=()
                [[ $2 == default ]] || workers=(--workers "$2")
                shift
                ;;
            --against)
                against=$(realpath -e -- "${2:-}") || die "--against needs a program; see deploy/bench instructions --help"
                shift
                ;;
            --help | -h)
                instructions_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench instructions --help" ;;
        esac
        shift
    done

    build_server libfcgi-dev nginx-light spawn-fcgi curl gcc libc6-dev valgrind
    end_with_script
    make_work_folder
    # The same hashes in each run, so that the counts can be repeated.
    export SWIFT_DETERMINISTIC_HASHING=1 SWIFT_BACKTRACE=enable=no
    build_c classic-hello -lfcgi
    build_c raw-counter

    printf '%-52s %20s\n' '' 'instructions/request'
    count_instructions 'A  classic libfcgi, hello' /app/hello "$work/classic-hello" 2
    count_instructions 'R  raw epoll in C, counter' /app/counter "$work/raw-counter" 2
    for path in "${paths[@]}"; do
        [[ ! $against ]] || count_instructions "B0 galleta-server before, $path" "$path" "$against" \
            --mount /app --no-access-log "${workers[@]}"
        count_instructions "B  galleta-server, $path" "$path" "$server" --mount /app --no-access-log "${workers[@]}"
    done
}

# count_instructions TITLE PATH PROGRAM [OPTION …]: one line.
count_instructions() {
    local first
    fewest_instructions "$few" "${@:2}"
    first=$fewest
    fewest_instructions "$many" "${@:2}"
    printf '%-52s %20d\n' "$1" $(((fewest - first) / (many - few)))
}

# Sets $fewest to the fewest of three runs, its parameters are those of instructions_of. Most runs agree; in some another
# thread has the connection, whose memory costs more to allocate.
fewest_instructions() {
    local run instructions
    fewest=
    for run in 1 2 3; do
        instructions_of "$@"
        if ((run == 1 || instructions < fewest)); then fewest=$instructions; fi
    done
}

# instructions_of REQUESTS PATH PROGRAM [OPTION …]: sets $instructions to those from the program's start to its end.
instructions_of() {
    local folder=$work/counted cookie answered
    rm -rf -- "$folder"
    # Debian's valgrind gives up at the debug information of Swift.
    strip --strip-debug -o "$work/stripped" "$3"
    chmod 0755 "$work/stripped"
    cat >"$work/under-callgrind" <<SCRIPT
#!/bin/sh
exec valgrind --tool=callgrind --vgdb=no --callgrind-out-file=/dev/null "$work/stripped" "\$@"
SCRIPT
    chmod 0755 "$work/under-callgrind"
    start_backend "$folder" "$work/under-callgrind" "${@:4}"
    start_web_server nginx "$folder" '' 'access_log=access_log off;'
    wait_ready "$folder"
    cookie=$(curl -s -o /dev/null -D - "$url$2" | tr -d '\r' | sed -nE 's/^Set-Cookie: ([^;]*).*/\1/Ip')
    # The part behind "#" is curl's own: so many requests.
    answered=$(curl -s -o /dev/null -w '%{http_code}\n' -H "Cookie: $cookie" "$url$2#[1-$1]" | grep -cx 200 || true)
    ((answered == $1)) || {
        show_logs "$folder"
        die "$answered of $1 requests for $2 were answered"
    }
    stop "$web_server" "$graceful"
    stop "$backend" TERM 60
    instructions=$(sed -nE 's/^==[0-9]+== Collected : ([0-9]+).*/\1/p' "$folder/server.log")
    [[ $instructions ]] || {
        show_logs "$folder"
        die "nothing was counted"
    }
}
