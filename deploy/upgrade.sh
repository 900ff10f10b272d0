# From one program to the next and back, with the service that runs. Sourced by deploy/install.
# shellcheck shell=bash
# shellcheck disable=SC2004,SC2034,SC2154 # the variables are of lib.sh, kit.sh and deploy/install

trial= # the new program where its user can run it, for a moment

# Ends the script where the new program would not start. Nothing has been changed by then.
check_upgrade() {
    [[ -e $manifest ]] || die "--upgrade: there is no installation of $kit_name yet; leave out --upgrade"
    has_systemd || die "--upgrade: there is no systemd that would hold the connections; install without --upgrade, then restart it"
    [[ -z $dry ]] || return 0
    # The folder of the stage is root's alone.
    trial=$prefix/sbin/$kit_command.trial
    install -m 0755 -- "$stage$prefix/sbin/$kit_command" "$trial"
    sh "$stage$prefix/lib/$kit_name/check" "$trial" >&2 ||
        die "the new program would not start, for the reason above: nothing is changed, and the one that runs goes on"
    rm -f -- "$trial"
    trial=''
}

# Before the program is replaced.
keep_former() {
    [[ -e $destination$prefix/sbin/$kit_command ]] || return 0
    make_folder "${former%/*}"
    cp -p -- "$destination$prefix/sbin/$kit_command" "$destination$former.installing"
    mv -fT -- "$destination$former.installing" "$destination$former"
}

# The program and the former one change places.
exchange_programs() {
    local path=$prefix/sbin/$kit_command
    cp -p -- "$path" "$former.installing"
    mv -fT -- "$former" "$path"
    mv -fT -- "$former.installing" "$former"
    installed[$path]=$(sum "$path")
}

# systemd holds the socket and the connections meanwhile. Where the new program does not start, the former one does.
restart() {
    report "restart $kit_name.service"
    [[ -z $dry ]] || return 0
    ! systemctl restart "$kit_name.service" || return 0
    journalctl --no-pager --lines 20 --unit "$kit_name.service" >&2 || true
    [[ -e $former ]] || die "the new program does not start; its reasons are above"
    exchange_programs
    systemctl restart "$kit_name.service" || die "neither the new program nor the former one starts; their reasons: journalctl -u $kit_name"
    die "the new program does not start, for the reasons above: the former one serves again"
}

go_back() {
    [[ -e $manifest ]] || die "there is no installation of $kit_name here: no $manifest (PREFIX and --name as at the installation?)"
    [[ -e $former ]] || die "there is no former program: no $former"
    [[ -n $dry ]] || "$prefix/lib/$kit_name/check" "$former" >&2 ||
        die "the former program would not start, for the reason above: nothing is changed, and the one that runs goes on"
    report "replace $prefix/sbin/$kit_command by $former, and the other way round"
    if [[ -z $dry ]]; then
        trap write_manifest EXIT
        exchange_programs
    fi
    if has_systemd && systemctl --quiet is-active "$kit_name.service"; then restart; fi
}
