# The requests of deploy/run --beside php --check; sourced by it, after checks.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, url, body … are deploy/run's and checks.sh's

# visit PATH [CURL OPTION …]: fetch, as the browser of one visitor.
visit() {
    local path=$1
    shift
    fetch "$path" -b "$jar" -c "$jar" "$@"
}

# php_token: the hidden token of the forms in the last of PHP's pages.
php_token() { sed -nE '/name="token"/{s/.*name="token" value="([0-9a-f]+)".*/\1/p;q}' <<<"$body"; }

# swift_token: the same of those of the last page in Swift.
swift_token() { sed -nE '/name="csrf"/{s/.*name="csrf" value="([^"]+)".*/\1/p;q}' <<<"$body"; }

# php_form PATH FIELD=VALUE …: what a browser sends for a form of the page in PHP that was loaded last.
php_form() {
    local path=$1 field fields=()
    shift
    for field; do fields+=(--data-urlencode "$field"); done
    visit "$path" --data-urlencode "token=$(php_token)" "${fields[@]}"
}

# swift_form PATH FIELD=VALUE …: the same of the page in Swift.
swift_form() {
    local path=$1 field fields=()
    shift
    for field; do fields+=(--data-urlencode "$field"); done
    visit "$path" -H "Origin: $url" --data-urlencode "csrf=$(swift_token)" "${fields[@]}"
}

session_id() { awk '$6 == "PHPSESSID" { print $7 }' "$jar"; }

check_beside_php() {
    local jar=$work/jar page before
    visit /
    expect "the page in PHP is served" 200 "$status"
    expect_match "to somebody who is not logged in" 'nobody is logged in' "$body"
    page=$(grep -oE '<link[^>]*>' <<<"$body")
    php_form /cart.php item=mug
    expect "what is put into the cart there" 303 "$status"
    fetch /shop.css
    expect "the style of both is served" "200 text/css" "$status $(header content-type)"

    visit /app/cart
    expect "is in the cart for scripts" '200 {"mug":{"name":"Mug","cents":1450,"count":1}}' "$status $body"
    visit /app/checkout
    expect_match "and at the checkout" 'Mug, 14\.50 €' "$body"
    expect_match "which asks to log in" 'Log in</a> to order' "$body"
    expect "and looks like the other pages" "$page" "$(grep -oE '<link[^>]*>' <<<"$body")"
    expect "there is one cookie" 1 "$(grep -c PHPSESSID "$jar")"

    swift_form /app/cart item=mug count=3
    expect "a count that is changed there" 303 "$status"
    visit /cart.php
    expect_match "stands in PHP's cart" '3 × Mug, 43\.50 €' "$body"
    visit /app/checkout
    swift_form /app/checkout
    expect "an order without a user is refused" 401 "$status"

    before=$(session_id)
    visit /
    php_form / name=Ada
    expect "the log-in in PHP" 303 "$status"
    expect "makes a new id" yes "$([[ $(session_id) != "$before" ]] && echo yes)"
    fetch /app/cart -b "PHPSESSID=$before"
    expect "the old one has nothing any more" '200 {}' "$status $body"
    visit /app/checkout
    expect_match "the checkout knows who it is" '<span>Ada</span>' "$body"
    expect_match "and what is wanted" 'Order for 43\.50 €' "$body"
    fetch /app/checkout -b "$jar" --data-urlencode "csrf=$(swift_token)" -H 'Origin: https://elsewhere.example'
    expect "a form of another site is refused" 403 "$status"
    visit /app/checkout
    swift_form /app/checkout
    expect "the order" 303 "$status"
    visit /app/checkout
    expect_match "is thanked for" 'Thank you, Ada!' "$body"
    visit /cart.php
    expect_match "and PHP's cart is empty" 'It is empty' "$body"
    expect_match "for the same user" '<span>Ada</span>' "$body"

    visit /
    php_form / logout=
    expect "the log-out in PHP" 303 "$status"
    visit /app/checkout
    expect_match "is seen at the checkout" 'nobody is logged in' "$body"
    fetch /app/checkout -b 'PHPSESSID=aaaaaaaaaaaaaaaaaaaaaaaaaa'
    expect_no_match "an id that a client made up is not taken" 'PHPSESSID=aaaaaaaaaaaaaaaaaaaaaaaaaa' "$(header set-cookie)"
    if [[ $provider == redis ]]; then
        expect_match "PHP's sessions are in Redis" 'PHPREDIS_SESSION:' "$(ask_redis KEYS '*')"
    elif [[ $provider == memory ]]; then
        expect "PHP's sessions are nowhere else" "" "$(ls "$work/php/sessions")"
    else
        expect_match "PHP's sessions are in files" 'sess_' "$(ls "$work/php/sessions")"
    fi
}
