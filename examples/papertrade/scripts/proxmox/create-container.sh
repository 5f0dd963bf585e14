#!/usr/bin/env bash
# Makes the guest that papertrade lives in and puts Docker into it.
set -euo pipefail

NODE="${PT_NODE:-root@pve}"
GUEST="${PT_GUEST:-140}"
NAME="${PT_NAME:-papertrade}"
MEMORY="${PT_MEMORY:-4096}"
CORES="${PT_CORES:-2}"
DISK="${PT_DISK:-24}"
TEMPLATE="debian-12-standard_12.7-1_amd64.tar.zst"

say() { printf '==> %s\n' "$*"; }

refuse_existing() {
    if ssh "$NODE" "pct status $GUEST" >/dev/null 2>&1; then
        say "guest $GUEST is there already; choose another number with PT_GUEST"
        exit 1
    fi
}

fetch_template() {
    if ! ssh "$NODE" "test -f /var/lib/vz/template/cache/$TEMPLATE"; then
        say "fetching $TEMPLATE"
        ssh "$NODE" "pveam download local $TEMPLATE"
    fi
}

make_guest() {
    say "making guest $GUEST"
    ssh "$NODE" "pct create $GUEST local:vztmpl/$TEMPLATE \
        --hostname $NAME \
        --cores $CORES \
        --memory $MEMORY \
        --rootfs local-lvm:$DISK \
        --net0 name=eth0,bridge=vmbr0,ip=dhcp \
        --features nesting=1,keyctl=1 \
        --unprivileged 0 \
        --onboot 1"
    ssh "$NODE" "pct start $GUEST"
    say "giving it time to boot"
    sleep 15
}

install_docker() {
    say "installing Docker in the guest"
    ssh "$NODE" "pct exec $GUEST -- apt-get update"
    ssh "$NODE" "pct exec $GUEST -- apt-get install -y ca-certificates curl"
    ssh "$NODE" "pct exec $GUEST -- sh -c 'curl -fsSL https://get.docker.com | sh'"
    ssh "$NODE" "pct exec $GUEST -- docker version"
}

refuse_existing
fetch_template
make_guest
install_docker
say "guest $GUEST is ready; next: task proxmox:deploy"
