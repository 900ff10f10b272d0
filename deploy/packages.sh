# What has to be installed and built. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

# What the Swift toolchain runs with, and what it builds with: headers, a linker's start files, git for the packages.
swift_packages=(
    libncurses6 libcurl4 libsqlite3-0 libxml2 gcc libc6-dev libstdc++-12-dev git ca-certificates pkg-config
)
# What this package is built with.
library_packages=(libfcgi-dev libcrypt-dev libssl-dev)

# Succeeds if the Debian package $1 (or what it gives) is there. Looks for the thing itself: it may have come another way.
has_package() {
    case $1 in
        libfcgi-dev) has_file /usr/include/fcgiapp.h ;;
        libcrypt-dev) has_file /usr/include/crypt.h ;;
        libssl-dev) has_file /usr/include/openssl/sha.h ;;
        libc6-dev) has_file /usr/include/stdlib.h ;;
        libstdc++-12-dev) has_file '/usr/include/c++/*/cstdlib' ;;
        libncurses6) has_library libncurses.so.6 ;;
        libcurl4) has_library libcurl.so.4 ;;
        libsqlite3-0) has_library libsqlite3.so.0 ;;
        libxml2) has_library libxml2.so.2 ;;
        ca-certificates) has_file /etc/ssl/certs/ca-certificates.crt ;;
        libfcgi-bin) command -v cgi-fcgi >/dev/null ;;
        nginx-light) command -v nginx >/dev/null ;;
        apache2-bin) command -v apache2 >/dev/null ;;
        apache2-utils) command -v htpasswd >/dev/null ;;
        php-fpm) has_file '/usr/sbin/php-fpm[0-9]*' ;;
        php-cli) command -v php >/dev/null ;;
        php-igbinary) has_file '/usr/lib/php/*/igbinary.so' ;;
        php-redis) has_file '/usr/lib/php/*/redis.so' ;;
        binutils) command -v strip >/dev/null ;;
        dpkg-dev) command -v dpkg-shlibdeps >/dev/null ;;
        redis-tools) command -v redis-cli >/dev/null ;;
        systemd) command -v systemd-socket-activate >/dev/null ;;
        python3-jsonschema) has_file /usr/lib/python3/dist-packages/jsonschema ;;
        python3-prometheus-client) has_file /usr/lib/python3/dist-packages/prometheus_client ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

has_file() { compgen -G "$1" >/dev/null; }

has_library() { ldconfig -p | grep -F "$1 " >/dev/null; }

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
    # Debian starts a service that it installs: an nginx on port 80, a Redis on 6379 that nobody asked for. This file is
    # its way to say no.
    if [[ ! -e $policy ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 1' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    # The package lists may be missing, or older than the packages.
    "${install[@]}" || { apt-get -q update && "${install[@]}"; }
}

# A Swift toolchain that runs, before anything is tried with it; and, in one go with what it needs, the Debian packages
# "$@".
need_swift() {
    local missing
    command -v swift >/dev/null || die "no Swift toolchain: install Swift 6.2 or later (https://www.swift.org/install/linux/) and put its bin folder into PATH"
    need_packages "${swift_packages[@]}" "$@"
    swift --version >/dev/null 2>&1 </dev/null && return
    missing=$(ldd -- "$(realpath -- "$(command -v swift)")" 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' | paste -sd ' ')
    [[ -z $missing ]] || die "the Swift toolchain does not run without ${missing// /, }: install, as root, the packages that hold them (apt-file search NAME)"
    swift --version >&2 </dev/null || true
    die "the Swift toolchain does not run; its reason is above"
}

# Builds galleta-server for release and sets $server to it; GALLETA_SERVER names one that is built already. The Debian
# packages "$@" are installed before, in one go with what the build needs.
build_server() {
    if [[ -n ${GALLETA_SERVER:-} ]]; then
        need_packages "$@"
        server=$(realpath -e -- "$GALLETA_SERVER") || die "GALLETA_SERVER: there is no $GALLETA_SERVER"
        return
    fi
    build_program galleta-server "$@"
}

# Builds an executable of this package, as build_server does.
build_program() {
    local product=$1
    shift
    need_swift "${library_packages[@]}" "$@"
    local build=(swift build --package-path "$repository" -c release --product "$product" --static-swift-stdlib)
    say "Building $product (a minute or two the first time)"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    server=$("${build[@]}" --show-bin-path)/$product
}
