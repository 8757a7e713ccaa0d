#!/bin/sh
# Installs what the end-to-end tests run and build: redis-server, nginx, python3 (with sqlite), sqlite3, lz4, mkfs.xfs,
# strace, gcc.
# Only what is missing, and no service is started: a policy-rc.d forbids it while apt is at work.
set -eu

say() { echo "packages.sh: $*" >&2; }

# Debian's package names and the file that shows that one is there.
missing=$(while read -r package file; do [ -x "$file" ] || echo "$package"; done <<END
redis-server /usr/bin/redis-server
nginx /usr/sbin/nginx
python3 /usr/bin/python3
sqlite3 /usr/bin/sqlite3
lz4 /usr/bin/lz4
xfsprogs /usr/sbin/mkfs.xfs
strace /usr/bin/strace
gcc /usr/bin/gcc
END
)
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
# shellcheck disable=SC2086 # a list of words
set -- $missing
[ $# -eq 0 ] && exit 0
[ "$(id -u)" -eq 0 ] || { say "missing: $*; run this as root to install them"; exit 1; }

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
say "installing $*"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >&2
apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@" >&2
