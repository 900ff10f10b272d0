# Sessions of PHP in files, in Redis and in galleta-server's memory, and galleta-server's own in Redis; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

php_usage() {
    cat <<'TEXT'
Usage: deploy/bench php [--rounds N] [--seconds N] [--clients N] [--visitors N] [--workers N] [--against FILE]

Measures a counter in a session that is kept in Redis or elsewhere, in alternated rounds through one nginx, with one
redis-server on a unix socket:
  plain    php-fpm with phpredis as it is installed: parallel requests of a visitor lose counts
  locked   the same with redis.session.locking_enabled=1: none is lost
  strict   the same and session.use_strict_mode=1: an id that a client made up is never adopted either
  disk     php-fpm with PHP's files, which it locks
  memory   as locked, but the handler is served by galleta-server --provider php, out of its memory
  galleta  GET /app/counter of galleta-server --provider redis, which has locks and strict ids
PHP runs with opcache and kept connections to Redis, pm=static, as many children as galleta-server has workers. nginx keeps
connections to galleta-server, and none to php-fpm: each would hold a child.

Prints the backend's CPU time (user and system, all its processes) and that of redis-server or of the store in memory per
request, requests a second, round trips to Redis and commands there per request (those that scripts run count), and the 99th
percentile: medians, with the quartiles in parentheses, then galleta's ratio to each of PHP's, within a round. The aim is 0.3
of PHP's CPU time.

  --rounds N      rounds of each (default 5)          --seconds N   length of one (default 8)
  --clients N     wrk's connections (default 64)      --visitors N  sessions, each asked for in turn (default 1000)
  --workers N     workers, and children (default: galleta-server's own default, twice the processors, at least 4)
  --against FILE  another build of galleta-server, behind an nginx of its own: "before"
TEXT
}

bench_php() {
    local rounds=5 seconds=8 clients=64 visitors=1000 workers=$((2 * $(nproc))) side php rules='' against=''
    local -A pid
    ((workers >= 4)) || workers=4
    while (($#)); do
        case $1 in
            --rounds | --seconds | --clients | --visitors | --workers)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench php --help"
                declare "${1#--}=$2"
                shift
                ;;
            --against)
                against=$(realpath -e -- "${2:-}") || die "--against needs a program; see deploy/bench php --help"
                shift
                ;;
            --help | -h)
                php_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench php --help" ;;
        esac
        shift
    done

    build_server nginx-light spawn-fcgi curl wrk redis-server redis-tools php-fpm php-redis
    # The newest, if there are several.
    php=$(compgen -G '/usr/sbin/php-fpm[0-9]*' | sort -V | tail -n 1)
    end_with_script
    make_work_folder
    results=$work/results
    write_visitors
    # All in one session, as in the other measurements.
    detached=()
    start_redis "$work"

    cat >"$work/counter.php" <<'PHP'
<?php
header('Content-Type: text/plain; charset=utf-8');
session_start();
$_SESSION['counter'] = ($_SESSION['counter'] ?? 0) + 1;
echo $_SESSION['counter'], "\n";
PHP
    chmod 0644 "$work/counter.php"
    start_php plain
    start_php locked 'php_admin_value[redis.session.locking_enabled] = 1'
    mkdir -p -- "$work/disk/sessions"
    ((EUID != 0)) || chown nobody:nogroup "$work/disk/sessions"
    start_php disk 'php_admin_value[session.save_handler] = files' \
        "php_admin_value[session.save_path] = \"$work/disk/sessions\""
    start_backend "$work/store" "$server" --no-access-log --provider php --session-option "socket=$work/store/uploads/php.sock"
    pid[store]=$backend
    start_php memory 'php_admin_value[redis.session.locking_enabled] = 1' \
        "php_admin_value[session.save_path] = \"unix://$work/store/uploads/php.sock?persistent=1\""
    start_php strict 'php_admin_value[redis.session.locking_enabled] = 1' 'php_admin_value[session.use_strict_mode] = 1'
    if [[ $against ]]; then
        start_galleta before "$against"
        measured before "$url/app/counter" before "$work/before"
    fi
    start_galleta galleta "$server" "rules=$rules"
    for side in plain locked strict disk memory; do measured "$side" "$url/$side/counter.php" "$side" "$work/$side"; done
    measured galleta "$url/app/counter" galleta "$work/galleta"
    for side in "${sides[@]}"; do
        gather_cookies "$side" "$visitors"
        [[ -s $work/cookies-$side ]] || {
            show_logs "${logs[$side]}"
            die "${target[$side]} gives nobody a session cookie"
        }
        check_counter "$side"
    done

    php_rounds
    php_table
}

# start_php SIDE [LINE …]: a php-fpm of its own with these lines for its pool, of which the first of a name counts, and its place
# in nginx's $rules.
start_php() {
    local folder=$work/$1 identity=()
    mkdir -p -- "$folder"
    if ((EUID == 0)); then
        # As the server: a user without rights, and a socket for the web server's group.
        identity=('user = nobody' 'group = nogroup' 'listen.owner = nobody' 'listen.group = www-data')
        chmod 0711 "$folder"
    fi
    printf '%s\n' '[global]' "error_log = $folder/server.log" 'daemonize = no' '[counter]' "${identity[@]}" \
        "listen = $folder/php.sock" 'listen.mode = 0660' 'pm = static' "pm.max_children = $workers" \
        'php_admin_value[opcache.enable] = 1' "${@:2}" 'php_admin_value[session.save_handler] = redis' \
        "php_admin_value[session.save_path] = \"unix://$redis_socket?persistent=1&prefix=$1:\"" >"$folder/fpm.conf"
    launch "$php" --nodaemonize --fpm-config "$folder/fpm.conf" >"$folder/server.log" 2>&1
    pid[$1]=$started
    rules+="location = /$1/counter.php { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $work/counter.php; "
    rules+="fastcgi_pass unix:$folder/php.sock; }"$'\n'
}

# start_galleta SIDE PROGRAM [LINE]: behind an nginx, with this line in its configuration.
start_galleta() {
    local folder=$work/$1
    start_backend "$folder" "$2" --mount /app --no-access-log --workers "$workers" --provider redis \
        --session-option "url=unix://$redis_socket" --session-option "name=$1"
    pid[$1]=$backend
    start_web_server nginx "$folder" '' 'access_log=access_log off;' "${@:3}"
    wait_ready "$folder"
}

# check_counter SIDE: its sessions are kept, and count on.
check_counter() {
    local cookie first second
    cookie=$(head -n 1 "$work/cookies-$1")
    first=$(curl -s --max-time 20 -H "Cookie: $cookie" "${target[$1]}")
    second=$(curl -s --max-time 20 -H "Cookie: $cookie" "${target[$1]}")
    [[ $first == 2 && $second == 3 ]] || {
        show_logs "${logs[$1]}"
        die "${target[$1]} does not count: $first, $second"
    }
}

# store_cpu_ns SIDE: the CPU time of what keeps its sessions.
store_cpu_ns() {
    case $1 in
        disk) echo 0 ;;
        memory) cpu_ns "${pid[store]}" ;;
        *) cpu_ns "$redis" ;;
    esac
}

# php_round ROUND SIDE: one line of figures into $results: the backend's CPU us a request, its store's, requests a second, round
# trips and commands a request, p99 in ms. What the commands were is in $work/commands-SIDE.
php_round() {
    local backend_ns store_ns reads commands output requests rate p99
    ask_redis CONFIG RESETSTAT >/dev/null
    backend_ns=$(tree_cpu_ns "${pid[$2]}") store_ns=$(store_cpu_ns "$2")
    load "$seconds" "$2" "$clients"
    backend_ns=$(($(tree_cpu_ns "${pid[$2]}") - backend_ns)) store_ns=$(($(store_cpu_ns "$2") - store_ns))
    reads=$(redis_field stats total_reads_processed) commands=$(redis_field stats total_commands_processed)
    # What else asks Redis meanwhile is not theirs.
    [[ $2 != disk && $2 != memory ]] || reads=0 commands=0
    read -r requests rate p99 < <(wrk_figures <<<"$output")
    ask_redis INFO commandstats | tr -d '\r' | sed -nE 's/^cmdstat_([^:]*):calls=([0-9]+),.*/\1 \2/p' | sort -k2,2nr |
        awk -v requests="$requests" '$2 / requests >= 0.005 { printf "%s %.2f  ", $1, $2 / requests }' >"$work/commands-$2"
    printf '%s %s %s %s %s %s %s %s\n' "$1" "$2" "$(per "$requests" $((backend_ns / 1000)))" \
        "$(per "$requests" $((store_ns / 1000)))" "$rate" "$(per "$requests" "$reads")" "$(per "$requests" "$commands")" \
        "$p99" | tee -a "$results" >&2
}

# All sides in turn, after a short load each that does not count.
php_rounds() {
    local round side output
    : >"$results"
    for side in "${sides[@]}"; do load 2 "$side" "$clients"; done
    for ((round = 1; round <= rounds; round++)); do
        for side in "${sides[@]}"; do php_round "$round" "$side"; done
    done
}

php_table() {
    local side
    printf '%d rounds of %d s, %d clients, %d sessions of each, %d workers or children, %s\n' "$rounds" "$seconds" "$clients" \
        "$visitors" "$workers" "$("$php" --version | head -n 1 | cut -d ' ' -f 1,2)"
    php_row 'medians (quartiles)' 'CPU us/request' 'store us/request' 'requests/s' 'round trips' 'commands' 'p99 ms'
    for side in "${sides[@]}"; do
        php_row "$side" "$(column "$side" 1 | spread 1)" "$(column "$side" 2 | spread 1)" "$(column "$side" 3 | spread 0)" \
            "$(column "$side" 4 | median 2)" "$(column "$side" 5 | median 2)" "$(column "$side" 6 | spread 2)"
    done
    for side in "${sides[@]}"; do
        [[ $side != galleta ]] || continue
        php_row "galleta / $side" "$(ratios galleta "$side" 1 | spread 2)" "$(ratios galleta "$side" 2 | spread 2)" \
            "$(ratios galleta "$side" 3 | spread 2)" "$(ratios galleta "$side" 4 | median 2)" \
            "$(ratios galleta "$side" 5 | median 2)" "$(ratios galleta "$side" 6 | spread 2)"
    done
    printf 'commands per request in the last round:\n'
    for side in "${sides[@]}"; do printf '  %-8s %s\n' "$side" "$(<"$work/commands-$side")"; done
}

# php_row TITLE FIGURE …
php_row() { printf '%-20s %22s %22s %22s %12s %9s %20s\n' "$@"; }
