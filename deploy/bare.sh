# A Debian that has nothing yet, in a folder. Sourced by the scripts that want one, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

skip() {
    printf 'SKIPPED: %s\n' "$*"
    exit 0
}

# Ends the script with SKIPPED where no such system can be made.
need_bare() {
    ((EUID == 0)) || skip "only root can make a bare system and mount into it"
    command -v debootstrap >/dev/null || command -v apt-get >/dev/null || skip "there is no debootstrap"
    unshare --mount --pid --fork -- mount -t proc proc /proc 2>/dev/null || skip "mounting is not permitted here"
}

# Makes a bare Debian 12 in $work/root, with this checkout as /galleta. Sets $root to it; $work/network has the variables that
# reach the network. GALLETA_BARE=FILE is where the system is kept for the next one: nothing is downloaded for that.
make_bare() {
    local release=bookworm mirrors mirror begin=$SECONDS name
    root=$work/root
    # The mirrors of this machine, if it has the release itself: URI and suite a line.
    # shellcheck disable=SC2016 # apt-get's own variables
    mirrors=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE)' 2>/dev/null |
        awk -v r="$release" '$2 == r || $2 == r "-updates" || $2 == r "-security"' | sort -u || true)
    mirror=$(awk -v r="$release" '$2 == r { print $1; exit }' <<<"$mirrors")

    say "Making a bare Debian in $root"
    if [[ -s ${GALLETA_BARE:-} ]]; then
        mkdir -- "$root"
        tar -C "$root" --numeric-owner -xf "$GALLETA_BARE"
    else
        launch debootstrap --variant=minbase "$release" "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1
        wait "$started" || {
            tail -n 20 -- "$work/debootstrap.log" >&2
            die "debootstrap failed"
        }
        running=()
        [[ -z ${GALLETA_BARE:-} ]] || tar -C "$root" --numeric-owner -cf "$GALLETA_BARE" .
    fi
    say "It took $((SECONDS - begin)) s"

    # What reaches the network, as here.
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    if [[ -n $mirror ]]; then sed 's/^/deb /; s/$/ main/' <<<"$mirrors" >"$root/etc/apt/sources.list"; fi
    if command -v apt-config >/dev/null; then
        apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Allow|Force|Retries)' \
            >"$root/etc/apt/apt.conf.d/00this-machine" || true
    fi
    : >"$work/network"
    for name in {http,https,no,all}_proxy {HTTP,HTTPS,NO,ALL}_PROXY; do
        [[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}" >>"$work/network"
    done
    mkdir "$root/galleta"
    tar -C "$repository" --exclude='./.build*' --exclude=./.git -c . | tar -C "$root/galleta" -x --no-same-owner
}
