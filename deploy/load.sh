# Load from visitors with sessions of their own; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for the scripts that source it

# What is measured: names of sides in their order, and for each the address asked, its name, and the folder of its logs.
sides=()
declare -A target title logs

# measured SIDE ADDRESS TITLE FOLDER: one more.
measured() {
    sides+=("$1")
    target[$1]=$2 title[$1]=$3 logs[$1]=$4
}

# wrk sends the cookies in turn, each thread its own share of them: no session is asked for twice at a time where there are
# many more sessions than connections. The requests are made before the run: wrk shares the processors with what is measured.
write_visitors() {
    cat >"$work/visitors.lua" <<'LUA'
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
local requests, index = {}, 0
function init()
    local cookies, step = {}, tonumber(os.getenv("THREADS"))
    for cookie in io.lines(os.getenv("COOKIES")) do cookies[#cookies + 1] = cookie end
    if #cookies < step then number, step = 0, 1 end
    for i = 1 + number, #cookies, step do requests[#requests + 1] = wrk.format("GET", nil, { ["Cookie"] = cookies[i] }) end
end
function request()
    index = index % #requests + 1
    return requests[index]
end
LUA
}

# gather_cookies SIDE COUNT: a session for each of so many visitors; none at all is the caller's affair.
gather_cookies() {
    local cookies=$work/cookies-$1 found
    # The part behind "#" is curl's own: so many requests.
    curl -s -o /dev/null -D - "${target[$1]}#[1-$2]" | tr -d '\r' |
        sed -nE 's/^Set-Cookie: ([^;]*).*/\1/Ip' >"$cookies"
    found=$(wc -l <"$cookies")
    ((found == 0 || found == $2)) || die "${target[$1]} did not give a session cookie to each of $2 visitors"
}

# load SECONDS SIDE CLIENTS: sets $output to what wrk says.
load() {
    local script=() threads=2 cookies=$work/cookies-$2
    [[ ! -s $cookies ]] || script=(-s "$work/visitors.lua")
    (($3 >= threads)) || threads=$3
    output=$(COOKIES=$cookies THREADS=$threads setpriv --pdeathsig TERM -- \
        wrk -t"$threads" -c"$3" -d"$1s" --latency "${script[@]}" "${target[$2]}")
    if grep -qE 'Non-2xx|Socket errors' <<<"$output"; then
        show_logs "${logs[$2]}"
        die "${title[$2]} did not answer every request: $output"
    fi
}

# wrk_figures: of what wrk says, the requests, how many a second, and the 99th percentile in ms.
wrk_figures() {
    awk '
        / requests in / { requests = $1 }
        /^Requests\/sec:/ { rate = $2 }
        $1 == "99%" {
            p99 = $2 + 0
            if ($2 ~ /us$/) p99 /= 1000
            else if ($2 !~ /ms$/) p99 *= 1000
        }
        END { printf "%d %.0f %.2f\n", requests, rate, p99 }'
}
