# Programs to measure against, figures of processes, and what is said of many figures. Sourced by deploy/bench.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables are of lib.sh

# build_c NAME [OPTION …]: Tests/Benchmarks/NAME.c, into the work folder.
build_c() {
    gcc -std=c11 -O2 -Wall -Wextra -Werror -pthread -o "$work/$1" "$repository/Tests/Benchmarks/$1.c" "${@:2}"
}

# cpu_ns PID: its user and system time. Counted in ticks of 10 ms, against seconds in a round.
cpu_ns() {
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.0f", ($12 + $13) * 1e9 / hz }' "/proc/$1/stat"
}

# tree_cpu_ns PID: the same of a process and its children, all of which live on.
tree_cpu_ns() {
    local files=("/proc/$1/stat") child
    while read -r child; do files+=("/proc/$child/stat"); done < <(cat "/proc/$1/task/"*/children | grep -oE '[0-9]+')
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); ticks += $12 + $13 } END { printf "%.0f", ticks * 1e9 / hz }' "${files[@]}"
}

# per COUNT NUMBER: so much of the number for each, with two digits.
per() { awk -v count="$1" -v number="$2" 'BEGIN { printf "%.2f", (count > 0 ? number / count : 0) }'; }

# Results are lines "ROUND SIDE FIGURE …" in $results.
results=

# column SIDE N: the Nth figure of each round.
column() { awk -v side="$1" -v n="$2" '$2 == side { print $(n + 2) }' "$results"; }

# ratios SIDE BASE N: the Nth figure of SIDE to that of BASE, of each round: what the machine does meanwhile both have felt.
ratios() {
    awk -v side="$1" -v base="$2" -v n="$3" '
        $2 == side { of[$1] = $(n + 2) }
        $2 == base { to[$1] = $(n + 2) }
        END { for (round in of) if (to[round] > 0) print of[round] / to[round] }
    ' "$results"
}

# spread DIGITS: the median of the numbers that are read, one a line, with the quartiles: "7.91 (7.85-8.02)".
spread() {
    sort -g | awk -v digits="$1" '
        { v[NR] = $1 }
        function at(p,    place, low) {
            place = 1 + (NR - 1) * p
            low = int(place)
            return sprintf("%.*f", digits, v[low] + (place - low) * (v[low + 1] - v[low]))
        }
        END { print NR ? at(0.5) " (" at(0.25) "-" at(0.75) ")" : "-" }'
}

# median DIGITS: the same without the quartiles.
median() { spread "$1" | sed 's/ .*//'; }
