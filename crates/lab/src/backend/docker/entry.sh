# First process of a guest: makes the guest's disk its root, and gives its place to the guest's own init.
# Arguments: the mount points, as pairs of disk and path. From the environment: MAC, GATEWAY, BARE.
# It runs in busybox, which needs no library: at its end no file of the image is left.
set -e
box=/usr/bin/busybox
disks=/guest/disks
root=$disks/rootfs

if [ ! -e "$root/sbin/init" ] && [ ! -L "$root/sbin/init" ]; then
    echo "the template has no /sbin/init" >&2
    exit 70
fi
# Docker has set the address. Routes, and cards without an address, are the guest's configuration.
if [ -e /sys/class/net/eth0 ]; then
    if [ -n "$MAC" ]; then $box ip link set dev eth0 address "$MAC"; fi
    if [ "$BARE" = 1 ]; then $box ip addr flush dev eth0; fi
    while $box ip route del default 2>/dev/null; do :; done
    if [ -n "$GATEWAY" ]; then $box ip route add default via "$GATEWAY"; fi
fi

# To a container that is not called privileged they are shown for reading only.
for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -d "$folder" ] || continue
    $box mount -o remount,rw,bind "$folder" 2>/dev/null || $box mount -o remount,rw "$folder" 2>/dev/null || :
done
# Where the engine gives control groups of version 1, systemd keeps its own tree in one of version 2 beside them.
if [ ! -e /sys/fs/cgroup/cgroup.procs ] && [ ! -d /sys/fs/cgroup/unified ]; then
    $box mkdir /sys/fs/cgroup/unified
    $box mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified || $box rmdir /sys/fs/cgroup/unified
fi

$box mount -o bind "$root" "$root"
while [ $# -gt 1 ]; do
    $box mkdir -p "$root/$2"
    $box mount -o bind "$disks/$1" "$root/$2"
    shift 2
done
for folder in proc sys dev run; do
    [ -d "$root/$folder" ] || $box mkdir "$root/$folder"
done
$box mount -o move /proc "$root/proc"
$box mount -o move /sys "$root/sys"
# The engine's folder may show more devices; a guest has those that every container of a node has.
dev=$root/dev
$box mount -t tmpfs -o mode=755,nosuid tmpfs "$dev"
for one in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229; do
    name=${one%%:*} numbers=${one#*:}
    $box mknod -m 666 "$dev/$name" c "${numbers%:*}" "${numbers#*:}"
done
$box mkdir "$dev/pts" "$dev/shm" "$dev/net" "$dev/mqueue"
$box mknod -m 666 "$dev/net/tun" c 10 200
$box mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$dev/pts"
$box mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$dev/shm"
$box ln -s pts/ptmx "$dev/ptmx"
$box ln -s /proc/self/fd "$dev/fd"
for one in stdin:0 stdout:1 stderr:2; do
    $box ln -s "/proc/self/fd/${one#*:}" "$dev/${one%:*}"
done

echo "the guest begins"
# The image goes where the guest puts its own files of the running system, and is gone before that.
cd "$root"
$box pivot_root . run
unset SCRIPT MAC GATEWAY BARE
/run$box umount -l /run
exec /sbin/init </dev/null >/dev/null 2>&1
