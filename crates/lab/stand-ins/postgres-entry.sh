#!/bin/sh
# Stand-in for the entry of the official postgres image: the first start makes the database that the environment describes.
set -eu

# VALUE, or what the file named by VALUE_FILE holds.
value() {
    eval "direct=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$file" ]; then cat "$file"; else printf '%s' "${direct:-${2:-}}"; fi
}

case "${1:-postgres}" in -*) set -- postgres "$@" ;; esac
if [ "$1" != postgres ]; then exec "$@"; fi

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /run/postgresql
    chown postgres:postgres /run/postgresql
    find "$PGDATA" ! -user postgres -exec chown postgres:postgres {} +
    chmod 0700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=$(value POSTGRES_USER postgres)
    database=$(value POSTGRES_DB "$user")
    password=$(value POSTGRES_PASSWORD)
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        echo "error: the database is empty and POSTGRES_PASSWORD is not set" >&2
        exit 1
    fi
    secret=$(mktemp)
    printf '%s\n' "$password" > "$secret"
    # shellcheck disable=SC2086
    initdb --username="$user" ${password:+--pwfile="$secret"} --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
    rm -f "$secret"
    echo "host all all all $method" >> "$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
    pg_ctl --wait --silent -o "-c listen_addresses=''" start
    if [ "$database" != postgres ]; then createdb --username="$user" "$database"; fi
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) . "$file" ;;
            *.sql) psql --no-psqlrc -v ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$file" ;;
            *.sql.gz) gunzip -c "$file" | psql --no-psqlrc -v ON_ERROR_STOP=1 --username="$user" --dbname="$database" ;;
        esac
    done
    pg_ctl --wait --silent --mode=fast stop
fi
exec "$@"
