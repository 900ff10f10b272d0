# A slow page of PHP, and who has to wait for it; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it
# shellcheck source=deploy/php.sh
. "$repository/deploy/php.sh"

slow_page_usage() {
    cat <<'TEXT'
Usage: deploy/bench slow-page [--rounds N] [--seconds N] [--clients N] [--visitors N] [--polls N] [--workers N]

Measures what a page of PHP that has its visitor's session for a whole round costs all other visitors: GET /app/counter of
galleta-server --provider php, whose sessions are PHP's files, in alternated rounds behind one nginx:
  alone    the other visitors only
  beside   the same, while one visitor waits for the slow page, and polls /app/counter by several connections, each
           again a second after its answer

Prints requests a second and the percentiles in milliseconds: medians, with the quartiles in parentheses, then the ratio
within a round; and what the polls were answered. The aim is 1.5 of the 99th percentile at most.

  --rounds N    rounds of each (default 5)            --seconds N   length of one (default 10)
  --clients N   wrk's connections (default 64)        --visitors N  sessions, each asked for in turn (default 1000)
  --polls N     connections of the visitor who waits (default 8)
  --workers N   workers (default: galleta-server's own default, twice the processors, at least 4)
TEXT
}

bench_slow_page() {
    local rounds=5 seconds=10 clients=64 visitors=1000 polls=8 workers=$((2 * $(nproc))) round side slow
    ((workers >= 4)) || workers=4
    while (($#)); do
        case $1 in
            --rounds | --seconds | --clients | --visitors | --polls | --workers)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench slow-page --help"
                declare "${1#--}=$2"
                shift
                ;;
            --help | -h)
                slow_page_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench slow-page --help" ;;
        esac
        shift
    done

    build_server nginx-light spawn-fcgi curl wrk php-fpm
    end_with_script
    make_work_folder
    results=$work/results
    write_visitors
    # All in one session, as in the other measurements.
    detached=()
    php_pages=$work/pages
    mkdir -- "$php_pages"
    cat >"$php_pages/slow.php" <<'PHP'
<?php
session_start();
sleep((int) $_GET['seconds']);
echo "done\n";
PHP
    start_php "$work"
    start_backend "$work" "$server" --mount /app --no-access-log --workers "$workers" --provider php \
        --session-option "ini=$work/php/php.ini" --session-option "pool=$work/php/pool.conf"
    start_web_server nginx "$work" '' 'access_log=access_log off;' "php=fastcgi_pass unix:$php_socket;"
    wait_ready "$work"
    for side in alone beside; do measured "$side" "$url/app/counter" "$side" "$work"; done
    gather_cookies alone "$visitors"
    cp -- "$work/cookies-alone" "$work/cookies-beside"
    slow=$(curl -s -o /dev/null -D - "$url/app/counter" | tr -d '\r' | sed -nE 's/^Set-Cookie: ([^;]*).*/\1/Ip')
    [[ $slow ]] || die "$url/app/counter gives nobody a session cookie"

    : >"$results"
    : >"$work/polled"
    load 2 alone "$clients"
    for ((round = 1; round <= rounds; round++)); do
        for side in alone beside; do slow_page_round "$round" "$side" "$slow"; done
    done
    slow_page_table
}

# slow_page_round ROUND SIDE COOKIE: requests a second, and the 99th percentile in ms, into $results.
slow_page_round() {
    local output requests rate p99 poll others=() pid
    if [[ $2 == beside ]]; then
        curl -s --max-time $((seconds + 20)) -H "Cookie: $3" "$url/slow.php?seconds=$((seconds + 2))" >"$work/slow" &
        others+=($!)
        # It has the session.
        sleep 1
        for ((poll = 0; poll < polls; poll++)); do
            poll_until $((SECONDS + seconds)) "$3" >>"$work/polled" &
            others+=($!)
        done
    fi
    load "$seconds" "$2" "$clients"
    for pid in "${others[@]}"; do wait "$pid"; done
    [[ $2 != beside || $(<"$work/slow") == "done" ]] || die "the slow page did not come to its end"
    read -r requests rate p99 < <(wrk_figures <<<"$output")
    printf '%s %s %s %s\n' "$1" "$2" "$rate" "$p99" | tee -a "$results" >&2
}

# poll_until SECONDS COOKIE: the statuses of what is answered, a line each.
poll_until() {
    while ((SECONDS < $1)); do
        curl -s -o /dev/null -w '%{http_code}\n' --max-time 30 -H "Cookie: $2" "$url/app/counter" || true
        sleep 1
    done
}

slow_page_table() {
    printf '%d rounds of %d s, %d clients, %d sessions, %d polls, %d workers\n' "$rounds" "$seconds" "$clients" "$visitors" \
        "$polls" "$workers"
    printf '%-20s %22s %22s\n' 'medians (quartiles)' 'requests/s' 'p99 ms'
    for side in alone beside; do
        printf '%-20s %22s %22s\n' "$side" "$(column "$side" 1 | spread 0)" "$(column "$side" 2 | spread 2)"
    done
    printf '%-20s %22s %22s\n' 'beside / alone' "$(ratios beside alone 1 | spread 2)" "$(ratios beside alone 2 | spread 2)"
    printf 'the polls were answered: %s\n' "$(sort "$work/polled" | uniq -c | awk '{ printf "%s%s %s times", (NR > 1 ? ", " : ""), $2, $1 }')"
}
