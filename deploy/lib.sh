# shellcheck shell=bash
# What the scripts of this folder share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
    say "${0##*/}: $*"
    exit 1
}

# Installs the Debian packages that are missing; says which when it cannot.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null 2>&1 || die "these packages are missing: ${missing[*]}; install what your system calls them"
    local become=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "these packages are missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
        become=(sudo -n)
    fi
    say "installing ${missing[*]}"
    # A package list may be older than the packages: a second try after an update.
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null 2>&1 && return 0
    "${become[@]}" apt-get update -qq >/dev/null
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null || die "apt-get could not install ${missing[*]}"
}

need_swift() {
    command -v swift >/dev/null 2>&1 || die "the Swift toolchain is missing; install Swift 6.2 or later (https://www.swift.org/install/linux)"
}

# Builds the release executable; its path is in $server afterwards. GALLETA_SERVER names one that is built already.
# shellcheck disable=SC2034
build_server() {
    if [ -n "${GALLETA_SERVER:-}" ]; then
        server=$GALLETA_SERVER
        return
    fi
    need_swift
    say "building galleta-server (release)"
    local flags=(-c release --static-swift-stdlib --product galleta-server --package-path "$root")
    swift build "${flags[@]}" >&2
    server=$(swift build "${flags[@]}" --show-bin-path)/galleta-server
}

# A port of 127.0.0.1 that nobody listens on at this moment.
free_port() {
    python3 - <<'PYTHON' 2>/dev/null || free_port_by_trial
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1])
PYTHON
}

free_port_by_trial() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 20000))
        # A connection that is refused means that the port is free.
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    return 1
}

# Waits until the command succeeds, at most $1 tenths of a second.
wait_for() {
    local tries=$1
    shift
    for _ in $(seq "$tries"); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

# Ends a process by its id and waits for it; kills it when it does not end within 20 seconds.
stop_process() {
    local pid=$1
    kill -TERM "$pid" 2>/dev/null || return 0
    for _ in $(seq 200); do
        kill -0 "$pid" 2>/dev/null || return 0
        # A child that has ended is a zombie until it is waited for.
        [ "$(ps -o stat= -p "$pid" 2>/dev/null | cut -c1)" = Z ] && break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# Writes nginx.conf.example to $1/nginx.conf for a folder of its own: port $2, upstream socket $3, more lines for the
# main block in $4. The lines that a site would change are marked in the example.
write_nginx_conf() {
    local folder=$1 port=$2 socket=$3
    mkdir -p "$folder/html" "$folder/tmp"
    local user=''
    [ "$(id -u)" -eq 0 ] && user='user root;'
    sed -e "s|^user .*# site.*|$user|" \
        -e "s|^pid .*# site.*|pid $folder/nginx.pid;|" \
        -e "s|^error_log .*# site.*|error_log $folder/nginx-error.log warn;|" \
        -e "s|access_log .*# site.*|access_log $folder/nginx-access.log galleta;|" \
        -e "s|listen .*# site.*|listen 127.0.0.1:$port;|" \
        -e "s|root .*# site.*|root $folder/html;|" \
        -e "s|server unix:.*# site.*|server unix:$socket max_fails=0;|" \
        -e "s|^\( *\)# temp: .*|\1client_body_temp_path $folder/tmp/body; fastcgi_temp_path $folder/tmp/fastcgi; proxy_temp_path $folder/tmp/proxy; scgi_temp_path $folder/tmp/scgi; uwsgi_temp_path $folder/tmp/uwsgi;|" \
        "$root/nginx.conf.example" >"$folder/nginx.conf"
}
