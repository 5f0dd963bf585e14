# What the example's builds begin with. Stand-ins for official images are loaded already; here they get what they need
# to install packages from where this machine does, and the programs of the variants that the example names.
# Standard input: a tar of the machine's certificates (ca.crt), its settings for pip (pip.conf) and for apt (apt.conf).
set -eu
mkdir -p /srv/bases/uv
cd /srv/bases
tar -xf -
# Copied by the example's image, and never run.
printf '#!/bin/sh\nexit 1\n' >uv/uv
chmod 755 uv/uv
tar -C uv -c uv | docker import - astral/uv:latest >/dev/null
docker build --quiet --tag python:3.12-slim --file - . >/dev/null <<'D'
FROM python:3.12-slim
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
COPY apt.conf /etc/apt/apt.conf.d/50machine
D
# The Alpine variant has BusyBox's wget, which asks the first address of a name only.
cp "$(command -v busybox)" busybox
docker build --quiet --tag nginx:alpine --file - . >/dev/null <<'D'
FROM nginx:alpine
COPY busybox /usr/bin/busybox
RUN ln -sf busybox /usr/bin/wget
D
# A workstation and a node in one: the example's scripts find the guest they run in at the end of `ssh` and `pct`.
mkdir -p shims /srv/node/tmp
cat >shims/ssh <<'S'
#!/bin/sh
# The last argument is the command. The node's /tmp is another than the workstation's.
for command; do :; done
exec unshare --mount sh -c 'mount --bind /srv/node/tmp /tmp && exec bash -c "$1"' sh "$command"
S
cat >shims/scp <<'S'
#!/bin/sh
for to; do from=${last-}; last=$to; done
exec cp "$from" "/srv/node${to#*:}"
S
cat >shims/pct <<'S'
#!/bin/sh
case $1 in
status) echo "status: running" ;;
push) exec cp "$3" "$4" ;;
exec) shift 3; exec "$@" ;;
*) exit 2 ;;
esac
S
chmod 755 shims/*
