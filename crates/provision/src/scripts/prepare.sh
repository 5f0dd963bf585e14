# Makes a Debian or Ubuntu guest ready for deploys. Safe to repeat. $1: the account that deploys; $2: `exact` when keys that were
# brought before and are not among these shall go; input: its public keys.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
user=$1 which=$2
keys=$(cat)
note() { printf '@note %s\n' "$*"; }
own=/var/lib/plimsoll-guest
mkdir -p "$own"; chmod 700 "$own"

# Writes a file from the input unless somebody else changed it since; fails when nothing was written.
put() {
	new=$own/new kept=$own/$(printf %s "$1" | tr / _)
	cat >"$new"
	if [ -e "$1" ] && cmp -s "$new" "$1"; then cp "$new" "$kept"; return 1; fi
	if [ -e "$1" ] && ! { [ -e "$kept" ] && cmp -s "$kept" "$1"; }; then
		note "$1 is somebody else's and stays as it is"; return 1
	fi
	mkdir -p "$(dirname "$1")"
	cp "$new" "$1.plimsoll" && chmod "${2:-644}" "$1.plimsoll" && mv "$1.plimsoll" "$1" && cp "$new" "$kept"
}

updated=
apt() {
	command -v apt-get >/dev/null || { echo "only Debian and Ubuntu are set up; install Docker Engine with Compose by hand" >&2; exit 3; }
	if [ -z "$updated" ]; then apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 update; updated=1; fi
	apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install "$@"
}
known() { apt-cache show "$1" 2>/dev/null | grep -q '^Package:'; }

# A guest that has just booted still sets itself up.
if command -v cloud-init >/dev/null; then cloud-init status --wait >/dev/null 2>&1 || :; fi

if ! command -v dockerd >/dev/null || ! docker compose version >/dev/null 2>&1; then
	command -v apt-get >/dev/null && apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 update && updated=1
	# The signed packages of the distribution; the command line and the builder are some of their own since Debian 13.
	wanted="docker.io ca-certificates zstd"
	if known docker-cli; then wanted="$wanted docker-cli"; fi
	if known docker-buildx; then wanted="$wanted docker-buildx"; fi
	if known docker-compose-v2; then wanted="$wanted docker-compose-v2"; else wanted="$wanted docker-compose"; fi
	# shellcheck disable=SC2086
	apt $wanted
fi
docker compose version >/dev/null 2>&1 || { echo "this distribution has no Compose 2; Debian 13 and Ubuntu 24.04 have" >&2; exit 3; }

if put /etc/docker/daemon.json <<'CONFIG'
{
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "default-address-pools": [{"base": "172.16.0.0/12", "size": 24}]
}
CONFIG
then
	# A restart would stop containers of an engine that did not keep them alive so far.
	if [ -n "$(docker ps -q 2>/dev/null)" ]; then
		systemctl reload docker || note "the Docker Engine takes its new settings at its next start"
	else
		systemctl restart docker
	fi
fi
systemctl -q enable docker 2>/dev/null || :
docker info >/dev/null 2>&1 || systemctl start docker

if ! command -v unattended-upgrade >/dev/null; then
	apt unattended-upgrades >/dev/null 2>&1 || note "unattended security upgrades are not set up: the package cannot be had"
fi
if command -v unattended-upgrade >/dev/null; then
	put /etc/apt/apt.conf.d/20auto-upgrades <<-'CONFIG' || :
		APT::Periodic::Update-Package-Lists "1";
		APT::Periodic::Unattended-Upgrade "1";
	CONFIG
fi

if [ -e /dev/virtio-ports/org.qemu.guest_agent.0 ]; then
	if ! command -v qemu-ga >/dev/null && ! apt qemu-guest-agent >/dev/null 2>&1; then note "the guest agent cannot be had: the package is missing"; fi
	systemctl -q start qemu-guest-agent 2>/dev/null || :
fi
# The seed was read once. Without it a later start would make the guest somebody else.
if [ -e "$own/seeded" ] && [ -d /etc/cloud ]; then touch /etc/cloud/cloud-init.disabled; fi

root=prohibit-password
if [ "$user" != root ]; then
	root=no
	command -v sudo >/dev/null || apt sudo
	id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
	printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$user" | put "/etc/sudoers.d/90-plimsoll" 440 || :
fi
home=$(getent passwd "$user" | cut -d: -f6)
group=$(id -gn "$user")
mkdir -p "$home/.ssh"; touch "$home/.ssh/authorized_keys"
printf '%s\n' "$keys" | while IFS= read -r key; do
	[ -z "$key" ] || grep -qxF -- "$key" "$home/.ssh/authorized_keys" || printf '%s\n' "$key" >>"$home/.ssh/authorized_keys"
done
brought=$own/keys-$user
if [ "$which" = exact ] && [ -e "$brought" ]; then
	# What people wrote there by hand was never brought, and stays.
	printf '%s\n' "$keys" >"$own/new"
	grep -vxF -f "$own/new" "$brought" >"$own/gone" || :
	if [ -s "$own/gone" ]; then
		grep -vxF -f "$own/gone" "$home/.ssh/authorized_keys" >"$own/new" || :
		cat "$own/new" >"$home/.ssh/authorized_keys"
	fi
fi
if [ "$which" = add ] && [ -e "$brought" ]; then cat "$brought"; fi >"$own/new"
printf '%s\n' "$keys" >>"$own/new"
sort -u "$own/new" >"$brought"
chmod 700 "$home/.ssh"; chmod 600 "$home/.ssh/authorized_keys"; chown -R "$user:$group" "$home/.ssh"

if [ -d /etc/ssh/sshd_config.d ]; then
	if put /etc/ssh/sshd_config.d/10-plimsoll.conf <<-CONFIG
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin $root
	CONFIG
	then
		if sshd -t; then systemctl reload ssh 2>/dev/null || systemctl try-restart ssh
		else rm /etc/ssh/sshd_config.d/10-plimsoll.conf; note "sshd does not take the settings for logins by key only"; fi
	fi
fi

for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
docker info >/dev/null
printf '@ready %s %s\n' "$(docker version --format '{{.Server.Version}}')" "$(docker compose version --short)"
