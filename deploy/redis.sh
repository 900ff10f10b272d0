# A redis-server of the script's own. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

# Starts a redis-server with default settings, but for snapshots: there are none. start_redis FOLDER: its files are in
# FOLDER/redis, it logs to FOLDER/redis.log. Sets $redis to its process id and $redis_socket to its unix socket.
start_redis() {
    local folder=$1 identity=() deadline=$((SECONDS + 15))
    redis_socket=$folder/redis/redis.sock
    mkdir -p -- "$folder"
    mkdir -m 0700 -- "$folder/redis"
    if ((EUID == 0)); then
        # As the server: it needs no rights, and the socket is for nobody else.
        identity=("${as_nobody[@]}")
        chown nobody:nogroup "$folder/redis"
    fi
    # Another user's process is bound to this script's life anew.
    launch "${identity[@]}" setpriv --pdeathsig TERM -- redis-server --port 0 --unixsocket "$redis_socket" \
        --unixsocketperm 700 --dir "$folder/redis" --save '' --appendonly no --daemonize no >"$folder/redis.log" 2>&1
    redis=$started
    until [[ $(ask_redis PING 2>/dev/null) == PONG ]]; do
        if ! alive "$redis" || ((SECONDS > deadline)); then
            show_logs "$folder"
            die "redis-server did not start"
        fi
        sleep 0.05
    done
}

# ask_redis COMMAND …: what the redis-server answers.
ask_redis() { redis-cli -s "$redis_socket" "$@"; }

# redis_field SECTION FIELD: of what INFO says.
redis_field() { ask_redis INFO "$1" | tr -d '\r' | sed -n "s/^$2://p"; }
