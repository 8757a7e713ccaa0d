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
  gcc -std=gnu11 -static -pthread -Os -s -Wall -Wextra -Werror -o "$out/$name.$$" "$name.c" >&2
  mv "$out/$name.$$" "$out/$name"
done
cd "$out" && pwd
