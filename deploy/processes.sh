# Processes that end with the script. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

work=     # the temporary folder
running=() # process ids, in the order of their start

make_work_folder() {
    local base=${TMPDIR:-/tmp}
    # As root, nginx's workers and the server run as users of their own and have to pass through; and a unix socket's path
    # has room for 107 bytes.
    if ((${#base} > 64)) || { ((EUID == 0)) && ! "${as_nobody[@]}" test -x "$base"; }; then base=/tmp; fi
    work=$(mktemp -d "$base/galleta.XXXXXX")
    if ((EUID == 0)); then chmod 0711 "$work"; fi
}
as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)

# Starts a command in the background, without the terminal's Ctrl-C (this script ends it in its own order) and bound to
# this script's life: even kill -9 leaves nothing behind. Sets $started to its process id.
launch() {
    "${detached[@]}" setpriv --pdeathsig TERM -- "$@" </dev/null &
    started=$!
    running+=("$started")
}
detached=(setsid)

alive() { kill -0 "$1" 2>/dev/null; }

# Ends the process $1 with the signal $2, and the hard way if it is still there after $3 seconds.
stop() {
    local pid=$1 deadline=$((SECONDS + ${3:-15})) other kept=()
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    while alive "$pid" && ((SECONDS < deadline)); do sleep 0.05; done
    if alive "$pid"; then
        say "process $pid did not stop; killing it"
        kill -s KILL "$pid" 2>/dev/null || true
    fi
    exit_status=0
    wait "$pid" 2>/dev/null || exit_status=$?
    for other in "${running[@]}"; do [[ $other == "$pid" ]] || kept+=("$other"); done
    running=("${kept[@]}")
}

# Ends all that runs, the last started first: nginx before the server behind it. Then the folder goes.
clean_up() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    # Whatever fails here, the rest is still to be ended.
    set +e
    while ((${#running[@]})); do stop "${running[-1]}" TERM 15; done
    [[ -z $work ]] || rm -rf --one-file-system -- "$work"
    exit "$status"
}

end_with_script() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}
