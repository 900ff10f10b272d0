# Large bodies, in and out; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

transfers_usage() {
    cat <<'TEXT'
Usage: deploy/bench transfers [--rounds N] [--clients N]

Measures what large bodies cost, in alternated rounds on one machine, each program behind an nginx of its own:
  A  Tests/Benchmarks/classic-transfer.c: libfcgi with 16 threads
  B  Tests/Programs/TransferProgram: a program made with Galleta
Answers of 10 MiB come from a file and from a stream, uploads of 100 MiB are read and counted. Galleta gathers a body
before its handler runs, in a file; libfcgi hands it on as it comes. Prints the program's CPU time (user and system) per
MiB and its peak of memory: medians, with the quartiles in parentheses.

  --rounds N      rounds of each (default 3)          --clients N   transfers at a time (default 4)
TEXT
}

bench_transfers() {
    local rounds=3 clients=4 round side what build program
    local -A pid address
    while (($#)); do
        case $1 in
            --rounds | --clients)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench transfers --help"
                declare "${1#--}=$2"
                shift
                ;;
            --help | -h)
                transfers_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench transfers --help" ;;
        esac
        shift
    done

    need_swift "${library_packages[@]}" nginx-light spawn-fcgi curl
    end_with_script
    make_work_folder
    results=$work/results
    : >"$results"
    build_c classic-transfer -lfcgi
    build=(env GALLETA_BENCHMARKS=1 swift build --package-path "$repository" -c release --product transfer-program
        --static-swift-stdlib)
    say "Building the program"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    program=$("${build[@]}" --show-bin-path)/transfer-program
    head -c 10M /dev/zero >"$work/file"
    truncate -s 100M "$work/upload"
    chmod 0644 "$work/file"

    # All in one session, as in the other measurements.
    detached=()
    transfer_side a "$work/classic-transfer" "$work/file" 16
    transfer_side b "$program" "$work/file"
    for ((round = 0; round <= rounds; round++)); do
        for what in file stream upload; do
            for side in a b; do transfer "$round" "$side" "$what"; done
        done
    done
    # Round 0 does not count.
    sed -i '/^0 /d' "$results"

    printf '%d rounds, %d transfers at a time; CPU us/MiB, peak MiB\n' "$rounds" "$clients"
    printf '%-24s %18s %18s %18s %8s %8s\n' '' 'A CPU' 'B CPU' 'B / A' 'A peak' 'B peak'
    transfers_row 'GET, a file of 10 MiB' file
    transfers_row 'GET, a stream of 10 MiB' stream
    transfers_row 'POST, 100 MiB' upload
}

# transfer_side SIDE PROGRAM [OPTION …]
transfer_side() {
    local folder=$work/side-$1
    start_backend "$folder" "${@:2}"
    start_web_server nginx "$folder" '' 'access_log=access_log off;' 'max_body=client_max_body_size 200m;'
    wait_ready "$folder"
    pid[$1]=$backend address[$1]=$url
}

# transfer ROUND SIDE WHAT: one line of figures into $results: CPU us a MiB, the peak of memory in MiB.
transfer() {
    local count=200 mib=10 options=(-o /dev/null) good before after peak
    if [[ $3 == upload ]]; then count=$((2 * clients)) mib=100 options=(-X POST -H Expect: -T "$work/upload"); fi
    # The peak from here on; where the kernel does not know how, that of all its life.
    echo 5 2>/dev/null >"/proc/${pid[$2]}/clear_refs" || true
    before=$(cpu_ns "${pid[$2]}")
    # The part behind "#" is curl's own: so many requests. With --parallel it shows its progress even so.
    good=$(setpriv --pdeathsig TERM -- curl -s --parallel --parallel-max "$clients" "${options[@]}" \
        -w '%{http_code} %{size_download}\n' "${address[$2]}/app/$3#[1-$count]" 2>/dev/null |
        awk -v mib="$mib" -v what="$3" '
            what == "upload" ? $0 == mib * 1048576 : $1 == 200 && $2 == mib * 1048576 { good++ }
            END { print good + 0 }')
    ((good == count)) || {
        show_logs "$work/side-$2"
        die "$2: $good of $count transfers of /app/$3 were whole"
    }
    after=$(cpu_ns "${pid[$2]}")
    peak=$(awk '/^VmHWM:/ { printf "%.1f", $2 / 1024 }' "/proc/${pid[$2]}/status")
    awk -v round="$1" -v side="$2-$3" -v ns=$((after - before)) -v mib=$((count * mib)) -v peak="$peak" \
        'BEGIN { printf "%s %s %.1f %s\n", round, side, ns / 1000 / mib, peak }' | tee -a "$results" >&2
}

# transfers_row LABEL WHAT
transfers_row() {
    printf '%-24s %18s %18s %18s %8s %8s\n' "$1" "$(column "a-$2" 1 | spread 0)" "$(column "b-$2" 1 | spread 0)" \
        "$(ratios "b-$2" "a-$2" 1 | spread 2)" "$(column "a-$2" 2 | median 1)" "$(column "b-$2" 2 | median 1)"
}
