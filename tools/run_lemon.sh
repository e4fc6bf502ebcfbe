#!/bin/sh
# usage: run_lemon.sh LEMON GRAMMAR OUTPUT_C OUTPUT_H
# Lemon writes beside its -d directory and only warns of conflicts: here they fail the build.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cp "$2" "$directory/sql_grammar.y"
if ! "$1" -q -d"$directory" "$directory/sql_grammar.y" >"$directory/log" 2>&1 || grep -qi conflict "$directory/log"; then
    cat "$directory/log" >&2
    exit 1
fi
# Directives should name the grammar, not the temporary place.
sed "s|$directory/||g" "$directory/sql_grammar.c" >"$3"
cp "$directory/sql_grammar.h" "$4"
