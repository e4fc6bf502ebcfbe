#!/bin/sh
# usage: embed_template.sh PROGRAM OUTPUT
# Writes the server with its template behind it (src/server/template.h): what PROGRAM's own init makes.
set -eu
# What ThreadSanitizer has to say is for the tests.
export TSAN_OPTIONS="${TSAN_OPTIONS:-} exitcode=0"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$1" init "$directory/data" >/dev/null
"$1" template "$directory/data" "$directory/template"
cat "$1" "$directory/template" >"$2.new"
chmod 755 "$2.new"
mv "$2.new" "$2"
