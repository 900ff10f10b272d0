# Does what a document says, block by block and in its order. Sourced by the scripts that check documents, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh
#
# A comment in front of each block of commands or code tells what to do with it:
#
#   <!-- ci: file PATH -->         write the block to PATH
#   <!-- ci: add PATH -->          add an empty line and the block to PATH
#   <!-- ci: run FOLDER -->        run it in FOLDER
#   <!-- ci: run FOLDER, alone --> the same, once what serves has been stopped
#   <!-- ci: run FOLDER, after COMMAND -->  the same, after a command that the reader does not need
#   <!-- ci: serve FOLDER -->      run it until the end; go on once it says "Ctrl-C stops it"
#   <!-- ci: serve FOLDER, until COMMAND -->  the same; go on once COMMAND succeeds in FOLDER
#   <!-- ci: transcript FOLDER --> run the lines that start with "$ " there, and compare what they print
#   <!-- ci: transcript FOLDER, once COMMAND -->  the same; begin once COMMAND succeeds in FOLDER
#   <!-- ci: step -->              .ci/run has to have a step for each line
#   <!-- ci: readme -->            README.md has to have each line, for it is run there
#
# Folders and paths are below $work, or absolute. Port 8080 is replaced by a free one, nothing else is changed. A block without a
# comment is an error.

# do_document NAME FILE
do_document() {
    local document=$1 file=$2 blocks block action argument port serving='' serving_log
    port=$(free_port)
    blocks=$(mktemp -d "$work/blocks.XXXXXX")
    # Each block becomes a file that begins with its comment.
    awk -v folder="$blocks" -v port="$port" -v document="$document" '
        /^<!-- ci: .* -->$/ { action = substr($0, 10, length($0) - 13); next }
        /^```/ && !inside {
            if (action == "") { printf "%s:%d: a block without a \"<!-- ci: … -->\" comment\n", document, NR > "/dev/stderr"; bad = 1; exit }
            inside = 1
            file = sprintf("%s/%02d", folder, ++count)
            print action > file
            next
        }
        /^```/ { inside = 0; action = ""; close(file); next }
        inside { gsub(/8080/, port); print > file }
        END { exit bad || count == 0 }
    ' "$file" || die "$document cannot be run"
    for block in "$blocks"/??; do
        action=$(head -n 1 -- "$block")
        say "$document: $action"
        argument=${action#* }
        case $action in
            'file '*) write_file "$(place "$argument")" ;;
            'add '*) { echo && tail -n +2 -- "$block"; } >>"$(place "$argument")" ;;
            'run '*) run_block "$(place "$argument")" ;;
            'serve '*) serve_block "$argument" ;;
            'transcript '*) transcript_block "$(place "$argument")" ;;
            step) lines_block "^step .* %s\$" "$repository/.ci/run" ;;
            readme) lines_block "^%s\$" "$repository/README.md" ;;
            *) die "$document: no such action: $action" ;;
        esac
    done
    stop_serving
}

place() { if [[ $1 == /* ]]; then printf '%s' "$1"; else printf '%s' "$work/$1"; fi; }

stop_serving() {
    [[ -n $serving ]] || return 0
    stop "$serving" TERM 30
    serving=''
    # A program made with this package ends with 0 when it is asked to, deploy/run with 143.
    [[ $exit_status == 0 || $exit_status == 143 ]] || {
        cat -- "$serving_log" >&2
        die "what $document serves ended with $exit_status"
    }
}

write_file() {
    mkdir -p -- "$(dirname -- "$1")"
    tail -n +2 -- "$block" >"$1"
}

# In the background: a signal to this script need not wait for the end of a build.
run_block() {
    local folder=${1%%, *} before=:
    [[ $1 != *', alone' ]] || stop_serving
    [[ $1 != *', after '* ]] || before=${1#*, after }
    launch bash -euo pipefail -c "cd -- '$folder'; $before"$'\n'"$(tail -n +2 -- "$block")"
    wait "$started" || die "a command of $document failed: $(tail -n +2 -- "$block")"
    running=("${running[@]:0:${#running[@]}-1}")
}

serve_block() {
    local folder=${1%%, until *} until="grep -q 'Ctrl-C stops it' '$block.log'" deadline=$((SECONDS + 900))
    [[ $1 == "$folder" ]] || until=${1#*, until }
    folder=$(place "$folder")
    stop_serving
    # exec: the signal that stops it reaches the command itself. With a terminal's answers to signals: what was started in the
    # background, or by nohup, has some ignored, and a shell cannot heed those any more.
    launch env --default-signal bash -euc "cd -- '$folder' && exec $(tail -n +2 -- "$block")" >"$block.log" 2>&1
    serving=$started serving_log=$block.log
    until (cd -- "$folder" && bash -c "$until"); do
        if ! alive "$serving" || ((SECONDS > deadline)); then
            cat -- "$block.log" >&2
            die "a command of $document does not serve: $(tail -n +2 -- "$block")"
        fi
        sleep 0.2
    done
}

transcript_block() {
    local line printed output='' wanted='' folder=${1%%, once *} deadline=$((SECONDS + 30))
    if [[ $1 == *', once '* ]]; then
        until (cd -- "$folder" && bash -c "${1#*, once }") >/dev/null 2>&1 || ((SECONDS > deadline)); do sleep 0.1; done
    fi
    # shellcheck disable=SC2094 # only read
    while IFS= read -r line; do
        if [[ $line == '$ '* ]]; then
            # A command may print nothing.
            printed=$(cd -- "$folder" && bash -euo pipefail -c "${line#'$ '}") || die "$document: $line failed"
            output+=${printed:+$printed$'\n'}
        else
            wanted+=$line$'\n'
        fi
    done < <(tail -n +2 -- "$block")
    [[ $output == "$wanted" ]] || die "$document promises
$wanted but its commands gave
$output"
}

# Each line of the block is in a file, as the pattern has it: lines_block PATTERN FILE.
lines_block() {
    local line
    while IFS= read -r line; do
        # shellcheck disable=SC2059 # the pattern is this script's
        grep -qE -- "$(printf "$1" "$line")" "$2" || die "$document names \"$line\", which $2 does not run"
    done < <(tail -n +2 -- "$block")
}
