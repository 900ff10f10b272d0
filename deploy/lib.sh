# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for the scripts that source it

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# Debian keeps nginx where only root's PATH looks.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

die() {
    say "${0##*/}: $*"
    exit 1
}

# --- What has to be installed ----------------------------------------------------------------------------------------

# Succeeds if the Debian package $1 (or what it gives) is there. Looks for the thing itself: it may have come another way.
has_package() {
    case $1 in
        libfcgi-dev) [[ -e /usr/include/fcgiapp.h ]] ;;
        libcrypt-dev) [[ -e /usr/include/crypt.h ]] ;;
        libssl-dev) [[ -e /usr/include/openssl/sha.h ]] ;;
        libc6-dev) [[ -e /usr/include/stdlib.h ]] ;;
        nginx-light) command -v nginx >/dev/null ;;
        apache2-utils) command -v htpasswd >/dev/null ;;
        systemd) command -v systemd-socket-activate >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# Installs those of the Debian packages "$@" that are missing, or says what to install and ends the script.
need_packages() {
    local package missing=()
    for package; do has_package "$package" || missing+=("$package"); done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        say "${0##*/}: missing: ${missing[*]}"
        if command -v apt-get >/dev/null; then
            say "Install them as root, then run this again:"
            say "    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        else
            say "Install what these Debian packages hold, then run this again."
        fi
        exit 1
    fi
    say "Installing ${missing[*]}"
    # A subshell, for its own trap.
    (install_packages "${missing[@]}") >&2 </dev/null || die "apt-get could not install ${missing[*]}; its reasons are above"
    for package in "${missing[@]}"; do has_package "$package" || die "$package is installed, but what it gives is not there"; done
}

install_packages() {
    local policy=/usr/sbin/policy-rc.d
    local install=(apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@")
    export DEBIAN_FRONTEND=noninteractive
    # Debian starts a service that it installs: an nginx on port 80 that nobody asked for. This file is its way to say no.
    if [[ ! -e $policy ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 1' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    # The package lists may be missing, or older than the packages.
    "${install[@]}" || { apt-get -q update && "${install[@]}"; }
}

need_swift() {
    command -v swift >/dev/null || die "no Swift toolchain: install Swift 6.2 or later (https://www.swift.org/install/linux/) and put its bin folder into PATH"
}

# Builds galleta-server for release and sets $server to it. GALLETA_SERVER names one that is built already.
build_server() {
    if [[ -n ${GALLETA_SERVER:-} ]]; then
        server=$(realpath -e -- "$GALLETA_SERVER") || die "GALLETA_SERVER: there is no $GALLETA_SERVER"
        return
    fi
    need_swift
    local build=(swift build --package-path "$repository" -c release --product galleta-server --static-swift-stdlib)
    say "Building galleta-server (a minute or two the first time)"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    server=$("${build[@]}" --show-bin-path)/galleta-server
}

# --- Processes that end with the script ------------------------------------------------------------------------------

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
    [[ -z $work ]] || rm -rf -- "$work"
    exit "$status"
}

end_with_script() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

# --- nginx and the server --------------------------------------------------------------------------------------------

# A loopback port that nobody listens on, below those that the kernel hands out itself. nginx has the last word.
free_port() {
    local port
    while :; do
        port=$((10240 + RANDOM % 22000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s' "$port"
}

# Writes nginx.conf.example with its "# SITE:" lines replaced: render_nginx FILE name=line …; an empty line drops it.
render_nginx() {
    local out=$1
    shift
    awk '
        BEGIN {
            for (i = 1; i < ARGC; i++) {
                at = index(ARGV[i], "=")
                line[substr(ARGV[i], 1, at - 1)] = substr(ARGV[i], at + 1)
            }
            ARGC = 1
        }
        match($0, /# SITE:[a-z_0-9]+/) {
            name = substr($0, RSTART + 7, RLENGTH - 7)
            if (name in line) { used[name] = 1; if (line[name] != "") print line[name]; next }
        }
        { print }
        END {
            for (name in line) if (!(name in used)) {
                print "nginx.conf.example has no line marked # SITE:" name > "/dev/stderr"
                exit 1
            }
        }
    ' "$@" <"$repository/nginx.conf.example" >"$out"
}

# Starts a program through spawn-fcgi: start_backend FOLDER PROGRAM [OPTION …]. The socket is FOLDER/fcgi.sock, what the
# program writes goes to FOLDER/server.log. Sets $backend to its process id.
start_backend() {
    local folder=$1 program=$2 as=()
    shift 2
    mkdir -p -- "$folder"
    # For uploads; TMPDIR may be root's alone.
    mkdir -m 0700 -- "$folder/uploads"
    if ((EUID == 0)); then
        # As in production: the program as a user without rights, the socket for the web server's group. The copy is
        # for checkouts that this user may not read.
        as=(-u nobody -g nogroup -U nobody -G www-data)
        chmod 0711 "$folder"
        chown nobody:nogroup "$folder/uploads"
        install -m 0755 -- "$program" "$folder/program"
        program=$folder/program
    fi
    launch env TMPDIR="$folder/uploads" spawn-fcgi -n -s "$folder/fcgi.sock" -M 0660 -b 1024 "${as[@]}" -- \
        "$(command -v setpriv)" --pdeathsig TERM -- "$program" "$@" >"$folder/server.log" 2>&1
    backend=$started
}

# Writes FOLDER/nginx.conf, which keeps to that folder: write_nginx_conf FOLDER PORT SOCKET [name=line …]. The given lines
# go in place of "# SITE:" lines and win over those of here.
write_nginx_conf() {
    local folder=$1 port=$2 socket=$3 nofile
    shift 3
    nofile=$(ulimit -Hn)
    if [[ $nofile == unlimited ]] || ((nofile > 8192)); then nofile=8192; fi
    mkdir -p -- "$folder/temp" "$folder/html"
    printf '<!DOCTYPE html>\n<title>The old site</title>\n<p>The old site. The application is at <a href="/app/">/app/</a>.\n' \
        >"$folder/html/index.html"
    # Only root may choose a user.
    render_nginx "$folder/nginx.conf" \
        "user=$( ((EUID != 0)) || printf 'user root;')" \
        "workers=worker_processes 2;" \
        "pid=pid $folder/nginx.pid;" \
        "error_log=error_log $folder/nginx-error.log warn;" \
        "nofile=worker_rlimit_nofile $nofile;" \
        "access_log=access_log $folder/nginx-access.log galleta;" \
        "temp_paths=$(printf '%s_temp_path '"$folder"'/temp/%s; ' client_body{,} fastcgi{,} proxy{,} scgi{,} uwsgi{,})" \
        "socket=server unix:$socket max_fails=0;" \
        "listen=listen 127.0.0.1:$port;" "listen_ipv6=" "tls=" \
        "server_name=server_name localhost 127.0.0.1;" \
        "root=root $folder/html;" "$@"
}

# Starts nginx for FOLDER/fcgi.sock on a port of the loopback address: start_nginx FOLDER [PORT [name=line …]], on a free
# one if PORT is empty. Sets $nginx to its process id and $url to http://127.0.0.1:PORT; with FOLDER/tls.crt and tls.key
# also $secure_url.
start_nginx() {
    local folder=$1 wanted=${2:-} tries=0 port tls_port deadline lines
    shift
    (($#)) && shift
    while :; do
        port=${wanted:-$(free_port)}
        url=http://127.0.0.1:$port
        secure_url='' lines=("$@")
        if ((EUID == 0)); then lines+=("user=user www-data;"); fi
        if [[ -e $folder/tls.crt ]]; then
            tls_port=$(free_port)
            secure_url=https://127.0.0.1:$tls_port
            lines+=("tls=listen 127.0.0.1:$tls_port ssl http2; ssl_certificate $folder/tls.crt; ssl_certificate_key $folder/tls.key;")
        fi
        write_nginx_conf "$folder" "$port" "$folder/fcgi.sock" "${lines[@]}" || die "nginx.conf.example could not be adapted"
        ((EUID != 0)) || chmod 0755 "$folder/html" "$folder/temp"
        nginx -t -q -e "$folder/nginx-error.log" -c "$folder/nginx.conf" >&2 || die "nginx does not accept nginx.conf.example"
        # Its standard error would be a second copy of the log.
        launch nginx -e "$folder/nginx-error.log" -c "$folder/nginx.conf" -g 'daemon off;' 2>/dev/null
        nginx=$started
        # The file appears once all ports are bound: what answers then is ours.
        deadline=$((SECONDS + 15))
        until [[ -s $folder/nginx.pid ]] || ! alive "$nginx" || ((SECONDS > deadline)); do sleep 0.05; done
        [[ ! -s $folder/nginx.pid ]] || return 0
        stop "$nginx" TERM 5
        if ! grep -q 'Address already in use' "$folder/nginx-error.log" || ((++tries >= 10)); then
            cat "$folder/nginx-error.log" >&2
            die "nginx did not start"
        fi
        [[ -z $wanted ]] || die "port $wanted is in use; give another with --port, or none for a free one"
        : >"$folder/nginx-error.log"
    done
}

# Waits until the program behind $url answers below /app/: wait_ready FOLDER.
wait_ready() {
    local folder=$1 code deadline=$((SECONDS + 20))
    while alive "$backend" && ((SECONDS < deadline)); do
        code=$(curl -s -o /dev/null --max-time 5 -w '%{http_code}' "$url/app/" || true)
        case $code in
            000 | 502 | 503 | 504) sleep 0.1 ;;
            *) return 0 ;;
        esac
    done
    alive "$backend" || say "The server ended at its start. What it wrote:"
    show_logs "$folder"
    die "the server does not answer at $url/app/"
}

# Shows what the server and nginx logged.
show_logs() {
    local log
    for log in server.log nginx-error.log; do
        [[ -s $1/$log ]] || continue
        say "--- $log"
        tail -n 40 -- "$1/$log" >&2
    done
}
