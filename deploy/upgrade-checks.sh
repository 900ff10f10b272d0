# What restarts, upgrades and reloads do to visitors, and how a program that would not start is refused. Sourced by
# install-checks.sh, with systemd as the first process.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh, checks.sh and install-checks.sh

# How often; more is for a look by hand.
restarts=${GALLETA_RESTARTS:-3} upgrades=${GALLETA_UPGRADES:-3} reloads=${GALLETA_RELOADS:-20} requests=${GALLETA_REQUESTS:-30000}
# Each a visitor with a session of its own, who is logged in.
clients=64

# nginx with the installed configuration; it writes down how each request ended, and has no limit for log-ins.
start_counting_site() {
    # shellcheck disable=SC2016 # nginx's own variables
    sed -E 's|^( *)access_log .*|\1log_format short "$request_method $status"; access_log '"$work"'/statuses short;|; /limit_req zone=/d' \
        /usr/share/doc/galleta/examples/nginx/production.conf >/etc/nginx/nginx.conf
    : >"$work/statuses"
    : >/var/log/nginx/error.log
    systemctl restart nginx
}

# A user who can log in; the password is in $work/password.
add_ada() {
    head -c 12 /dev/urandom | base64 >"$work/password"
    htpasswd -i -B -c /etc/galleta-users ada <"$work/password" 2>/dev/null
    chgrp galleta /etc/galleta-users
    chmod 0640 /etc/galleta-users
    # The journal drops lines where there are many of them; one of each stop is counted.
    printf 'GALLETA_%s\n' HTPASSWD=/etc/galleta-users ACCESS_LOG=off >>/etc/default/galleta
    systemctl restart galleta
}

# log_in NUMBER: its cookies are in $work/visitors/NUMBER from then on, those to be sent in NUMBER.cookie, and the form that
# counts in NUMBER.form.
log_in() {
    local jar=$work/visitors/$1
    fetch /app/ -c "$jar" -b "$jar"
    fetch /app/login -c "$jar" -b "$jar" --data-urlencode username=ada \
        --data-urlencode "password@"<(tr -d '\n' <"$work/password") --data-urlencode "csrf=$(token /app/login)"
    [[ $status == 303 ]] || die "visitor $1 cannot log in: $status $body"
    fetch /app/ -c "$jar" -b "$jar"
    printf 'csrf=%s' "$(token /app/counter)" >"$jar.form"
    # Of the log-in alone: a browser that is known.
    sed 's/^#HttpOnly_//' "$jar" | awk '!/^#/ && NF == 7 && $3 !~ /login$/ { printf "%s%s=%s", separator, $6, $7; separator = "; " }' >"$jar.cookie"
}

# One visitor's requests, one after the other on a kept connection, every other visitor's by POST: at least SHARE of them, and
# until the file "over" is there. Writes how many were answered, and how many were not.
write_visit() {
    cat >"$work/visit" <<'VISIT'
folder=$1 number=$2 share=$3 complete=0 failed=0
post=()
((number % 2)) || post=(-p "$folder/$number.form" -T application/x-www-form-urlencoded)
while [[ ! -e $folder/over ]] || ((complete < share)); do
    ab -q -k -l -r -s 60 -c 1 -n 250 -C "$(<"$folder/$number.cookie")" "${post[@]}" http://127.0.0.1/app/counter >"$folder/$number.ab" 2>&1
    read -r done lost < <(awk '/^Complete requests:/ { c = $3 } /^(Failed requests|Write errors):/ { f += $3 } END { print c + 0, f + 0 }' "$folder/$number.ab")
    complete=$((complete + done)) failed=$((failed + lost))
    ((done == 250)) || { failed=$((failed + 250 - done)); break; }
done
echo "$complete $failed" >"$folder/$number.result"
VISIT
}

# once COMMAND...: is to succeed.
once() { "$@" >"$work/once" 2>&1 || fail "$* failed: $(tail -n 3 "$work/once")"; }

# disturb PACKAGE...: all of the restarts and reloads, and as many upgrades, to one of the packages after the other.
disturb() {
    local packages=("$@") round rounds=$restarts reload
    ((rounds >= upgrades)) || rounds=$upgrades
    ((rounds > 0)) || rounds=1
    for ((round = 1; round <= rounds; round++)); do
        ((round > restarts)) || once systemctl restart galleta
        for ((reload = reloads * (round - 1) / rounds; reload < reloads * round / rounds; reload++)); do
            once systemctl reload galleta
            sleep 0.05
        done
        ((round > upgrades)) || once dpkg -i "${packages[round % ${#packages[@]}]}"
    done
}

# check_upgrades PACKAGE...: with one of them installed, which serves.
check_upgrades() {
    local number answered=0 lost=0 complete failed loaders=() begin duration counted=0 kept log_ins=0
    # shellcheck disable=SC2034 # fetch's
    local url=http://127.0.0.1
    mkdir "$work/visitors"
    start_counting_site
    add_ada
    for ((number = 1; number <= clients; number++)); do log_in "$number"; done
    write_visit
    : >"$work/statuses"
    for ((number = 1; number <= clients; number++)); do
        launch bash "$work/visit" "$work/visitors" "$number" $((requests / clients + 1))
        loaders+=("$started")
    done
    begin=$SECONDS
    disturb "$@"
    duration=$((SECONDS - begin))
    : >"$work/visitors/over"
    wait "${loaders[@]}" || true
    running=("${running[@]:0:${#running[@]}-${#loaders[@]}}")
    say "$restarts restarts, $upgrades upgrades and $reloads reloads took $duration s, all requests $((SECONDS - begin)) s"

    for ((number = 1; number <= clients; number++)); do
        read -r complete failed <"$work/visitors/$number.result"
        answered=$((answered + complete)) lost=$((lost + failed))
        fetch /app/counter -b "$work/visitors/$number"
        # This one counts, too.
        counted=$((counted + ${body:-0} - 1))
        fetch /app/whoami -b "$work/visitors/$number"
        [[ ! $body =~ \"user\":\ ?\"ada\" ]] || log_ins=$((log_ins + 1))
    done
    kept=$(journalctl -u galleta --no-pager -o cat | sed -nE 's/.*connections_handed_over=([0-9]+).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }')
    say "$answered requests of $clients clients, $kept connections were handed over"
    expect "under $restarts restarts, $upgrades upgrades and $reloads reloads none of $answered requests fails" "0" "$lost"
    expect "GET is 200 and POST 303, each of them" "GET 200,POST 303" \
        "$(head -n "$answered" "$work/statuses" | sort | uniq -c | sed -E 's/^ *[0-9]+ //' | paste -sd ,)"
    expect "every one is counted" "$answered" "$counted"
    expect "every log-in is kept" "$clients" "$log_ins"
    expect "nginx complains of nothing" "" "$(grep -E '\[(error|crit|alert|emerg)\]' /var/log/nginx/error.log || true)"
    expect_match "connections are handed over" '^[1-9]' "$kept"
    # All of nginx's are idle now, and there are some.
    systemctl restart galleta
    fetch /app/ping
    expect "a request after a restart comes on a connection of before it" "200 pong, 0 accepted" \
        "$status $body, $(galleta-server ctl status | sed -n 's/^accepted conn: *//p') accepted"
    rm -rf -- "$work/visitors" /etc/galleta-users
    sed -i '/galleta-users$/d; /^GALLETA_ACCESS_LOG=off$/d' /etc/default/galleta
}

# What is installed by deploy/install serves; $1 is another program.
check_upgrade_command() {
    local newer=$1 before output
    before=$(sum_of_program)
    at_least=1 under_load "upgrades by deploy/install" bash -c "for server in '$newer' '$GALLETA_SERVER'; do
        GALLETA_SERVER=\$server $kit --upgrade >'$work/output' 2>&1 || { cat '$work/output'; exit 1; }
    done"
    GALLETA_SERVER=$newer $kit --upgrade >/dev/null
    expect_no_match "the new program serves" "^$before$" "$(sum_of_program)"
    $kit --back >/dev/null
    expect "and the former one after --back" "$before pong" "$(sum_of_program) $(curl -s http://127.0.0.1/app/ping)"

    before="$(sum_of_program) $(show galleta MainPID)"
    echo GALLETA_WORKERS=many >>/etc/default/galleta
    output=$(GALLETA_SERVER=$newer $kit --upgrade 2>&1) && fail "an upgrade to what would not start succeeds"
    expect_match "an upgrade to a program that would not start is refused, with the reason" \
        'GALLETA_WORKERS: "many" is not a whole number.*nothing is changed' "$(tr '\n' ' ' <<<"$output")"
    output=$($kit --back 2>&1) && fail "going back to what would not start succeeds"
    expect_match "the way back, too" 'GALLETA_WORKERS: "many" is not a whole number.*nothing is changed' "$(tr '\n' ' ' <<<"$output")"
    expect "the old one goes on" "$before pong" "$(sum_of_program) $(show galleta MainPID) $(curl -s http://127.0.0.1/app/ping)"
    sed -i '/=many$/d' /etc/default/galleta

    # It has no --check-config, and ends at once.
    before=$(sum_of_program)
    output=$(GALLETA_SERVER=/bin/false $kit --upgrade 2>&1) && fail "an upgrade to what ends at once succeeds"
    expect_match "one that does not start after all gives way to the former one" 'the former one serves again' "$output"
    expect "which serves" "$before pong" "$(sum_of_program) $(curl -s http://127.0.0.1/app/ping)"
    $kit --upgrade >/dev/null
}

sum_of_program() { sha256sum </usr/sbin/galleta-server | cut -c 1-16; }

# check_refused_package PACKAGE: another version of the package that is installed and serves.
check_refused_package() {
    local before output
    before=$(show galleta MainPID)
    echo GALLETA_WORKERS=many >>/etc/default/galleta
    output=$(dpkg -i "$1" 2>&1) && fail "a package whose program would not start is configured"
    expect_match "an upgrade of the package that would not start is refused, with the reason" \
        'GALLETA_WORKERS: "many" is not a whole number.*dpkg --configure galleta' "$(tr '\n' ' ' <<<"$output")"
    expect "the old one goes on" "$before pong" "$(show galleta MainPID) $(curl -s http://127.0.0.1/app/ping)"
    sed -i '/=many$/d' /etc/default/galleta
    output=$(dpkg --configure galleta 2>&1) || fail "dpkg --configure: $output"
    expect "until that is mended" "0 pong" "$([[ $(show galleta MainPID) != "$before" ]]; echo $?) $(curl -s http://127.0.0.1/app/ping)"
}
