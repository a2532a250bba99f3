#!/usr/bin/env bash
# Becomes a container, as a runtime would make one: called in new mount and network namespaces, it puts together a root
# file system, waits until the harness has connected the network, and becomes the program.
#   container.sh BASE ADDRESS IMAGE MOUNTS USER:GROUP READONLY VARIABLES [NAME=VALUE…] PROGRAM [ARGUMENT…]
# BASE: an empty directory; IMAGE: a root file system, or nothing; MOUNTS: a file, a line each: source, target, ro or rw.
set -eu
base=$1 address=$2 image=$3 mounts=$4 identity=$5 readonly=$6 count=$7
shift 7
variables=("${@:1:count}")
shift "$count"

mount -t tmpfs -o mode=755 tmpfs "$base"
root="$base/root"
mkdir "$root" "$base/changed" "$base/work"
if [ -n "$image" ]; then
  mount -t overlay -o "lowerdir=$image,upperdir=$base/changed,workdir=$base/work" overlay "$root"
else
  mount --bind "$root" "$root"
fi
mkdir -p "$root/dev" "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
while IFS=$'\t' read -r source target access; do
  if [ -L "$source" ] && [ "$access" = link ]; then
    cp -P "$source" "$root$target"
    continue
  elif [ -d "$source" ]; then
    mkdir -p "$root$target"
  else
    mkdir -p "$(dirname "$root$target")"
    touch "$root$target"
  fi
  mount --bind "$source" "$root$target"
  [ "$access" = rw ] || mount -o remount,bind,ro "$root$target"
done <"$mounts"
[ "$readonly" = rw ] || mount -o remount,bind,ro "$root"

echo apart
read -r _
ip link set lo up
ip address add "$address/16" dev eth0
ip link set eth0 up
ip route add default via 10.88.0.1

# Where the user namespace has one user, there is nobody else to become.
user=("--userspec=$identity" "--groups=${identity#*:}")
[ "$(awk '{ print $3 }' /proc/self/uid_map)" != 1 ] || user=()
exec env -i "${variables[@]}" "$(command -v setpriv)" --no-new-privs "$(command -v chroot)" "${user[@]}" "$root" "$@"
