#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The README's two commands on a bare Debian:   sudo tests/portability/fresh_debian.sh 12|13 [FOLDER]
# Makes a minimal root with debootstrap in FOLDER (default: a temporary one), copies the checked-out commit in, runs
# ./momap demo and ./momap test there, and prints times and what had to be installed.
set -euo pipefail
release=${1:?usage: fresh_debian.sh 12|13 [FOLDER]}
case $release in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) echo "fresh_debian.sh: '$release' is not a release; expected 12 or 13" >&2; exit 2 ;;
esac
[[ $EUID == 0 ]] || { echo "fresh_debian.sh: needs root for debootstrap and chroot" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "fresh_debian.sh: needs debootstrap (apt install debootstrap)" >&2; exit 2; }
source=$(cd "$(dirname "$0")/../.." && pwd)
root=${2:-$(mktemp -d)}

mounts=(proc sys dev)
unmount() { for ((i = ${#mounts[@]} - 1; i >= 0; --i)); do umount -l "$root/${mounts[i]}" 2>/dev/null || true; done; }
trap unmount EXIT

seconds() { date +%s; }
begun=$(seconds)
if [[ ! -e $root/etc/debian_version ]]; then
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" http://deb.debian.org/debian >"$root.bootstrap.log" 2>&1 ||
    { tail -n 20 "$root.bootstrap.log" >&2; exit 1; }
fi
echo "bare Debian $(cat "$root/etc/debian_version"): $(($(seconds) - begun)) s, $(chroot "$root" dpkg-query -f '.\n' -W | wc -l) packages"
# Proxy settings of this machine's apt serve the new root as well.
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
for m in "${mounts[@]}"; do mkdir -p "$root/$m"; mount --rbind "/$m" "$root/$m"; mount --make-rslave "$root/$m"; done
rm -rf "$root/momap" && mkdir "$root/momap"
git -C "$source" archive HEAD | tar -x -C "$root/momap"

before=$(chroot "$root" dpkg-query -f '.\n' -W | wc -l)
for command in demo test; do
  begun=$(seconds)
  chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LC_ALL=C.UTF-8 \
    bash -c "cd /momap && ./momap $command" >"$root.$command.log" 2>&1 ||
    { tail -n 60 "$root.$command.log" >&2; echo "./momap $command FAILED on Debian $release after $(($(seconds) - begun)) s" >&2; exit 1; }
  echo "./momap $command: $(($(seconds) - begun)) s"
  tail -n 3 "$root.$command.log"
done
echo "installed on top: $(($(chroot "$root" dpkg-query -f '.\n' -W | wc -l) - before)) packages:" \
  "$(sed -n 's/^momap: installing \(.*\) (apt)/\1/p' "$root".demo.log "$root".test.log | tr '\n' ' ')"
