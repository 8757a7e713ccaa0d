#!/bin/sh
# Makes fixtures/criu/<case> and fixtures/files/<case>.tar.gz anew: all cases, or those named. Needs root.
#
# Each program runs in namespaces of its own with a neutral host name, directory, environment and cgroup path, so
# that an image tells nothing about the machine that made it. criu runs in them too: no namespace is in the set.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
demo=/var/lib/crimg-demo

say() { echo "fixtures.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# head_of NAME KEY: what the head comment of a program says, as in " * criu dump: --file-locks"
head_of() {
  sed -n "s|^ \* $2: *||p" "$repo/test/programs/$1.c"
}

# CRIU 4.1 can dump no inet socket on Linux 6.16 and later; 4.2 writes sets that 4.1 cannot read. So there are both.
suite_of() {
  case $1 in
    logger | locks | deleted) echo trixie ;;
    *) echo forky ;;
  esac
}

# until_line PATTERN FILE: waits for it, ten seconds at most
until_line() {
  tries=0
  until grep -qs "$1" "$2"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || die "no line \"$1\" in $2, which ends: $(tail -n 3 "$2")"
    sleep 0.05
  done
}

# The container's program is started in a cgroup with a limit (of version 1, and of 2 in a hybrid hierarchy), on a
# file system that tells nothing of the disk.
cgroups="/sys/fs/cgroup/pids/crimg-demo /sys/fs/cgroup/unified/crimg-demo"
before_container() {
  mount -t tmpfs -o mode=755,size=16m tmpfs "$demo"
  mkdir -p "$dir/rootfs/bin"
  ln -s rootfs/bin "$dir/bin"
  for cgroup in $cgroups; do
    mkdir -p "$cgroup/web"
  done
  echo 50 >/sys/fs/cgroup/pids/crimg-demo/web/pids.max
}
join_container() {
  for cgroup in $cgroups; do
    echo 0 >"$cgroup/web/cgroup.procs"
  done
}
remove_cgroups() {
  for cgroup in $cgroups; do
    rmdir "$cgroup/web" "$cgroup"
  done
}
between_container() {
  remove_cgroups
  mount --bind "$dir/rootfs" "$dir/rootfs"
}
after_container() {
  remove_cgroups
  umount "$dir/rootfs"
}
# at MOMENT: what the case has to do then, if anything
at() {
  command -v "$1_$name" >/dev/null || return 0
  "$1_$name"
}

# make_case NAME: inside the namespaces, as their pid 1
make_case() {
  name=$1 dir=$demo/$1 images=$repo/fixtures/criu/$1
  rm -rf "$dir" "$images"
  mkdir -p "$demo" "$images" "$repo/fixtures/files"
  at before
  mkdir -p "$dir/bin"
  cp "$programs/$name" "$dir/bin/$name"
  cd /
  echo 999 >/proc/sys/kernel/ns_last_pid
  (at join && exec env -i PATH=/usr/bin:/bin HOME=/ setsid "$dir/bin/$name" "$dir") </dev/null >/dev/null 2>&1 &
  pid=$! started=$!
  log=$dir/$(head_of "$name" log)
  until_line '^tick 10 ' "$log"
  [ ! -e "$dir/pid" ] || pid=$(cat "$dir/pid")
  # shellcheck disable=SC2046 # a list of options
  "$criu" dump --tree "$pid" --images-dir "$images" --log-file /tmp/dump.log -v4 $(head_of "$name" "criu dump") \
    2>/dev/null || die "$name: $(grep Error /tmp/dump.log)"
  wait "$started" || :
  tar --create --gzip --sparse --sort=name --file "$repo/fixtures/files/$name.tar.gz" --directory / \
    --owner=0 --group=0 --numeric-owner "${dir#/}"
  at between

  # A fixture is worth keeping only if criu brings it back to life.
  # shellcheck disable=SC2046
  "$criu" restore --images-dir "$images" --work-dir /tmp --log-file /tmp/restore.log -v4 --pidfile /tmp/pid \
    $(head_of "$name" "criu restore" | sed "s|ROOTFS|$dir/rootfs|") 2>/dev/null &
  restorer=$!
  until_line '^tick 30 ' "$log"
  kill -KILL "$(cat /tmp/pid)"
  wait "$restorer" || :
  ! grep FAIL "$log" || die "$name found itself changed"
  at after
  rm -rf "$dir"
  say "$name: $(find "$images" -type f | wc -l) images, $(du -bs "$images" | cut -f 1) bytes"
}

if [ "${1:-}" = --inside ]; then
  programs=$2 criu=$3
  hostname crimg-demo
  ip link set lo up
  mount -t tmpfs tmpfs /tmp
  make_case "$4"
  exit 0
fi

[ "$(id -u)" -eq 0 ] || die "only root can checkpoint with criu"
programs=$("$repo/test/support/programs.sh")
[ $# -gt 0 ] || set -- logger locks deleted sockets threads tree terminal container
for name in "$@"; do
  suite=$(suite_of "$name")
  criu=$(CRIMG_CRIU_SUITE=$suite CRIMG_CRIU_DIR="$repo/.cache/criu-$suite" "$repo/test/support/criu.sh")
  unshare --pid --fork --mount-proc --uts --net --ipc --cgroup "$0" --inside "$programs" "$criu" "$name"
done
rmdir "$demo"
