# Sessions in PHP's formats, read and written; sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the variables are of lib.sh, or for it

php_formats_usage() {
    cat <<'TEXT'
Usage: deploy/bench php-formats [--rounds N] [--count N]

Measures what a session as shops have them, of some 2 KB, takes to read and to write, in alternated rounds beside PHP's own
session_decode and session_encode: microseconds, medians with the quartiles in parentheses, and the ratio within a round.
What PHP decodes it also makes variables of: beside it stands "values". A handler that looks up one key pays "decode".

  --rounds N   rounds of each (default 9)       --count N   sessions in a round (default 50000)
TEXT
}

bench_php_formats() {
    local rounds=9 count=50000 build program format round bytes row row_figures
    while (($#)); do
        case $1 in
            --rounds | --count)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number; see deploy/bench php-formats --help"
                declare "${1#--}=$2"
                shift
                ;;
            --help | -h)
                php_formats_usage
                return
                ;;
            *) die "unknown option $1; see deploy/bench php-formats --help" ;;
        esac
        shift
    done
    need_swift "${library_packages[@]}" php-cli
    end_with_script
    make_work_folder
    results=$work/results
    build=(env GALLETA_BENCHMARKS=1 swift build --package-path "$repository" -c release --product php-formats-benchmark
        --static-swift-stdlib)
    say "Building the program"
    setpriv --pdeathsig INT -- "${build[@]}" >&2 </dev/null || die "the build failed; its reasons are above"
    program=$("${build[@]}" --show-bin-path)/php-formats-benchmark
    row='%-14s %5s  %-20s %-20s %-20s %-20s %-20s %-18s %-18s\n'
    # shellcheck disable=SC2059 # the format is of here
    printf "$row" 'microseconds' bytes decode values change 'PHP: decode' 'PHP: encode' 'values / PHP' 'change / PHP'
    for format in php php_binary php_serialize; do
        php "$repository/Tests/Benchmarks/PHPFormats/session.php" "$format" "$work/$format"
        : >"$results"
        for ((round = 1; round <= rounds; round++)); do
            read -r bytes row_figures < <("$program" "$format" "$work/$format" "$count")
            printf '%s ours %s\n' "$round" "$row_figures" >>"$results"
            printf '%s php - %s\n' "$round" \
                "$(php -d opcache.enable_cli=0 "$repository/Tests/Benchmarks/PHPFormats/session.php" "$format" "$work/$format" "$count")" >>"$results"
        done
        # shellcheck disable=SC2059
        printf "$row" "$format" "$bytes" "$(column ours 1 | spread 2)" "$(column ours 2 | spread 2)" "$(column ours 3 | spread 2)" \
            "$(column php 2 | spread 2)" "$(column php 3 | spread 2)" "$(ratios ours php 2 | spread 2)" "$(ratios ours php 3 | spread 2)"
    done
}
