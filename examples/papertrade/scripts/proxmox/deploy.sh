#!/usr/bin/env bash
# Puts the working tree into the guest and starts it there.
set -euo pipefail

NODE="${PT_NODE:-root@pve}"
GUEST="${PT_GUEST:-140}"
ROOT="$(cd "$(dirname "$0")/../.." && pwd)"
TARGET=/srv/papertrade
COMPOSE="docker compose -f $TARGET/docker-compose.prod.yml"

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_guest() {
    ssh "$NODE" "pct status $GUEST" >/dev/null 2>&1 || die "guest $GUEST does not exist; run task proxmox:create-container"
    if [ "$(ssh "$NODE" "pct status $GUEST")" != "status: running" ]; then
        say "starting guest $GUEST"
        ssh "$NODE" "pct start $GUEST"
        sleep 8
    fi
}

ship_tree() {
    say "packing the working tree"
    tar -C "$ROOT" -czf /tmp/papertrade-release.tgz \
        --exclude=.git --exclude=node_modules --exclude=.venv --exclude='*.pyc' \
        --exclude=.env.local \
        .
    scp -q /tmp/papertrade-release.tgz "$NODE:/tmp/papertrade-release.tgz"
    ssh "$NODE" "pct exec $GUEST -- mkdir -p $TARGET"
    ssh "$NODE" "pct push $GUEST /tmp/papertrade-release.tgz /root/release.tgz"
    ssh "$NODE" "pct exec $GUEST -- tar -xzf /root/release.tgz -C $TARGET 2>&1 | grep -v 'time stamp' || true"
    ssh "$NODE" "pct exec $GUEST -- rm /root/release.tgz"
    rm /tmp/papertrade-release.tgz
}

write_settings() {
    say "writing the settings"
    local market_key=NO_KEY_YET
    if [ -f "$ROOT/.env" ]; then
        market_key=$(grep MARKET_DATA_API_KEY "$ROOT/.env" | cut -d= -f2)
    fi
    cat >/tmp/papertrade-settings.env <<SETTINGS
DB_PASSWORD=$(openssl rand -base64 24)
SECRET_KEY=$(openssl rand -hex 32)
MARKET_DATA_API_KEY=$market_key
SETTINGS
    scp -q /tmp/papertrade-settings.env "$NODE:/tmp/papertrade-settings.env"
    ssh "$NODE" "pct push $GUEST /tmp/papertrade-settings.env $TARGET/.env"
    ssh "$NODE" "rm /tmp/papertrade-settings.env"
    rm /tmp/papertrade-settings.env
}

# The backend's own Dockerfile does not build here, so another one takes its place.
replace_dockerfile() {
    say "replacing backend/Dockerfile"
    cat >/tmp/papertrade.Dockerfile <<'DOCKERFILE'
FROM python:3.12-slim AS build
WORKDIR /app
COPY pyproject.toml README.md alembic.ini ./
COPY papertrade ./papertrade
COPY migrations ./migrations
RUN pip install --no-cache-dir .

FROM python:3.12-slim AS run
WORKDIR /app
COPY --from=build /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages
COPY --from=build /app /app
EXPOSE 8000
CMD ["uvicorn", "papertrade.main:app", "--host", "0.0.0.0", "--port", "8000"]
DOCKERFILE
    scp -q /tmp/papertrade.Dockerfile "$NODE:/tmp/papertrade.Dockerfile"
    ssh "$NODE" "pct push $GUEST /tmp/papertrade.Dockerfile $TARGET/backend/Dockerfile"
    ssh "$NODE" "rm /tmp/papertrade.Dockerfile"
    rm /tmp/papertrade.Dockerfile
}

start_release() {
    say "building and starting"
    ssh "$NODE" "pct exec $GUEST -- bash -c 'cd $TARGET && docker compose -f docker-compose.prod.yml up -d --build'"
    sleep 12
    say "migrating the database"
    ssh "$NODE" "pct exec $GUEST -- $COMPOSE exec -T api alembic upgrade head" \
        || say "the migration said no; fine when the tables are there already"
}

show_result() {
    ssh "$NODE" "pct exec $GUEST -- $COMPOSE ps"
    local address
    address=$(ssh "$NODE" "pct exec $GUEST -- hostname -I" | awk '{print $1}')
    say "papertrade is live at http://$address/"
    say "API documentation: http://$address:8000/docs"
}

need_guest
ship_tree
write_settings
replace_dockerfile
start_release
show_result
