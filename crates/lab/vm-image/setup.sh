# Runs in the root of the disk image of the lab's virtual machines, once its packages are there.
set -eu
rm -f /etc/hostname
: >/etc/machine-id
rm -f /etc/ssh/ssh_host_*
echo 'LABEL=vmroot / ext4 defaults,noatime,errors=remount-ro 0 1' >/etc/fstab
# A seed is an image with its files; nobody is asked over the network.
echo 'datasource_list: [ NoCloud, None ]' >/etc/cloud/cloud.cfg.d/90-lab.cfg
ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

# An emulated timer may be late at the kernel's check of it (`no_timer_check`), and a kernel that gives up starts again.
mkdir -p /boot/grub
cat >/boot/grub/grub.cfg <<'CONFIG'
search --no-floppy --label --set=root vmroot
linux /vmlinuz root=LABEL=vmroot rw console=tty0 console=ttyS0,115200 mitigations=off no_timer_check panic=5
initrd /initrd.img
boot
CONFIG
printf 'search --no-floppy --label --set=root vmroot\nconfigfile ($root)/boot/grub/grub.cfg\n' >/tmp/early.cfg
# A loader that finds its configuration by the label: it is written before the partition, where no file system is.
mkdir -p /usr/lib/plimsoll
grub-mkimage -O i386-pc -o /usr/lib/plimsoll/core.img -c /tmp/early.cfg -p /boot/grub \
	biosdisk part_msdos ext2 search search_label configfile linux normal boot
cp /usr/lib/grub/i386-pc/boot.img /usr/lib/plimsoll/boot.img
rm /tmp/early.cfg
