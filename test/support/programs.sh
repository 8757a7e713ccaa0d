#!/bin/sh
# Builds live programs of test/programs (all, or those named) and prints the directory that holds them.
# Static and stripped: their images stay small and do not depend on the machine's libraries.
set -eu

repo=$(cd "$(dirname "$0")/../.." && pwd)
out=${CRIMG_PROGRAMS_DIR:-$repo/.cache/programs}
mkdir -p "$out"
cd "$repo/test/programs"
if [ $# -eq 0 ]; then
  set -- *.c
fi
for name in "$@"; do
  name=${name%.c}
  if [ "$out/$name" -nt "$name.c" ] && [ "$out/$name" -nt program.h ]; then
    continue
  fi
  # Jobs of the tests run in pid namespaces, where two may have the same pid.
  fresh=$(mktemp "$out/$name.XXXXXX")
  gcc -std=gnu11 -static -pthread -Os -s -Wall -Wextra -Werror -o "$fresh" "$name.c" >&2
  chmod 755 "$fresh"
  mv "$fresh" "$out/$name"
done
cd "$out" && pwd
