# Gives the guest a host key of its own. $1: `make` it beside the old one and print its fingerprint, or `use` it. Safe to repeat.
set -eu
key=/etc/ssh/ssh_host_ed25519_key
case $1 in
make)
	[ -e "$key.new" ] || ssh-keygen -q -t ed25519 -N '' -C "root@$(hostname)" -f "$key.new"
	ssh-keygen -l -E sha256 -f "$key.new.pub" | cut -d' ' -f2
	;;
use)
	[ -e "$key.new" ] || exit 0
	mv "$key.new.pub" "$key.pub"
	mv "$key.new" "$key"
	sshd -t
	systemctl reload ssh
	# Connections from now on are answered with the new key.
	sleep 1
	;;
esac
