# How long others wait while many guess passwords; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh

logins_usage() {
    cat <<'TEXT'
Usage: deploy/bench logins [--guessers N] [--seconds N] [--cost N] [--workers N] [--against PROGRAM]

Guessers send wrong passwords to galleta-server behind nginx as fast as they get answers, each time for another user and
from another network, so that no limit of tries holds them back. Beside them one client asks for /app/ping, again and
again. Prints how long it waits, without guessers and with them, and what the guessers were answered.

  --guessers N      at a time (default 16)          --seconds N   length of a measurement (default 15)
  --cost N          bcrypt's (default 12)           --workers N   galleta-server's (default 4)
  --against FILE    another build of galleta-server, measured first, on the same machine in the same run
TEXT
}

bench_logins() {
    local guessers=16 seconds=15 cost=12 workers=4 against='' programs=() program
    while (($#)); do
        case $1 in
            --guessers | --seconds | --cost | --workers)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench logins --help"
                declare "${1#--}=$2"
                shift
                ;;
            --against)
                against=$(realpath -e -- "${2:-}") || die "--against needs a program; see deploy/bench logins --help"
                shift
                ;;
            --help | -h)
                logins_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench logins --help" ;;
        esac
        shift
    done

    build_server nginx-light spawn-fcgi apache2-utils curl wrk
    end_with_script
    make_work_folder
    htpasswd -bcB -C "$cost" "$work/users" ada "the right one" 2>/dev/null
    chmod 0644 "$work/users"

    # A try for a user of its own, from a network of its own: two random numbers in 2^24.
    cat >"$work/guess.lua" <<'LUA'
local number, token, session = 0, os.getenv("TOKEN"), os.getenv("SESSION")
function init()
    number = math.random(0, 2 ^ 24 - 1)
end
function request()
    number = (number + 1) % 2 ^ 24
    local address = string.format("%d.%d.%d.1", 1 + number % 120, math.floor(number / 256) % 256, math.floor(number / 65536))
    return wrk.format("POST", nil, {
        ["Content-Type"] = "application/x-www-form-urlencoded", ["Cookie"] = session, ["X-Forwarded-For"] = address,
    }, "csrf=" .. token .. "&username=user" .. number .. "&password=wrong")
end
local counts = {}
function response(status)
    counts[status] = (counts[status] or 0) + 1
    answered = ""
    for code, count in pairs(counts) do answered = answered .. " " .. count .. " times " .. code .. "," end
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function done() print("answers" .. (threads[1]:get("answered") or " none,")) end
LUA

    printf 'waits for /app/ping beside %d guessers at bcrypt cost %d, %d workers, %d processors, %d s each\n' \
        "$guessers" "$cost" "$workers" "$(nproc)" "$seconds"
    if [[ -n $against ]]; then programs+=("$against"); fi
    programs+=("$server")
    for program in "${programs[@]}"; do measure_logins "$program"; done
}

# measure_logins PROGRAM
measure_logins() {
    local folder=$work/${#running[@]} page guessing
    start_backend "$folder" "$1" --mount /app --workers "$workers" --no-access-log --htpasswd "$work/users"
    # The clients' addresses are what they say they are, for nginx's own limit, too.
    start_web_server nginx "$folder" '' 'access_log=access_log off; set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;'
    wait_ready "$folder"
    page=$(curl -s -D "$folder/head" "$url/app/")
    SESSION=$(tr -d '\r' <"$folder/head" | sed -nE 's/^Set-Cookie: ([^;]*).*/\1/Ip')
    TOKEN=$(sed -nE 's/.*name="csrf" value="([^"]*)".*/\1/p' <<<"$page" | head -1)
    export SESSION TOKEN
    [[ -n $SESSION && -n $TOKEN ]] || die "the page has no form to log in"

    printf '%s\n' "$1"
    ping_figures 3 '  alone  '
    wrk -t1 -c"$guessers" -d"$((seconds + 2))s" --timeout 60s -s "$work/guess.lua" "$url/app/login" >"$folder/guesses" &
    guessing=$!
    running+=("$guessing")
    # Once all of them wait for an answer.
    sleep 1
    ping_figures "$seconds" '  beside '
    wait "$guessing" || die "wrk failed"
    printf '  guessers: %s\n' "$(sed -nE 's/^answers (.*),$/\1/p' "$folder/guesses")"
    stop "$web_server"
    stop "$backend"
}

# ping_figures SECONDS LABEL: one request at a time, on one connection.
ping_figures() {
    wrk -t1 -c1 -d"$1s" --timeout 60s --latency "$url/app/ping" | awk -v label="$2" '
        function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text ~ /m$/ ? text * 60000 : text * 1000 }
        $1 == "Latency" && $2 != "Distribution" { worst = ms($4) }
        $1 == "50%" { median = ms($2) }
        $1 == "99%" { p99 = ms($2) }
        / requests in / { count = $1 }
        END { printf "%s median %.1f ms, p99 %.1f ms, worst %.1f ms, %d answers\n", label, median, p99, worst, count }'
}
