#!/bin/bash
# Makes fixtures/logs anew: the logs of a real criu that was made to fail, each in another way. All, or those named.
# Needs root. Runs in namespaces of its own, on the sets of fixtures/criu where the failure is one of a restore.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
demo=/var/lib/crimg-demo
logs=$repo/fixtures/logs
# Debian's own python3 has what a checkpoint of an interpreter needs in system directories.
python=/usr/bin/python3

exec 3>&2 # the cases keep their own stderr, which may be the log
say() { echo "failure-logs.sh: $*" >&3; }
die() { say "$*"; exit 1; }

# --- what a case may use ---------------------------------------------------------------------------------------

# fixture NAME: its files in place, its images in $images
fixture() {
  tar -xzf "$repo/fixtures/files/$1.tar.gz" -C /
  images=/tmp/images
  cp -r "$repo/fixtures/criu/$1" "$images"
}

# restore OPTION...: must fail; the log is the case's
restore() {
  timeout -s KILL 20 "$criu" restore --images-dir "$images" --work-dir /tmp --log-file /tmp/log -d "$verbose" "$@" && die "$case did not fail"
  return 0
}

# victim COMMAND...: a process to be dumped, its session's leader, with pid 1000
victim() {
  echo 999 >/proc/sys/kernel/ns_last_pid
  setsid "$repo/test/support/start.sh" /dev/null "$@" </dev/null &
  sleep 0.7
}

# dump OPTION...: must fail
dump() {
  mkdir -p /tmp/dump
  timeout -s KILL 20 "$criu" dump --tree "${tree:-1000}" --images-dir /tmp/dump --work-dir /tmp --log-file /tmp/log "$verbose" "$@" && die "$case did not fail"
  return 0
}

# dumped OPTION...: must work; the images are those to restore
dumped() {
  images=/tmp/images
  mkdir -p "$images"
  "$criu" dump --tree "${tree:-1000}" --images-dir "$images" --work-dir /tmp --log-file /tmp/dump.log "$@" ||
    die "$case: $(grep Error /tmp/dump.log)"
  sleep 0.2
}

# --- restores that fail ----------------------------------------------------------------------------------------

restore_file_size() { verbose=-v4; fixture logger; echo "# changed" >>$demo/logger/etc/logger.conf; restore; }
restore_file_shrunk() { fixture logger; truncate -s 32 $demo/logger/data/records; restore; }
restore_file_mode() { fixture logger; chmod 600 $demo/logger/etc/logger.conf; restore; }
restore_file_missing() { fixture logger; mv $demo/logger/etc $demo/logger/elsewhere; restore; }
restore_cwd_missing() { fixture logger; rmdir $demo/logger/run; restore; }
restore_program_missing() { fixture logger; rm $demo/logger/bin/logger; restore; }
restore_file_type() { fixture logger; rm $demo/logger/etc/logger.conf; mkdir $demo/logger/etc/logger.conf; restore; }
restore_build_id() {
  fixture logger
  $python - $demo/logger/bin/logger <<'END'
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
at = data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16
data[at] ^= 0xff
open(path, "wb").write(data)
END
  restore
}
restore_pid_taken() { fixture logger; victim sleep 100; restore; }
restore_lock_held() {
  verbose=-v4
  fixture locks
  $python -c "import fcntl, time; f = open('$demo/locks/posix', 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(100)" 3>&- &
  sleep 0.5
  restore --file-locks
}
restore_no_core() { fixture logger; rm $images/core-1000.img; restore; }
restore_no_pages() { fixture logger; rm $images/pages-1.img; restore; }
restore_no_files() { fixture logger; rm $images/files.img; restore; }
restore_truncated() { fixture logger; truncate -s 100 $images/files.img; restore; }
restore_bad_magic() { fixture logger; printf 'XXXX' | dd of=$images/core-1000.img conv=notrunc status=none; restore; }
restore_garbage() { fixture logger; printf '\377\377\377\377' | dd of=$images/fs-1000.img bs=1 seek=12 conv=notrunc status=none; restore; }
restore_tty_session() {
  victim script -qc "exec sleep 100" /dev/null
  tree=$(pgrep -x sleep)
  dumped --shell-job
  restore
}
restore_tcp_established() { victim $python "$programs_dir/tcp.py"; dumped --tcp-established --network-lock skip; restore; }
restore_port_taken() {
  victim $python "$programs_dir/listen.py" 127.0.0.1 8080
  dumped
  $python "$programs_dir/listen.py" 127.0.0.1 8080 3>&- &
  sleep 0.5
  restore
}
restore_address_gone() {
  ip address add 10.9.8.7/32 dev lo
  victim $python "$programs_dir/listen.py" 10.9.8.7 8080
  dumped
  ip address del 10.9.8.7/32 dev lo
  restore
}
restore_unix_gone() { outside_unix; dumped --ext-unix-sk; kill %1; sleep 0.2; rm $demo/socket; restore --ext-unix-sk; }
restore_link_remap_gone() {
  victim $python "$programs_dir/linked.py" $demo
  dumped --link-remap
  rm $demo/link_remap.*
  restore --link-remap
}
restore_cpu() {
  victim sleep 100
  dumped --cpu-cap=cpu
  cpu_of_image
  restore --cpu-cap=cpu
}
restore_not_root() {
  fixture logger
  chmod -R a+rX $images
  mkdir -m 777 /tmp/failing
  setpriv --reuid 1000 --clear-groups "$criu" restore --images-dir $images --work-dir /tmp/failing --log-file /tmp/failing/log "$verbose" >&2 && die "$case did not fail"
  return 0
}
restore_tcp_close() { victim $python "$programs_dir/tcp.py"; dumped --tcp-close; restore; }
restore_lsm() {
  fixture logger
  label_of_image
  restore
}

# --- dumps that fail -------------------------------------------------------------------------------------------

dump_locks() { victim flock $demo/lock sleep 100; dump; }
dump_ghost_limit() { verbose=-v4; victim $python "$programs_dir/ghost.py" $demo/big 2000000; dump; }
dump_link_remap() { victim $python "$programs_dir/linked.py" $demo; dump; }
dump_tcp_established() { victim $python "$programs_dir/tcp.py"; dump; }
dump_unix_external() { outside_unix; dump; }
dump_unix_pair() { victim $python "$programs_dir/halfpair.py"; tree=$(pgrep -x sleep); dump; }
dump_shell_job() { victim sh -c 'sleep 100; :'; tree=$(pgrep -x sleep); dump; }
dump_tty() { victim script -qc "exec sleep 100" /dev/null; tree=$(pgrep -x sleep); dump; }
dump_traced() { victim sleep 100; strace -qq -p 1000 -o /dev/null & sleep 0.5; dump; }
dump_no_task() { dump; }
dump_iptables() { victim $python "$programs_dir/tcp.py"; dump --tcp-established; }
dump_unsupported() { victim $python "$programs_dir/iouring.py"; dump; }

# A datagram socket whose other end is a process outside of the tree.
outside_unix() {
  $python "$programs_dir/unix.py" listen $demo/socket 3>&- &
  sleep 0.5
  victim $python "$programs_dir/unix.py" connect $demo/socket
}

# The image is of a CPU that has everything.
cpu_of_image() {
  $crit decode -i $images/cpuinfo.img | sed 's/"capability": \[[^]]*\]/"capability": [4294967295'"$(printf ",4294967295%.0s" {2..19})"']/' >/tmp/cpu.json
  $crit encode -i /tmp/cpu.json -o $images/cpuinfo.img
}

# The tasks carry an AppArmor profile, which this kernel does not have.
label_of_image() {
  $crit decode -i $images/core-1000.img | sed 's/"secbits"/"lsm_profile": "confined", "secbits"/' >/tmp/core.json
  $crit encode -i /tmp/core.json -o $images/core-1000.img
  $crit decode -i $images/inventory.img | sed 's/"lsmtype": [^,}]*/"lsmtype": "APPARMOR"/' >/tmp/inventory.json
  $crit encode -i /tmp/inventory.json -o $images/inventory.img
}

programs() {
  programs_dir=/tmp/programs
  mkdir $programs_dir
  cat >$programs_dir/tcp.py <<'END'
import socket, time
server = socket.create_server(("127.0.0.1", 8080))
client = socket.create_connection(("127.0.0.1", 8080))
accepted = server.accept()
time.sleep(100)
END
  cat >$programs_dir/listen.py <<'END'
import socket, sys, time
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
time.sleep(100)
END
  cat >$programs_dir/unix.py <<'END'
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2]) if sys.argv[1] == "listen" else s.connect(sys.argv[2])
time.sleep(100)
END
  cat >$programs_dir/halfpair.py <<'END'
import os, socket, time
here, there = socket.socketpair()
if os.fork() == 0:
    os.set_inheritable(there.fileno(), True)
    here.close()
    os.setsid()
    os.execvp("sleep", ["sleep", "100"])
time.sleep(100)
END
  cat >$programs_dir/ghost.py <<'END'
import os, sys, time
f = open(sys.argv[1], "wb+")
f.write(b"x" * int(sys.argv[2])); f.flush()
os.unlink(sys.argv[1])
time.sleep(100)
END
  cat >$programs_dir/linked.py <<'END'
import os, sys, time
one, other = sys.argv[1] + "/one", sys.argv[1] + "/other"
f = open(one, "w"); os.link(one, other); os.unlink(one)
time.sleep(100)
END
  cat >$programs_dir/iouring.py <<'END'
import ctypes, time
params = (ctypes.c_char * 120)()
print(ctypes.CDLL(None).syscall(425, 4, params))
time.sleep(100)
END
}

# --- running them ----------------------------------------------------------------------------------------------

if [ "${1:-}" = --inside ]; then
  criu=$2 crit=$(dirname "$2")/crit case=$3 verbose=-v2
  hostname crimg-demo
  ip link set lo up
  mount -t tmpfs tmpfs /tmp
  mount -t tmpfs tmpfs $demo
  cd /
  programs
  "$case" 2>/tmp/stderr || die "$case: $(tail -n 3 /tmp/stderr)"
  [ -s /tmp/log ] || mv /tmp/stderr /tmp/log
  # The build of the kernel is the machine's.
  sed -E 's/(Running on crimg-demo Linux [0-9.]+)[^ ]* .* (x86_64)/\1 \2/; s#^(setcap .*) /.*#\1 /usr/sbin/criu#' /tmp/log >"$logs/${case//_/-}.txt"
  say "$case: $(grep -m 1 -v 'RLIMIT_NOFILE' <(grep Error /tmp/log) || tail -n 1 /tmp/log)"
  exit 0
fi

[ "$(id -u)" -eq 0 ] || die "only root can make criu fail in all these ways"
criu=${CRIMG_CRIU:-$("$repo/test/support/criu.sh")}
mkdir -p "$demo" "$logs"
[ $# -gt 0 ] || mapfile -t names < <(sed -n 's/^\(\(restore\|dump\)_[a-z_]*\)() .*/\1/p' "$0")
for name in "${@:-${names[@]}}"; do
  unshare --pid --fork --kill-child --mount-proc --uts --net --ipc --cgroup "$0" --inside "$criu" "$name" || say "$name gave no log"
done
rmdir "$demo" 2>/dev/null || :
