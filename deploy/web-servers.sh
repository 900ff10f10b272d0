# The web servers, and the FastCGI server behind them. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

# Not empty: the smallest configuration of a web server, DIRECTORY/minimal.*, in the place of the one for production.
minimal=

# A loopback port that nobody listens on, below those that the kernel hands out itself. The web server has the last word.
free_port() {
    local port
    while :; do
        port=$((10240 + RANDOM % 22000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s' "$port"
}

# Writes the configuration SOURCE with its "# SITE:" lines replaced: render SOURCE OUT name=line …; an empty line drops it.
# Where a comment cannot stand behind a directive (Apache), "# SITE:name (next line)" marks the line that follows.
render() {
    local source=$1 out=$2
    shift 2
    awk -v source="${source##*/}" '
        BEGIN {
            for (i = 1; i < ARGC; i++) {
                at = index(ARGV[i], "=")
                line[substr(ARGV[i], 1, at - 1)] = substr(ARGV[i], at + 1)
            }
            ARGC = 1
        }
        skip { skip = 0; next }
        match($0, /# SITE:[a-z_0-9]+/) {
            name = substr($0, RSTART + 7, RLENGTH - 7)
            if (name in line) {
                used[name] = 1
                if (line[name] != "") print line[name]
                skip = substr($0, RSTART + RLENGTH) == " (next line)"
                next
            }
        }
        { print }
        END {
            for (name in line) if (!(name in used)) {
                print source " has no line marked # SITE:" name > "/dev/stderr"
                exit 1
            }
        }
    ' "$@" <"$source" >"$out"
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
    # With --demo a password stands in it.
    (umask 077 && : >"$folder/server.log")
    launch env TMPDIR="$folder/uploads" spawn-fcgi -n -s "$folder/fcgi.sock" -M 0660 -b 1024 "${as[@]}" -- \
        "$(command -v setpriv)" --pdeathsig TERM -- "$program" "$@" >"$folder/server.log" 2>&1
    backend=$started
}

# The Debian package of a web server.
web_server_package() {
    case $1 in
        nginx) echo nginx-light ;;
        # Without the service, the sites and the modules' settings that "apache2" brings.
        apache) echo apache2-bin ;;
        lighttpd | caddy) echo "$1" ;;
        *) die "unknown web server $1: nginx, apache, lighttpd or caddy" ;;
    esac
}

# Writes the configuration of a web server that keeps to FOLDER: write_web_server_conf KIND FOLDER PORT SOCKET [name=line …].
# The given lines go in place of "# SITE:" lines and win over those of here. Sets $configuration to its file.
write_web_server_conf() {
    local kind=$1 folder=$2
    shift
    mkdir -p -- "$folder/temp" "$folder/html"
    printf '<!DOCTYPE html>\n<title>The old site</title>\n<p>The old site. The application is at <a href="/app/">/app/</a>.\n' \
        >"$folder/html/index.html"
    if ((EUID == 0)); then
        chmod 0755 "$folder/html" "$folder/temp"
        # nginx makes folders of its own in there.
        if [[ $kind == nginx ]]; then set -- "${@:1:3}" "user=user www-data;" "${@:4}"; else chown www-data:www-data "$folder/temp"; fi
    fi
    "write_${kind}_conf" "$@"
}

write_nginx_conf() {
    local folder=$1 port=$2 socket=$3 nofile
    shift 3
    nofile=$(ulimit -Hn)
    if [[ $nofile == unlimited ]] || ((nofile > 8192)); then nofile=8192; fi
    configuration=$folder/nginx.conf
    if [[ $minimal ]]; then
        write_minimal_nginx_conf "$folder" "$port" "$socket" "$@"
        return
    fi
    # Only root may choose a user.
    render "$repository/nginx.conf.example" "$configuration" \
        "user=$( ((EUID != 0)) || printf 'user www-data;')" \
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

# nginx as it is by itself, with a site in which minimal.conf is all that is Galleta's.
write_minimal_nginx_conf() {
    local folder=$1 port=$2 socket=$3 line tls=''
    shift 3
    for line; do [[ $line != tls=* ]] || tls=${line#tls=}; done
    render "$repository/deploy/nginx/minimal.conf" "$folder/minimal.conf" "socket=fastcgi_pass unix:$socket;"
    cat >"$configuration" <<CONF
$( ((EUID != 0)) || printf 'user www-data;')
pid $folder/nginx.pid;
error_log $folder/nginx-error.log warn;
events {}
http {
    include /etc/nginx/mime.types;
    access_log $folder/nginx-access.log;
    $(printf '%s_temp_path '"$folder"'/temp/%s; ' client_body{,} fastcgi{,} proxy{,} scgi{,} uwsgi{,})
    server {
        listen 127.0.0.1:$port;
        $tls
        root $folder/html;
$(cat -- "$folder/minimal.conf")
        # The old site
    }
}
CONF
}

write_apache_conf() {
    local folder=$1 port=$2 socket=$3 source=$repository/deploy/apache/galleta.conf
    shift 3
    [[ ! $minimal ]] || source=$repository/deploy/apache/minimal.conf
    configuration=$folder/apache2.conf
    render "$source" "$folder/galleta.conf" \
        "proxy_pass=$(sed -n "s|^ProxyPass \"/app/\" \"unix:[^|]*|ProxyPass \"/app/\" \"unix:$socket|p" "$source")"
    render "$repository/deploy/apache/apache2.conf" "$configuration" \
        "server_root=ServerRoot $folder" \
        "pid=PidFile $folder/apache.pid" \
        "runtime=DefaultRuntimeDir $folder/temp" \
        "error_log=ErrorLog $folder/apache-error.log" \
        "access_log=CustomLog $folder/apache-access.log galleta" \
        "listen=Listen 127.0.0.1:$port" \
        "server_name=ServerName localhost" \
        "root=DocumentRoot $folder/html" \
        "directory=<Directory $folder/html>" \
        "galleta=Include $folder/galleta.conf" "$@"
}

write_lighttpd_conf() {
    local folder=$1 port=$2 socket=$3 identity=()
    shift 3
    configuration=$folder/lighttpd.conf
    if ((EUID == 0)); then
        # It opens them when it is root no more.
        touch "$folder"/lighttpd-{error,access}.log
        chown www-data "$folder"/lighttpd-{error,access}.log
    else
        identity=("user=" "group=")
    fi
    render "$repository/deploy/lighttpd/$([[ $minimal ]] && echo minimal || echo galleta).conf" "$folder/galleta.conf" "socket=\"socket\" => \"$socket\","
    render "$repository/deploy/lighttpd/lighttpd.conf" "$configuration" "${identity[@]}" \
        "port=server.port = $port" \
        "bind=server.bind = \"127.0.0.1\"" \
        "pid=server.pid-file = \"$folder/lighttpd.pid\"" \
        "error_log=server.errorlog = \"$folder/lighttpd-error.log\"" \
        "access_log=accesslog.filename = \"$folder/lighttpd-access.log\"" \
        "uploads=server.upload-dirs = ( \"$folder/temp\" )" \
        "root=server.document-root = \"$folder/html\"" \
        "galleta=include \"$folder/galleta.conf\"" "$@"
}

write_caddy_conf() {
    local folder=$1 port=$2 socket=$3
    shift 3
    configuration=$folder/Caddyfile
    render "$repository/deploy/caddy/${minimal:+minimal.}Caddyfile" "$configuration" \
        "global=$(printf '\tadmin off\n\tauto_https off\n\tstorage file_system %s' "$folder/temp")" \
        "address=http://:$port {" \
        "bind="$'\t'"bind 127.0.0.1" \
        "upstream="$'\t\t'"reverse_proxy unix/$socket {" \
        "root="$'\t\t'"root * $folder/html" "$@"
}

# Sets $command to what runs the web server of write_web_server_conf in the foreground, as the user of $identity, $pid_file
# to the file that it writes when its port is bound, $graceful to the signal by which it finishes what is in flight, and
# $output to the file that takes descriptors 1 and 2: web_server_command KIND FOLDER.
web_server_command() {
    local kind=$1 folder=$2
    identity=()
    pid_file=$folder/$kind.pid output=$folder/$kind-output.log
    case $kind in
        nginx)
            command=(nginx -e "$folder/nginx-error.log" -c "$folder/nginx.conf" -g 'daemon off;')
            graceful=QUIT
            # A second copy of the log.
            output=/dev/null
            ;;
        apache)
            command=(apache2 -D FOREGROUND -f "$folder/apache2.conf")
            graceful=WINCH
            ;;
        lighttpd)
            command=(lighttpd -D -f "$folder/lighttpd.conf")
            graceful=INT
            ;;
        caddy)
            pid_file=$folder/temp/caddy.pid
            command=(env "HOME=$folder/temp" "XDG_CONFIG_HOME=$folder/temp" "XDG_DATA_HOME=$folder/temp"
                caddy run --config "$folder/Caddyfile" --adapter caddyfile --pidfile "$pid_file")
            graceful=TERM
            # It has no user of its own to change to.
            if ((EUID == 0)); then identity=(setpriv --reuid=www-data --regid=www-data --clear-groups --); fi
            ;;
    esac
}

# Starts a web server for FOLDER/fcgi.sock on a port of the loopback address: start_web_server KIND FOLDER [PORT
# [name=line …]], on a free one if PORT is empty. Sets $web_server to its process id, $graceful to the signal that stops it
# gently, and $url to http://127.0.0.1:PORT; for nginx, with FOLDER/tls.crt and tls.key, also $secure_url.
start_web_server() {
    local kind=$1 folder=$2 wanted=${3:-} tries=0 port tls_port deadline lines command identity pid_file output
    shift $(($# > 3 ? 3 : $#))
    while :; do
        port=${wanted:-$(free_port)}
        url=http://127.0.0.1:$port
        secure_url='' lines=("$@")
        if [[ $kind == nginx && -e $folder/tls.crt ]]; then
            tls_port=$(free_port)
            secure_url=https://127.0.0.1:$tls_port
            lines+=("tls=listen 127.0.0.1:$tls_port ssl http2; ssl_certificate $folder/tls.crt; ssl_certificate_key $folder/tls.key;")
        fi
        write_web_server_conf "$kind" "$folder" "$port" "$folder/fcgi.sock" "${lines[@]}" ||
            die "the configuration of $kind could not be adapted"
        web_server_command "$kind" "$folder"
        # Another user's process is bound to this script's life anew.
        launch "${identity[@]}" setpriv --pdeathsig TERM -- "${command[@]}" >"$output" 2>&1
        web_server=$started
        # The file appears once all ports are bound: what answers then is ours.
        deadline=$((SECONDS + 15))
        until [[ -s $pid_file ]] || ! alive "$web_server" || ((SECONDS > deadline)); do sleep 0.05; done
        [[ ! -s $pid_file ]] || return 0
        stop "$web_server" TERM 5
        if ! grep -qis 'address already in use' "$folder/$kind-error.log" "$output" || ((++tries >= 10)); then
            show_logs "$folder"
            die "$kind did not start"
        fi
        [[ -z $wanted ]] || die "port $wanted is in use; give another with --port, or none for a free one"
        rm -f "$folder/$kind-error.log"
    done
}

# Waits until the program behind $url answers below /app/: wait_ready FOLDER. Sets $ready_status to the answer's status.
wait_ready() {
    local folder=$1 code deadline=$((SECONDS + 20))
    while alive "$backend" && ((SECONDS < deadline)); do
        code=$(curl -s -o /dev/null --max-time 5 -w '%{http_code}' "$url/app/" || true)
        case $code in
            000 | 502 | 503 | 504) sleep 0.1 ;;
            *)
                ready_status=$code
                return 0
                ;;
        esac
    done
    alive "$backend" || say "The server ended at its start. What it wrote:"
    show_logs "$folder"
    die "the server does not answer at $url/app/"
}

# Shows what the server, the web server and Redis logged.
show_logs() {
    local log
    for log in server redis php nginx-error apache-error lighttpd-error apache-output lighttpd-output caddy-output; do
        [[ -s $1/$log.log ]] || continue
        say "--- $log.log"
        tail -n 40 -- "$1/$log.log" >&2
    done
}
