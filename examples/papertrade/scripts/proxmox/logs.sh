#!/usr/bin/env bash
# Follows the logs of all services, or of the one that is named.
set -euo pipefail

NODE="${PT_NODE:-root@pve}"
GUEST="${PT_GUEST:-140}"
SERVICE="${1:-}"

ssh "$NODE" "pct exec $GUEST -- docker compose -f /srv/papertrade/docker-compose.prod.yml logs -f $SERVICE"
