# The checks of deploy/check-install; run by it in a bare Debian, where they may install and remove: install-checks.sh tools, with
# nothing of systemd but its tools, or install-checks.sh systemd, where it is the first process.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib.sh"
# shellcheck source=deploy/checks.sh
. "$repository/deploy/checks.sh"
# shellcheck source=deploy/documents.sh
. "$repository/deploy/documents.sh"
# shellcheck source=deploy/upgrade-checks.sh
. "$repository/deploy/upgrade-checks.sh"
[[ -e /galleta/shop-program && -e /etc/debian_version ]] || die "this is for deploy/check-install"

export GALLETA_SERVER=/galleta/galleta-server
kit=deploy/install
package=$(echo /galleta/*.deb)
end_with_script
make_work_folder

# All that there is, with whom it belongs to and its mode, and the users; but for what is written down by others at any time.
snapshot() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /galleta -o -path /root -o -path /run/systemd \
        -o -path /var/cache -o -path /var/log/journal -o -path /var/lib/systemd/timers -o -path /var/lib/nginx \
        -o -path '/var/log/nginx' \) -prune -o \
        ! \( -path '/var/log/*.log' -o -path '/var/lib/dpkg/*-old' -o -path '/etc/*-' -o -path '/var/lib/logrotate/*' \
        -o -path '/run/nginx.pid' -o -path /run/utmp -o -path '/run/log*' -o -path /etc/.pwd.lock -o -path /var/log/wtmp \
        -o -path /var/lib/dpkg/lock -o -path '/var/lib/dpkg/triggers*' \) -printf '%p %M %u\n' | sort
    sort /etc/passwd /etc/group
}

# expect_unchanged NAME: all is as it was at "snapshot >$work/before".
expect_unchanged() {
    snapshot >"$work/after"
    expect "$1" "" "$(diff "$work/before" "$work/after" || true)"
}

# succeeds NAME COMMAND...
succeeds() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then pass "$name"; else fail "$name: $* failed: $(tail -c 400 <<<"$output")"; fi
}

# wait_for NAME COMMAND...: until it succeeds.
wait_for() {
    local name=$1 deadline=$((SECONDS + 20))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS > deadline)); then
            fail "$name: not within 20 s"
            return
        fi
        sleep 0.05
    done
    pass "$name"
}

# Names of options of galleta-server, from its help.
options() { COLUMNS=5000 "$GALLETA_SERVER" --help | grep -oE -- '^  (-h, )?--[a-z][a-z-]*' | sed 's/.*--//'; }

check_files() {
    local file option missing=''
    for file in /usr/sbin/galleta-server /usr/lib/systemd/system/galleta.{service,socket} /usr/lib/{sysusers,tmpfiles}.d/galleta.conf \
        /etc/default/galleta /etc/logrotate.d/galleta /usr/share/man/man8/galleta-server.8.gz \
        /usr/share/bash-completion/completions/galleta-server /usr/share/doc/galleta/examples/nginx/{production,minimal}.conf \
        /usr/share/doc/galleta/examples/{apache,lighttpd}/{galleta,minimal}.conf \
        /usr/share/doc/galleta/examples/caddy/{Caddyfile,minimal.Caddyfile} \
        /usr/share/doc/galleta/examples/systemd/{stdin,php-sessions,network}.conf; do
        [[ -s $file ]] || missing+=" $file"
    done
    expect "$1 installs all" "" "$missing"
    expect "without symbols" "" "$(readelf -S /usr/sbin/galleta-server | grep -o '\.symtab' || true)"
    expect "no placeholder is left" "" "$(grep -rlE '@[A-Z]+@' /usr/share/doc/galleta /usr/lib/systemd/system/galleta.* /etc/default/galleta || true)"
    expect "the units are valid" "" "$(systemd-analyze verify /usr/lib/systemd/system/galleta.{service,socket} 2>&1 || echo "ends with $?")"
    succeeds "and hardened: the exposure is at most 0.6" \
        systemd-analyze security --no-pager --offline=true --threshold=6 /usr/lib/systemd/system/galleta.service
    succeeds "the shell completes" \
        bash -c '. /usr/share/bash-completion/completions/galleta-server && complete -p galleta-server'
    for file in /usr/share/doc/galleta/examples/{spawn-fcgi,multiwatch}; do
        succeeds "${file##*/} is a script" sh -n "$file"
    done
}

# What is said of the options is said of all.
check_options() {
    local option unknown='' unexplained=''
    for option in $(options); do
        gzip -dc /usr/share/man/man8/galleta-server.8.gz | grep -qE -- "\\\\-\\\\-$option([^a-z-]|\$)" || unexplained+=" $option"
        case $option in
            check-config | version | help) continue ;;
            session-option) option=session-options ;;
        esac
        option=${option//-/_}
        grep -qE "^#GALLETA_${option^^}=" /etc/default/galleta || unknown+=" $option"
    done
    expect "the manual page has all options" "" "$unexplained"
    expect "the settings have all options" "" "$unknown"
    # The other way round: each with its default is one that the server knows.
    sed -nE '/_(LISTEN|CONTROL|STATE|DEMO)=/d; s/^#(GALLETA_[A-Z_]+=.+)/\1/p' /etc/default/galleta >"$work/settings"
    expect_match "the settings that stand there with their defaults" '^3[0-9]$|^2[0-9]$' "$(wc -l <"$work/settings")"
    # shellcheck disable=SC2046 # words
    expect "are valid as they stand" "the configuration is valid" \
        "$(env $(<"$work/settings") /usr/sbin/galleta-server --listen "unix:$work/check.sock" --check-config 2>&1)"
}

# web_server [LINE...]: nginx with the installed configuration, changed by sed's LINEs.
start_site() {
    sed "$@" /usr/share/doc/galleta/examples/nginx/production.conf >"$work/nginx.conf"
    launch nginx -c "$work/nginx.conf" -g 'daemon off;'
    site=$started
    wait_for "nginx starts with the installed configuration" test -s /run/nginx.pid
}

# ask PATH [CURL OPTION ...]: its answer.
ask() { curl -s --max-time 10 --unix-socket "$work/http" "http://localhost$1" "${@:2}" || true; }

check_conservatively() {
    local output
    snapshot >"$work/before"
    output=$($kit --dry-run)
    expect_unchanged "--dry-run changes nothing"
    expect_match "and says what would be done" 'would install /usr/sbin/galleta-server' "$output"
    echo 'of another' >/usr/sbin/galleta-server
    expect_match "a file of somebody else's is not touched" 'no earlier installation' "$($kit 2>&1 || true)"
    expect "nor is anything else" "of another 1" "$(cat /usr/sbin/galleta-server) $(diff <(snapshot) "$work/before" | grep -c '^[<>]')"
    rm /usr/sbin/galleta-server
    $kit >"$work/output"
    expect_match "deploy/install says what it does" 'install /usr/sbin/galleta-server.*make the user galleta' "$(tr '\n' ' ' <"$work/output")"
    check_files deploy/install
    check_options
    expect_match "a second time there is nothing to do" '^all files are as they should be' "$($kit)"
    echo '# by hand' >>/etc/default/galleta
    echo '# by hand' >>/usr/lib/sysusers.d/galleta.conf
    output=$($kit)
    expect_match "settings that were changed by hand are kept" 'keep /etc/default/galleta, which was changed by hand; the new one is /etc/default/galleta.new' "$output"
    expect "with the new ones beside them" "1 0" "$(grep -c 'by hand' /etc/default/galleta) $(grep -c 'by hand' /etc/default/galleta.new || true)"
    expect_match "what is no setting is replaced, and that is said" 'replace /usr/lib/sysusers.d/galleta.conf, which was changed by hand' "$output"
    $kit --uninstall >"$work/output"
    expect "they outlive --uninstall" 1 "$(grep -c 'by hand' /etc/default/galleta)"
    $kit --uninstall --purge >"$work/output"
    expect_unchanged "but not --purge, which leaves nothing behind"
    DESTDIR=$work/tree $kit >/dev/null
    expect_unchanged "with DESTDIR nothing else is touched"
    succeeds "and all is there" test -x "$work/tree/usr/sbin/galleta-server" -a -e "$work/tree/etc/default/galleta"
    DESTDIR=$work/tree $kit --uninstall --purge >/dev/null
    expect "nor is anything left there" "" "$(ls -A "$work/tree")"
}

check_serving() {
    local server
    $kit >/dev/null
    start_site -E 's|^( *listen) 80;|\1 unix:'"$work"'/http;|; /listen \[::\]/d'
    chmod 0666 "$work/http"
    install -d -o galleta -g galleta /run/galleta /var/lib/galleta /var/log/galleta

    succeeds "without systemd, too, it can be asked whether it would start" /usr/lib/galleta/check
    echo 'GALLETA_WORKERS="many"' >>/etc/default/galleta
    expect "and says why not" "galleta-server: GALLETA_WORKERS: \"many\" is not a whole number" \
        "$(/usr/lib/galleta/check 2>&1 | sed 's/;.*//')"
    sed -i '/="many"$/d' /etc/default/galleta

    # The socket as the unit has it.
    launch systemd-socket-activate -l /run/galleta/galleta.sock -E GALLETA_STATE=/var/lib/galleta/sessions \
        -E GALLETA_LOG_FILE=/var/log/galleta/galleta.log -E GALLETA_CONTROL=unix:/run/galleta/control.sock \
        setpriv --reuid=galleta --regid=galleta --clear-groups /usr/sbin/galleta-server 2>/dev/null
    server=$started
    wait_for "systemd-socket-activate listens" test -S /run/galleta/galleta.sock
    chgrp www-data /run/galleta/galleta.sock
    chmod 0660 /run/galleta/galleta.sock
    expect "it starts at the first request, behind nginx" pong "$(ask /app/ping)"
    expect "it counts" 1 "$(ask /app/counter -c "$work/jar" -b "$work/jar")"
    kill -HUP "$server"
    wait_for "it reads its files again" grep -q SIGHUP /var/log/galleta/galleta.log
    expect_match "ctl reaches it" 'total workers' "$(galleta-server ctl status)"
    echo "$server" >/run/galleta.pid
    succeeds "logrotate takes the log away" logrotate -f /etc/logrotate.d/galleta
    wait_for "and a new one is opened" test -e /var/log/galleta/galleta.log
    expect "the server goes on" pong "$(ask /app/ping)"
    wait_for "and logs there" grep -q /app/ping /var/log/galleta/galleta.log
    expect "the old log is kept" 1 "$(grep -c SIGHUP /var/log/galleta/galleta.log.1)"
    rm /run/galleta.pid
    stop "$server" TERM
    expect "it stops" 0 "$exit_status"
    rm /run/galleta/galleta.sock

    sh /usr/share/doc/galleta/examples/spawn-fcgi >/dev/null
    expect "it starts by the recipe for spawn-fcgi" pong "$(ask /app/ping)"
    expect "with the sessions of before" 2 "$(ask /app/counter -c "$work/jar" -b "$work/jar")"
    server=$(cat /run/galleta.pid)
    expect "as its own user" galleta "$(stat -c %U "/proc/$server")"
    kill "$server"
    wait_for "it stops by its id" bash -c "! kill -0 $server"

    rm -f /run/galleta/galleta.sock
    launch sh /usr/share/doc/galleta/examples/multiwatch >/dev/null 2>&1
    server=$started
    wait_for "multiwatch listens" test -S /run/galleta/galleta.sock
    wait_for "it starts by the recipe for multiwatch" bash -c "test \"\$(curl -s --unix-socket '$work/http' http://localhost/app/ping)\" = pong"
    expect "with the sessions of before, again" 3 "$(ask /app/counter -c "$work/jar" -b "$work/jar")"
    galleta-server ctl stop >/dev/null
    wait_for "and again after it has ended" bash -c "test \"\$(curl -s --unix-socket '$work/http' http://localhost/app/ping)\" = pong"
    stop "$server" TERM
    stop "$site" QUIT
    rm -f "$work/http"
    $kit --uninstall --purge >/dev/null
    expect_unchanged "nothing of that is left"
}

check_own_program() {
    local output
    expect_match "a name that is a user's is refused" 'there is a user of that name' \
        "$($kit --program /galleta/shop-program --name www-data 2>&1 || true)"
    expect_match "and one that cannot be one" 'small letters' "$($kit --program /galleta/shop-program --name ../Shop 2>&1 || true)"
    $kit --program /galleta/shop-program --name shop >/dev/null
    $kit >/dev/null
    expect "a program of one's own has its own user, socket and variables" \
        "User=shop ListenStream=/run/shop/shop.sock Environment=SHOP_STATE=/var/lib/shop/sessions #SHOP_GREETING=Hello" \
        "$(grep -h ^User= /usr/lib/systemd/system/shop.service) $(grep -h ^ListenStream /usr/lib/systemd/system/shop.socket) $(
            grep -h STATE= /usr/lib/systemd/system/shop.service) $(grep GREETING= /etc/default/shop)"
    expect "nothing there is galleta-server's" "" "$(cat /usr/lib/systemd/system/shop.* /usr/lib/{sysusers,tmpfiles}.d/shop.conf /etc/default/shop \
        /etc/logrotate.d/shop /usr/share/doc/shop/examples/{spawn-fcgi,multiwatch,systemd/*,nginx/minimal.conf} |
        sed 's|unix:/run/galleta/[a-z]*\.sock||' | grep -nw 'galleta\|galleta-server\|GALLETA' || true)"
    expect "its units are valid" "" "$(systemd-analyze verify /usr/lib/systemd/system/shop.{service,socket} 2>&1)"
    $kit --uninstall --purge --name shop >/dev/null
    succeeds "its end is not that of another" test -x /usr/sbin/galleta-server
    $kit --uninstall --purge >/dev/null
    expect_unchanged "nothing of either is left"
}

check_package_offline() {
    local output
    output=$(lintian --allow-root --fail-on error "$package" 2>&1) || fail "lintian: $output"
    expect "lintian finds no errors, and no warnings" "" "$(grep -E '^[EW]:' <<<"$output" || true)"
    output=$(dpkg -i "$package" 2>&1) || fail "dpkg -i: $output"
    check_files "the package"
    expect "the user is there" galleta "$(getent passwd galleta | cut -d : -f 1)"
    expect_match "deploy/install leaves a package alone" 'installed as a Debian package' "$($kit 2>&1 || true)"
    dpkg -r galleta >/dev/null 2>&1
    succeeds "settings outlive dpkg -r" test -e /etc/default/galleta
    dpkg -P galleta >/dev/null 2>&1
    expect_unchanged "dpkg -P leaves nothing behind"
}

# --- With systemd as the first process ---

# under_load NAME COMMAND...: 12,000 counts of one visitor by 16 clients, while the command runs again and again. Where
# $at_least is 1 once is enough.
under_load() {
    local name=$1 times=0 loader wanted statuses
    shift
    rm -f "$work/jar"
    curl -s -o /dev/null -c "$work/jar" http://127.0.0.1/app/counter
    launch curl -s -Z --parallel-max 16 --max-time 120 -b "$work/jar" -o /dev/null -w '%{http_code}\n' \
        'http://127.0.0.1/app/counter?[1-12000]' >"$work/statuses" 2>/dev/null
    loader=$started
    while alive "$loader"; do
        "$@" || fail "$name: $* failed"
        times=$((times + 1))
    done
    wait "$loader" || true
    running=("${running[@]:0:${#running[@]}-1}")
    statuses=$(sort "$work/statuses" | uniq -c | sed 's/^ *//' | paste -sd ,)
    expect "$name, $times times under load: all are answered" "12000 200" "$statuses"
    wanted=12002
    expect "$name: and counted" "$wanted" "$(curl -s -b "$work/jar" http://127.0.0.1/app/counter)"
    expect "$name: often enough" yes "$( ((times < ${at_least:-2})) || echo yes)"
}

show() { systemctl show --value -p "$2" "$1"; }

drop_in() {
    mkdir -p /etc/systemd/system/galleta.service.d
    cp -- "$1" "/etc/systemd/system/galleta.service.d/$2"
    systemctl daemon-reload
    systemctl restart galleta
}

no_drop_ins() {
    rm -rf /etc/systemd/system/galleta.service.d
    systemctl daemon-reload
    systemctl restart galleta
}

# PHP's settings and folder, as Debian has them.
php_settings() {
    mkdir -p /etc/php/8.2/fpm/pool.d
    printf '[PHP]\nsession.save_handler = files\nsession.name = PHPSESSID\n' >/etc/php/8.2/fpm/php.ini
    printf '[www]\n' >/etc/php/8.2/fpm/pool.d/www.conf
    install -d -m 1733 /var/lib/php/sessions
}

check_service() {
    local output before begin
    $kit >/dev/null
    cp /usr/share/doc/galleta/examples/nginx/production.conf /etc/nginx/nginx.conf
    systemctl restart nginx
    succeeds "the units are enabled and started" systemctl enable --now --quiet galleta.socket galleta.service
    expect "the service is up, by its own word" "active notify running" \
        "$(show galleta ActiveState) $(show galleta Type) $(show galleta SubState)"
    expect "and serves" pong "$(curl -s http://127.0.0.1/app/ping)"
    expect "the socket is for the web server" "root:www-data 660" "$(stat -c '%U:%G %a' /run/galleta/galleta.sock)"
    expect_match "ctl reaches it" 'total workers' "$(galleta-server ctl status)"
    expect "nobody else sees its data" "galleta 700" "$(stat -c '%U %a' /var/lib/galleta)"
    expect "it writes nowhere else" "" \
        "$(find /proc/"$(show galleta MainPID)"/root/{etc,usr,var,run,var/lib,home} -maxdepth 0 -writable)"
    under_load "a reload" bash -c 'systemctl reload galleta && sleep 0.05'
    under_load "a restart" systemctl restart galleta
    expect "no start was one too many" "0 active" "$(show galleta NRestarts) $(show galleta.socket ActiveState)"

    # Another program, by one word of its log.
    sed 's/connections_handed_over/connections_handed-over/' "$GALLETA_SERVER" >"$work/newer-server"
    chmod 0755 "$work/newer-server"
    check_upgrade_command "$work/newer-server"

    systemctl stop galleta galleta.socket
    rm -rf /run/galleta
    systemctl start galleta
    expect "the socket stays the web server's where its folder was gone" "root:www-data 660 pong" \
        "$(stat -c '%U:%G %a' /run/galleta/galleta.sock) $(curl -s http://127.0.0.1/app/ping)"

    kill -KILL "$(show galleta MainPID)"
    wait_for "a killed one is started again" bash -c "test \"\$(systemctl show --value -p NRestarts galleta)\" = 1 &&
        test \"\$(curl -s http://127.0.0.1/app/ping)\" = pong"
    printf '[Service]\nWatchdogSec=1s\n' >"$work/watchdog.conf"
    drop_in "$work/watchdog.conf" watchdog.conf
    kill -STOP "$(show galleta MainPID)"
    wait_for "one that hangs, too" bash -c "journalctl -u galleta --no-pager | grep -q 'Watchdog timeout' &&
        test \"\$(curl -s --max-time 5 http://127.0.0.1/app/ping)\" = pong"
    no_drop_ins

    echo GALLETA_WORKERS=many >>/etc/default/galleta
    begin=$(date +%s)
    systemctl restart galleta 2>/dev/null || true
    # What a process has said comes to the journal when that has time.
    wait_for "a wrong setting is named" bash -c "journalctl -u galleta --no-pager --since '@$begin' |
        grep -qF 'GALLETA_WORKERS: \"many\" is not a whole number'"
    expect "and not tried for ever" "failed 78" "$(show galleta ActiveState) $(show galleta ExecMainStatus)"
    sed -i '/=many$/d' /etc/default/galleta
    systemctl restart galleta
    expect "a right one is enough" pong "$(curl -s http://127.0.0.1/app/ping)"

    begin=$(date +%s)
    drop_in /usr/share/doc/galleta/examples/systemd/stdin.conf stdin.conf
    expect "the socket as descriptor 0" pong "$(curl -s http://127.0.0.1/app/ping)"
    wait_for "and as that one" bash -c "journalctl -u galleta --no-pager --since '@$begin' | grep -qF 'listening on fd 0'"
    drop_in /usr/share/doc/galleta/examples/systemd/network.conf network.conf
    expect "with a network" pong "$(curl -s http://127.0.0.1/app/ping)"
    no_drop_ins
    php_settings
    drop_in /usr/share/doc/galleta/examples/systemd/php-sessions.conf php-sessions.conf
    curl -s -o /dev/null -c "$work/php" http://127.0.0.1/app/counter
    expect_match "ctl reaches it there" 'total workers' "$(galleta-server ctl status)"
    expect "in PHP's files, as PHP's user" "2 www-data 600" "$(curl -s -b "$work/php" http://127.0.0.1/app/counter) $(
        stat -c '%U %a' /var/lib/php/sessions/sess_* | head -n 1)"
    rm -rf /etc/php /var/lib/php
    no_drop_ins
    expect "and back in memory, with the same socket" "pong root:www-data" \
        "$(curl -s http://127.0.0.1/app/ping) $(stat -c %U:%G /run/galleta/galleta.sock)"
    $kit --uninstall --purge >/dev/null
    rm -rf /etc/systemd/system/galleta.service.d
    expect "what was installed runs no more" "" "$(grep -lx galleta-server /proc/[0-9]*/comm 2>/dev/null || true)"
    expect_unchanged "and nothing of it is left"
}

check_package_online() {
    local newer=$work/newer version
    dpkg -i "$package" >/dev/null 2>&1
    expect "the package starts its service" "pong enabled" "$(curl -s http://127.0.0.1/app/ping) $(systemctl is-enabled galleta.service)"
    # Two others, each with another program: what follows the last section is never read.
    dpkg-deb -R "$package" "$newer"
    for version in 98 99; do
        sed -i "s/^Version: .*/Version: $version/" "$newer/DEBIAN/control"
        echo "$version" >>"$newer/usr/sbin/galleta-server"
        dpkg-deb --root-owner-group -Znone -b "$newer" "$work/$version.deb" >/dev/null
    done
    check_upgrades "$work/98.deb" "$work/99.deb"
    check_refused_package "$package"
    dpkg -r galleta >/dev/null 2>&1
    expect "dpkg -r stops it" "" "$(grep -lx galleta-server /proc/[0-9]*/comm 2>/dev/null || true)"
    dpkg -P galleta >/dev/null 2>&1
    expect_unchanged "dpkg -P leaves nothing behind"
}

# What the article about it has alerts for is there; it leaves a service behind.
check_metrics() {
    local name missing=''
    # Where nobody can log in there is nothing of log-ins.
    echo 'demo = on' >>/etc/galleta/galleta.conf
    systemctl restart galleta
    galleta-server ctl save >/dev/null
    galleta-server ctl status --openmetrics >"$work/metrics"
    while read -r name; do
        grep -qE "^${name}[ {]" "$work/metrics" || missing+=" $name"
    done < <(grep -oE 'galleta_[a-z_]+' "$repository/Sources/Galleta/Galleta.docc/WatchIt.md" | sort -u)
    expect "WatchIt.md has metrics of the server's" "" "$missing"
    $kit --uninstall --purge >/dev/null
    rm -rf /etc/galleta
    cp "$work/nginx.debian" /etc/nginx/nginx.conf
    systemctl restart nginx
}

check_articles() {
    local article
    ln -s /galleta "$work/galleta"
    mkdir -p "$work/shop/.build/release"
    cp /galleta/shop-program "$work/shop/.build/release/shop"
    php_settings
    systemctl restart nginx
    # What "deploy/install --upgrade" is to build.
    cp "$work/newer-server" /tmp/newer-server
    for article in InstallAndRun WatchIt UpgradeWithoutLoss BehindAWebServer DeployYourOwn; do
        do_document "$article.md" "$repository/Sources/Galleta/Galleta.docc/$article.md"
        pass "$article.md does what it says"
        [[ $article != WatchIt ]] || check_metrics
    done
    rm /tmp/newer-server
}

case ${1:-} in
    tools)
        check_conservatively
        check_serving
        check_own_program
        check_package_offline
        ;;
    systemd)
        trap 'status=$?; ((status == 0)) || journalctl --no-pager -n 60 >&2; (exit "$status"); clean_up' EXIT
        cp /etc/nginx/nginx.conf "$work/nginx.debian"
        snapshot >"$work/before"
        check_service
        check_package_online
        cp "$work/nginx.debian" /etc/nginx/nginx.conf
        check_articles
        ;;
    *) die "tools or systemd?" ;;
esac
# shellcheck disable=SC2119 # it needs nothing else
finish_checks
