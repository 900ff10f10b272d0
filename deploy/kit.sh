# What an installation consists of: one list for deploy/install and deploy/package. Sourced by them, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are for the scripts that source it, or of lib.sh

# Set by choose_program:
kit_name=      # of units, user, folders and socket
kit_file=      # the executable as it was built
kit_command=   # what it is called when it is installed
kit_title=     # what it is, in a few words
kit_variables= # what the names of its environment variables begin with
kit_own=       # not empty for a program of one's own

# Sets what is installed: choose_program FILE NAME, a program of one's own, or choose_program "" "", galleta-server.
choose_program() {
    kit_file=$1 kit_name=$2 kit_own=$2
    if [[ -n $kit_own ]]; then
        check_name "$kit_name"
        kit_command=$kit_name kit_title="$kit_name, a FastCGI application"
        kit_file=$(realpath -e -- "$kit_file") || die "--program: there is no $1 (is it built?)"
        [[ -f $kit_file && -x $kit_file ]] || die "--program: $1 is no program"
    else
        kit_name=galleta kit_command=galleta-server kit_title="Galleta, session-aware FastCGI endpoints"
        # shellcheck disable=SC2119 # it needs nothing else
        build_server
        kit_file=$server
    fi
}

check_name() {
    [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] ||
        die "--name \"$1\": give 1 to 31 small letters, digits and dashes, a letter first: it becomes a user's name"
    # Its user would be the one that is there already, with all that is that user's.
    [[ $1 != galleta ]] || die "--name galleta is galleta-server's; give another"
}

# The program runs here, and will run without a Swift toolchain. Sets $kit_help and $kit_variables.
check_program() {
    local libraries missing
    libraries=$(ldd -- "$kit_file" 2>/dev/null || true)
    missing=$(sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' <<<"$libraries" | paste -sd ' ')
    [[ -z $missing ]] ||
        die "$kit_file does not run here without $missing: apt-get install libfcgi0ldbl libcrypt1 libssl3 libstdc++6"
    [[ $libraries != *libswiftCore.so* ]] ||
        die "$kit_file needs the Swift toolchain's libraries: build it with swift build -c release --static-swift-stdlib"
    # The width: one line an option.
    kit_help=$(COLUMNS=5000 timeout 10 "$kit_file" --help 2>/dev/null </dev/null) || kit_help=''
    kit_variables=$(sed -n 's/.* as in \([A-Z][A-Z0-9_]*_\)WORKERS=8.*/\1/p' <<<"$kit_help" | head -n 1)
    kit_variables=${kit_variables:-GALLETA_}
}

# Puts the whole tree of an installation below the folder $1, for programs below $2 (/usr).
stage_kit() {
    local root=$1 prefix=$2 file kind
    local units=$root$prefix/lib/systemd/system examples=$root$prefix/share/doc/$kit_name/examples
    check_program

    stage 0755 "$kit_file" "$root$prefix/sbin/$kit_command"
    # Symbols are half of the file.
    need_packages binutils
    strip -- "$root$prefix/sbin/$kit_command" || die "$kit_file cannot be stripped: is it a program for this machine?"

    fill "$repository/deploy/kit/program.service" "$units/$kit_name.service"
    fill "$repository/deploy/kit/program.socket" "$units/$kit_name.socket"
    fill "$repository/deploy/kit/sysusers.conf" "$root$prefix/lib/sysusers.d/$kit_name.conf"
    fill "$repository/deploy/kit/tmpfiles.conf" "$root$prefix/lib/tmpfiles.d/$kit_name.conf"
    fill "$repository/deploy/kit/logrotate" "$root/etc/logrotate.d/$kit_name"
    environment_file | stage 0644 - "$root/etc/default/$kit_name"
    if [[ -z $kit_own ]]; then
        gzip -9n <"$repository/deploy/kit/galleta-server.8" | stage 0644 - "$root$prefix/share/man/man8/galleta-server.8.gz"
    fi
    if [[ -n $kit_help ]]; then
        timeout 10 "$kit_file" --generate-completion-script bash </dev/null | sed '1{/^#!/d}' |
            stage 0644 - "$root$prefix/share/bash-completion/completions/$kit_command" ||
            die "$kit_file --generate-completion-script bash failed"
    fi

    for file in "$repository"/deploy/kit/systemd/*.conf; do fill "$file" "$examples/systemd/${file##*/}"; done
    fill "$repository/deploy/kit/check" "$root$prefix/lib/$kit_name/check" 0755
    for file in spawn-fcgi multiwatch; do fill "$repository/deploy/kit/$file" "$examples/$file" 0755; done
    for kind in nginx apache lighttpd caddy; do
        for file in "$repository/deploy/$kind"/*; do fill "$file" "$examples/$kind/${file##*/}"; done
    done
}

# stage MODE SOURCE TARGET: SOURCE is a file, or - for what comes in.
stage() {
    install -d -m 0755 -- "$(dirname -- "$3")"
    (umask 077 && cat -- "$2" >"$3")
    chmod "$1" -- "$3"
}

# fill SOURCE TARGET [MODE]: a copy with the names of this program. The configurations have galleta-server's.
fill() {
    local documentation=''
    [[ -n $kit_own ]] || documentation="man:galleta-server(8)"
    sed -e "s|@NAME@|$kit_name|g" -e "s|@TITLE@|$kit_title|g" -e "s|@VARIABLES@|$kit_variables|g" \
        -e "s|@PROGRAM@|$prefix/sbin/$kit_command|g" \
        -e "s|@CHECK@|$prefix/lib/$kit_name/check|g" -e "s|@DOCUMENTATION@|$documentation|g" -e '/^Documentation=$/d' \
        -e "s|\\bgalleta-server\\b|$kit_command|g" -e "s|\\bgalleta\\b|$kit_name|g" -- "$1" |
        stage "${3:-0644}" - "$2"
}

# The settings of the program, each with what --help says of it and its default.
environment_file() {
    cat <<TEXT
# Settings of $kit_command, for $kit_name.service. Each stands here with its default, or empty where the default is no
# single word. To change one, remove its "#"; then
#     systemctl restart $kit_name
# which loses no request. A value with blanks needs double quotes; flags are on or off.
TEXT
    if [[ -z $kit_help ]]; then
        printf '#\n# %s --help has named none.\n' "$kit_command"
        return
    fi
    awk -v prefix="$kit_variables" -v name="$kit_name" '
        function finish(variable, value) {
            if (option == "" || option ~ /^(check-config|version|help)$/) { option = ""; return }
            variable = option == "session-option" ? "session-options" : option
            gsub(/-/, "_", variable)
            if (option == "state") value = "/var/lib/" name "/sessions"
            else if (option == "control") value = "unix:/run/" name "/control.sock"
            else if (spec ~ /--no-/) value = text ~ /default: --no-/ ? "off" : "on"
            else if (spec !~ /</) value = "off"
            else if (match(text, /\(default: [^ )]+\)$/)) value = substr(text, RSTART + 10, RLENGTH - 11)
            sub(/ *\(default: [^ )]+\)$/, "", text)
            print ""
            print text | "fold -s -w 117 | sed -e \"s/^/# /\" -e \"s/ *$//\""
            close("fold -s -w 117 | sed -e \"s/^/# /\" -e \"s/ *$//\"")
            print "#" prefix toupper(variable) "=" value
            fflush()
            option = ""
        }
        BEGIN { fflush() }
        /^OPTIONS:/ { inside = 1; next }
        /^[A-Z]/ { finish(); inside = 0 }
        inside && /^  -/ {
            finish()
            line = substr($0, 3)
            match(line, /^(-[a-zA-Z], )?[a-z0-9\/-]+( <[^>]*>)?/)
            spec = substr(line, 1, RLENGTH); text = substr(line, RLENGTH + 1)
            sub(/^ +/, "", text)
            match(spec, /--[a-z][a-z0-9-]*/)
            option = RSTART ? substr(spec, RSTART + 2, RLENGTH - 2) : ""
            next
        }
        inside && /^          / { line = $0; sub(/^ +/, "", line); text = text (text == "" ? "" : " ") line }
        END { finish() }
    ' <<<"$kit_help"
}

# The libraries' packages, as dpkg-shlibdeps has them, for the file $1.
shared_libraries() {
    local folder
    folder=$(mktemp -d)
    mkdir "$folder/debian"
    printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$kit_name" "$kit_name" >"$folder/debian/control"
    (cd -- "$folder" && dpkg-shlibdeps -O -e"$1" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
    rm -rf -- "$folder"
}
