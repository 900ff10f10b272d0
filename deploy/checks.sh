# The requests of deploy/run --check; sourced by it. They go through the web server to the real executable.
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, url, kind, user, password … are deploy/run's
# shellcheck source=deploy/lib.sh

checked=0 failures=0

pass() {
    checked=$((checked + 1))
    printf 'ok    %s\n' "$1"
}

fail() {
    checked=$((checked + 1)) failures=$((failures + 1))
    printf 'FAIL  %s\n' "$*"
}

# fetch PATH [CURL OPTION …]: sets $status, $head and $body (without the line ends at its end).
fetch() {
    local path=$1
    shift
    status=$(curl -s --max-time 20 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" "${base:-$url}$path") || true
    head=$(tr -d '\r' <"$work/head") body=$(tr -d '\0' <"$work/body")
}

# header NAME: its value in the last answer.
header() { sed -n "s/^$1: *//Ip" <<<"$head"; }

# expect NAME WANTED GIVEN
expect() {
    if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1: wanted \"$2\", got \"${3:0:200}\""; fi
}

# expect_match NAME REGEX GIVEN
expect_match() {
    if [[ $3 =~ $2 ]]; then pass "$1"; else fail "$1: nothing like \"$2\" in \"${3:0:400}\""; fi
}

# expect_no_match NAME REGEX GIVEN
expect_no_match() {
    if [[ $3 =~ $2 ]]; then fail "$1: \"$2\" in \"${3:0:400}\""; else pass "$1"; fi
}

# token ACTION: the hidden token of the form for that action in the last page.
token() {
    tr '\n' ' ' <<<"$body" | grep -oE "<form[^>]*action=\"$1\".*" | sed 's/<\/form>.*//' |
        sed -nE 's/.*<input[^>]*name="csrf"[^>]*value="([^"]*)".*/\1/p'
}

session_cookie() { sed -nE 's/^[^=;]+=([^;]*).*/\1/p' <<<"$(header set-cookie)" | head -n 1; }

# skip NAME REASON
skip() { printf 'skip  %s: %s\n' "$1" "$2"; }

# What no answer shows.
check_configuration() {
    local location names name
    if [[ $kind != nginx ]]; then
        skip "the parameters" "$kind makes them, no line of the configuration lists them"
        return
    fi
    location=$(sed -n '/location ^~ \/app\/ {/,/# The old site/p' "$work/nginx.conf" | sed 's/#.*//')
    names=$(grep -oE 'fastcgi_param +[A-Z_]+' <<<"$location" | sed 's/.* //')
    expect "no parameter is sent twice" "" "$(sort <<<"$names" | uniq -d)"
    for name in REQUEST_URI REQUEST_METHOD CONTENT_LENGTH CONTENT_TYPE REMOTE_ADDR HTTPS REQUEST_ID HTTP_PROXY; do
        expect_match "$name is sent" "(^|"$'\n'")$name($|"$'\n'")" "$names"
    done
    expect_no_match "REMOTE_USER, which nobody has verified, is not" "(^|"$'\n'")REMOTE_USER($|"$'\n'")" "$names"
    expect_match "connections are kept" 'fastcgi_keep_conn +on;' "$location"
}

check_plain() {
    fetch /
    expect "the old site is still served" 200 "$status"
    expect_match "in its own character set" '^text/html(; charset=utf-8)?$' "$(header content-type)"
    fetch /app/ping
    expect "ping" "200 pong" "$status $body"
    fetch /app/hello
    expect_match "hello" '^200 .+' "$status $body"
    expect "hello sets no cookie" "" "$(header set-cookie)"
    fetch /app/hello -I
    expect "HEAD has the status of GET" 200 "$status"
    expect_match "HEAD tells the length" '^[1-9][0-9]*$' "$(header content-length)"
    # A body after all would be taken for the start of the next answer on the same connection.
    expect "HEAD sends no body" pong "$(curl -s --max-time 20 --head -o /dev/null "$url/app/hello" --next -s "$url/app/ping" || true)"
    fetch /app/no-such-page
    expect "an unknown path is not found" 404 "$status"
    fetch /app/hello -X DELETE
    expect "a method that no route has" 405 "$status"
    fetch /app -o /dev/null
    # Relative, or as Apache has it with the address it was asked at.
    expect "/app leads to /app/" "301 /app/" "$status $(header location | sed "s|^$url||")"
}

check_sessions() {
    local jar=$work/jar cookie csrf
    fetch /app/counter -c "$jar" -b "$jar"
    expect "the first visit counts 1" "200 1" "$status $body"
    cookie=$(header set-cookie)
    expect "one cookie is set" 1 "$(grep -c . <<<"$cookie" || true)"
    expect_match "the session cookie is HttpOnly" '; *HttpOnly' "$cookie"
    expect_match "the session cookie is SameSite" '; *SameSite=(Lax|Strict)' "$cookie"
    expect_match "the session cookie has a path" '; *Path=/' "$cookie"
    expect_no_match "the session cookie is for this host only" '[Dd]omain=' "$cookie"
    expect_match "an answer with a session is not cached" '(no-store|private)' "$(header cache-control)"
    fetch /app/counter -c "$jar" -b "$jar"
    expect "the second visit counts 2" "200 2" "$status $body"
    fetch /app/counter
    expect "another visitor counts 1" "200 1" "$status $body"
    # 50 at once by one visitor: none is lost.
    curl -s -Z --parallel-max 50 --max-time 30 -b "$jar" -o /dev/null "$url/app/counter?[1-50]" 2>/dev/null || true
    fetch /app/counter -b "$jar"
    expect "50 visits at once are all counted" 53 "$body"
    fetch /app/counter -b "$jar" -I
    expect "HEAD looks and does not count" 200 "$status"
    fetch /app/ -b "$jar"
    csrf=$(token /app/counter) || true
    fetch /app/counter -b "$jar" --data-urlencode "csrf=$csrf"
    expect "the page's button counts" "303 /app/" "$status $(header location)"
    fetch /app/counter -b "$jar" --data-urlencode "csrf=$csrf" -H "Transfer-Encoding: chunked"
    expect "also where the form's length is not told" 303 "$status"
    fetch /app/counter -b "$jar" --data-urlencode "csrf=of another page"
    expect "but not with another token" 403 "$status"
    fetch /app/counter -b "$jar"
    expect "and each time once" 56 "$body"
    fetch /app/counter -H "Cookie: $(sed -E 's/=.*//' <<<"$cookie")=0123456789012345678901234567890123456789012"
    expect "an unknown id begins a new session" "200 1" "$status $body"
    expect_match "which gets an id" '.{20}' "$(session_cookie)"
    expect_no_match "of its own" '^0123456789' "$(session_cookie)"
    fetch /app/counter -H 'HTTPS: on' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Ssl: on'
    expect_no_match "without TLS no cookie is Secure, whatever a client says" '(^$|; *Secure)' "$(header set-cookie)"
}

check_login() {
    local jar=$work/login before csrf known="\"user\": ?\"$user\""
    local form=(--data-urlencode "username=$user")
    fetch /app/ -c "$jar" -b "$jar"
    expect "the page" 200 "$status"
    expect_match "the page is HTML in UTF-8" '^text/html; *charset=utf-8' "$(header content-type)"
    expect_match "no scripts can be put into it" "default-src 'none'" "$(header content-security-policy)"
    expect "and nothing is taken for what it is not" nosniff "$(header x-content-type-options)"
    csrf=$(token /app/login) || true
    expect_match "its log-in form has a token" '.{20}' "$csrf"
    before=$(session_cookie)
    fetch /app/whoami -b "$jar"
    expect_match "whoami is JSON" '^application/json' "$(header content-type)"
    expect_no_match "nobody is logged in at first" "$known" "$body"

    fetch /app/login -b "$jar" "${form[@]}" --data-urlencode "password@"<(printf %s "$password")
    expect "a log-in without the token is refused" 403 "$status"
    fetch /app/login -b "$jar" "${form[@]}" --data-urlencode "password=wrong" --data-urlencode "csrf=$csrf"
    expect "a wrong password is refused" 401 "$status"
    fetch /app/whoami -b "$jar"
    expect_no_match "and logs nobody in" "$known" "$body"
    fetch /app/login -b "$jar" -c "$jar" "${form[@]}" --data-urlencode "password@"<(printf %s "$password") --data-urlencode "csrf=$csrf"
    expect "a log-in leads to the page" "303 /app/" "$status $(header location)"
    expect_match "a log-in gives a session id" '.{20}' "$(session_cookie)"
    expect_no_match "which is a new one" "^${before:-.*}$" "$(session_cookie)"
    fetch /app/whoami -b "$jar"
    expect_match "whoami knows the user" "$known" "$body"

    fetch /app/ -b "$jar"
    expect_match "the page shows the action's message" 'You are logged in\.' "$body"
    # In a release build, too: what the compiler makes of unsafe code is seen there only.
    expect_match "and where the user is logged in" ', 127\.0\.0\.0/24</strong> \(this browser\)' "$body"
    csrf=$(token /app/logout) || true
    fetch /app/ -b "$jar"
    expect_no_match "the message is shown once" 'You are logged in\.' "$body"
    fetch /app/logout -b "$jar" --data-urlencode "csrf=$csrf"
    expect "a log-out leads to the page" "303 /app/?logged-out" "$status $(header location)"
    fetch /app/whoami -b "$jar"
    expect_no_match "after it the old cookie is worth nothing" "$known" "$body"
}

check_limits() {
    head -c 9000000 /dev/zero >"$work/large"
    head -c 4000000 /dev/zero >"$work/within"
    fetch /app/login --data-binary "@$work/large"
    expect "a body over the limit" 413 "$status"
    fetch /app/hello -H "Transfer-Encoding: chunked" --data-binary "@$work/large"
    expect "a chunked body over the limit" 413 "$status"
    fetch /app/login -H "Content-Type: application/octet-stream" --data-binary "@$work/within"
    expect "a body that is no form" 415 "$status"
    fetch /app/ping
    expect "the server goes on" "200 pong" "$status $body"
}

check_tls() {
    if [[ $kind != nginx ]]; then
        skip TLS "its lines are the site's; nginx.conf.example alone has a place for them"
        return
    elif [[ -z $secure_url ]]; then
        skip TLS "needs openssl for a certificate"
        return
    fi
    local base=$secure_url
    fetch /app/counter -k
    expect "over TLS" "200 1" "$status $body"
    expect_match "over TLS the session cookie is Secure" '; *Secure' "$(header set-cookie)"
}

# What a store outside the process is for.
check_redis() {
    local jar=$work/redis-jar keyspace deadline
    expect_match "the sessions are in Redis" 'keys=[1-9]' "$(redis_field keyspace db0)"
    fetch /app/counter -c "$jar" -b "$jar"
    expect "a visitor counts 1 before a restart of the server" "200 1" "$status $body"
    stop "$backend" TERM
    expect "the server ends by SIGTERM" 0 "$exit_status"
    rm -rf -- "$work/uploads"
    start_backend "$work" "$server" "${options[@]}"
    # The web server is not asked before: it would complain.
    deadline=$((SECONDS + 20))
    until grep -q 'listening on' "$work/server.log" || ! alive "$backend" || ((SECONDS > deadline)); do sleep 0.05; done
    fetch /app/counter -c "$jar" -b "$jar"
    expect "and 2 after it" "200 2" "$status $body"
    keyspace=$(redis_field keyspace db0)
    expect_match "no key of Redis is there for ever" '^keys=([0-9]+),expires=([0-9]+)' "$keyspace"
    expect "each has its end" "${BASH_REMATCH[1]:-}" "${BASH_REMATCH[2]:-none}"
}

# Of clients it may complain: one of them sent too much.
check_web_server_log() {
    local complaints=''
    case $kind in
        nginx) complaints=$(grep -E '\[(alert|crit|emerg)\]|\[error\].*upstream' "$work/nginx-error.log") ;;
        apache) complaints=$(grep -E ':(alert|crit|emerg)\]|proxy.*:(error|warn)\]' "$work/apache-error.log") ;;
        lighttpd) complaints=$(grep -E 'gw_backend|fastcgi|error' "$work/lighttpd-error.log") ;;
        caddy) complaints=$(grep -E '"level":"(error|fatal|panic)"' "$work/caddy-output.log") ;;
    esac || true
    expect "$kind complains of nothing else" "" "$complaints"
}

run_checks() {
    check_configuration
    check_plain
    check_sessions
    check_login
    check_limits
    check_tls
}

# finish_checks [NAME]: says how many there were, of what, and ends the script where one has failed.
finish_checks() {
    if ((failures)); then
        show_logs "$work"
        printf '%d of %d checks failed\n' "$failures" "$checked"
        exit 1
    fi
    printf 'All %d checks succeeded%s\n' "$checked" "${1:+ behind $1}"
}
