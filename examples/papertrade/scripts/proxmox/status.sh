#!/usr/bin/env bash
# Shows the guest, its address and its services.
set -euo pipefail

NODE="${PT_NODE:-root@pve}"
GUEST="${PT_GUEST:-140}"
COMPOSE="docker compose -f /srv/papertrade/docker-compose.prod.yml"

echo "guest $GUEST:"
ssh "$NODE" "pct status $GUEST"

echo "address:"
ssh "$NODE" "pct exec $GUEST -- ip -4 addr show dev eth0" | grep -o 'inet [0-9.]*'

echo "services:"
ssh "$NODE" "pct exec $GUEST -- $COMPOSE ps" 2>/dev/null || echo "nothing deployed yet"
