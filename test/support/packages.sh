#!/bin/sh
# Installs what the tests run and build, all of it: the packages of packages.txt, by apt, and a CRIU (criu.sh).
# Only what is missing, and no service is started: a policy-rc.d forbids it while apt is at work.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "packages.sh: $*" >&2; }

install() {
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
}

missing=$(while read -r word file package; do
  case $word in "" | "#"*) continue ;; esac
  [ -e "$file" ] || echo "$package"
done <"$here/packages.txt" | sort -u)
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || install $missing
"$here/criu.sh" >&2
