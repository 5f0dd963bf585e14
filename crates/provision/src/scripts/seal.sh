# Leaves in a guest nothing that tells it from another one, before it becomes a template. Safe to repeat. The host key stays: it is what
# a clone of a container shows until it made its own. A machine reads a seed of its own at its first start.
set -eu
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
systemctl stop docker.socket docker containerd 2>/dev/null || :
rm -f /var/lib/docker/engine-id /etc/docker/key.json
find /etc/ssh -maxdepth 1 -name 'ssh_host_*' ! -name 'ssh_host_ed25519_key*' -delete
rm -f /etc/ssh/ssh_host_ed25519_key.new /etc/ssh/ssh_host_ed25519_key.new.pub
if [ -e /var/lib/plimsoll-guest/seeded ]; then
	cloud-init clean --logs
	rm -f /var/lib/plimsoll-guest/seeded /etc/cloud/cloud-init.disabled
	rm -f /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init
fi
if [ -e /etc/machine-id ]; then : >/etc/machine-id; fi
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
rm -rf /var/lib/dhcp/* /var/log/journal/* /root/.bash_history
if command -v apt-get >/dev/null; then apt-get -qq clean; fi
find /var/log -type f -exec truncate -s 0 {} +
sync
