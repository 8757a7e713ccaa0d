#!/bin/sh
# Unpacks a working CRIU and crit beside the system and prints the path of its `criu` wrapper.
#
#   CRIMG_CRIU=$(test/support/criu.sh)
#
# Debian 12's CRIU 3.17.1 aborts on current kernels. Debian 13's 4.1.1 works, but on Linux 6.16 and later it can dump
# no inet socket ("Can't get 1:16 opt"); 4.2 can, which comes with Debian 14. Both need newer libraries than
# Debian 12 has, so the packages are unpacked, not installed, and run through their own loader with their own
# libraries. The mirror is the one that this machine's apt is configured with. Needs no root. Progress: stderr.
# CRIMG_CRIU_DIR: where to keep it (default: .cache/criu of the repository).
# CRIMG_CRIU_SUITE: Debian suites to take it from, the first that has it (default: forky trixie).
set -eu

suites=${CRIMG_CRIU_SUITE:-forky trixie}
repo=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${CRIMG_CRIU_DIR:-$repo/.cache/criu}"
dir=$(cd "${CRIMG_CRIU_DIR:-$repo/.cache/criu}" && pwd)

say() { echo "criu.sh: $*" >&2; }
die() { say "$*"; exit 1; }

works() { "$dir/criu" --version >/dev/null 2>&1 && [ -x "$dir/crit" ]; }
# What is there stays as long as it works and is of one of the suites that are asked for now.
current() {
  [ -e "$dir/suite" ] || return 1
  case " $suites " in *" $(cat "$dir/suite") "*) works ;; *) return 1 ;; esac
}
finish() { echo "$dir/criu"; exit 0; }

# The wrappers are put in place last, so they exist only after a complete run.
current && finish
for tool in apt-get dpkg-deb flock tar; do
  command -v "$tool" >/dev/null || die "$tool is missing: this script needs a Debian or a Debian container"
done
exec 9>"$dir/lock"
flock -w 600 9 || die "another run has held $dir/lock for ten minutes"
current && finish

apt=$dir/apt
rm -rf "$apt"
mkdir -p "$apt/etc" "$apt/state/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"

# The machine's apt with its proxies and methods, but with a source and a package database of its own.
own_apt() {
  apt-get -qq -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/etc" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::Retries=3 "$@" </dev/null >&2 9>&-
}

keyring=
for file in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
  [ -e "$file" ] && keyring=$file && break
done
[ -n "$keyring" ] || die "no Debian archive keyring in /usr/share/keyrings (package debian-archive-keyring)"

# apt itself says which archives it is configured with: '<mirror>/dists/<codename>/InRelease' ...
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "/etc/os-release names no VERSION_CODENAME"
mirrors=$(apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | sort -u)
[ -n "$mirrors" ] || die "apt's configuration names no mirror for $codename"

# try SUITE MIRROR: downloads the packages, if they are there
try() {
  say "asking $2 for $1"
  rm -rf "$apt/state/lists"
  mkdir -p "$apt/state/lists/partial"
  echo "deb [signed-by=$keyring] $2 $1 main" >"$apt/etc/debian.list"
  own_apt update && own_apt install --yes --download-only --no-install-recommends criu python3-pycriu
}

found=
for suite in $suites; do
  for mirror in $mirrors; do
    try "$suite" "$mirror" && found=1 && break 2
  done
done
[ -n "$found" ] || die "no configured mirror has CRIU for $suites: $mirrors"

root=$dir/$suite
rm -rf "$root"
mkdir "$root"
say "unpacking into $root"
for deb in "$apt"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" |
    tar -x -C "$root" --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' \
      --exclude='./usr/share/locale' --exclude='./usr/share/zoneinfo' --exclude='./usr/share/i18n'
done
rm -rf "$apt"

loader=$(cd "$root" && find usr/lib -name 'ld-linux*.so.*' | head -n 1)
[ -n "$loader" ] || die "the unpacked libc6 has no loader"
libs=$(dirname "$loader")

# wrapper NAME ENVIRONMENT PROGRAM...: a script that finds its tree by its own place, so the cache may be moved
wrapper() {
  name=$1 environment=$2 program=$3
  cat >"$dir/$name.new" <<END
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/$suite
exec ${environment}"\$root/$loader" --library-path "\$root/$libs" $program "\$@"
END
  chmod 755 "$dir/$name.new"
  mv "$dir/$name.new" "$dir/$name"
}
wrapper crit "env PYTHONHOME=\"\$root/usr\" PYTHONDONTWRITEBYTECODE=1 " \
  "\"\$root/usr/bin/python3\" \"\$root/usr/bin/crit\""
wrapper criu "" "\"\$root/usr/sbin/criu\""

echo "$suite" >"$dir/suite"

works || die "the unpacked CRIU does not start: $("$dir/criu" --version 2>&1 | head -n 1)"
say "$("$dir/criu" --version | head -n 1) in $dir"
finish
