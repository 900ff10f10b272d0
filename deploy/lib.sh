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

# shellcheck source=deploy/packages.sh
. "$repository/deploy/packages.sh"
# shellcheck source=deploy/processes.sh
. "$repository/deploy/processes.sh"
# shellcheck source=deploy/web-servers.sh
. "$repository/deploy/web-servers.sh"
# shellcheck source=deploy/redis.sh
. "$repository/deploy/redis.sh"
