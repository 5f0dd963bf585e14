# Grows the file system at $1 to the size that its disk has now. It stays mounted. Safe to repeat. Exit code 3: nothing was done, and the
# last line says why.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
at=$1
device=$(readlink -f "$(findmnt -nro SOURCE --mountpoint "$at")")
type=$(findmnt -nro FSTYPE --mountpoint "$at")
name=${device##*/}
case $type in
ext2 | ext3 | ext4 | xfs | btrfs) ;;
*) echo "the file system at $at is $type, which is not grown" && exit 3 ;;
esac
if [ -e "/sys/class/block/$name/dm" ]; then
	echo "the file system at $at is on LVM or encrypted, and is grown by hand" && exit 3
fi
if [ -e "/sys/class/block/$name/partition" ]; then
	part=$(cat "/sys/class/block/$name/partition")
	disk=$(basename "$(dirname "$(readlink -f "/sys/class/block/$name")")")
	# The kernel may not have heard of the new size.
	if [ -e "/sys/class/block/$disk/device/rescan" ]; then echo 1 >"/sys/class/block/$disk/device/rescan"; fi
	if ! command -v growpart >/dev/null; then
		command -v apt-get >/dev/null || { echo "there is no growpart to grow the partition with" && exit 3; }
		apt-get -qq -o DPkg::Lock::Timeout=300 update
		apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install cloud-guest-utils
	fi
	# It ends with 1 where there is nothing to grow.
	code=0
	growpart "/dev/$disk" "$part" || code=$?
	[ "$code" -le 1 ] || exit "$code"
elif [ -e "/sys/class/block/$name/device/rescan" ]; then
	echo 1 >"/sys/class/block/$name/device/rescan"
fi
case $type in
ext*) resize2fs "$device" 2>&1 ;;
xfs) xfs_growfs "$at" ;;
btrfs) btrfs filesystem resize max "$at" ;;
esac
