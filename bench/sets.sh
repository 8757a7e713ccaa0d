#!/bin/sh
# Makes the image sets that the benchmarks read, with a real criu (CRIMG_CRIU or PATH), and prints their directory.
# A set that is there is kept. Scale: CRIMG_BENCH_SCALE=10 makes each a tenth.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
scale=${CRIMG_BENCH_SCALE:-1}
out=${CRIMG_BENCH_DIR:-$repo/.cache/bench}/$scale
criu=${CRIMG_CRIU:-criu}
mkdir -p "$out"
if [ $# -eq 0 ]; then
  set -- frag fds tree mem1g
fi
for name in "$@"; do
  [ -e "$out/$name/inventory.img" ] && continue
  work=$out/$name.work
  rm -rf "$work" "$out/$name"
  mkdir -p "$work/images" "$work/files"
  gcc -std=gnu11 -static -pthread -O2 -Wall -Wextra -Werror -o "$work/$name" "$repo/bench/programs/$name.c"
  case $name in
    frag) set_args="$((262144 / scale))" ;;
    fds)
      for i in $(seq 0 255); do mkdir "$work/files/$(printf %02x "$i")"; done
      set_args="$work/files $((20000 / scale))" ;;
    tree) set_args="$((400 / scale))" ;;
    mem1g) set_args="$((1024 / scale))" ;;
    *) echo "no benchmark set $name" >&2; exit 2 ;;
  esac
  # shellcheck disable=SC2086
  setsid "$work/$name" $set_args <"/dev/null" >"$work/ready" 2>"$work/errors" &
  pid=$!
  waited=0
  until grep -q ready "$work/ready"; do
    waited=$((waited + 1))
    if [ "$waited" -gt 600 ] || ! kill -0 "$pid" 2>"/dev/null"; then
      echo "$name did not get ready: $(cat "$work/errors")" >&2
      exit 1
    fi
    sleep 0.1
  done
  if ! "$criu" dump --tree "$pid" --images-dir "$work/images" --log-file "$work/dump.log" --file-locks >&2; then
    kill -KILL "$pid" 2>"/dev/null" || true
    grep Error "$work/dump.log" >&2
    exit 1
  fi
  mv "$work/images" "$out/$name"
done
echo "$out"
