# The web servers, and the FastCGI server behind them. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

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
