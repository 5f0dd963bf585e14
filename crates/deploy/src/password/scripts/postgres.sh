super=${POSTGRES_USER:-postgres} db=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} host=$(cat /etc/hostname)
# By the container's own address: the image asks nobody for a password on the loopback one.
try() {
    pg_isready -q -h "$host" -t 3 || return 2
    said=$(PGPASSWORD=$1 PGCONNECT_TIMEOUT=5 psql -X -w -q -h "$host" -U "$user" -d "$db" -tAc 'select 1' 2>&1) && return 0
    case $said in
    *"too many"* | *"starting up"* | *"shutting down"* | *timeout*) return 2 ;;
    *database*"does not exist"*) return 0 ;;
    *) return 1 ;;
    esac
}
other_way() { return 1; }
try_both() { return 0; }
only() { return 0; }
statement() {
    case $1 in old) v=$old_scram ;; *) v=$new_scram ;; esac
    name=$(printf %s "$user" | sed 's/"/""/g')
    # The server is told what it keeps, never the password, and logs neither.
    printf '%s\n' '\set VERBOSITY terse' "SET log_statement = 'none';" 'SET log_min_duration_statement = -1;' \
        "SET log_min_error_statement = 'panic';" '\set ON_ERROR_STOP on' "ALTER ROLE \"$name\" PASSWORD '$v';"
}
give() {
    for who in "$super" "$user"; do
        for at in /var/run/postgresql "$host"; do
            for p in "$known" "$old" "$new"; do
                said=$(statement "$1" | PGPASSWORD=$p PGCONNECT_TIMEOUT=5 psql -X -q -w -h "$at" -U "$who" -d "$db" 2>&1) && return 0
            done
        done
    done
    bye "it does not let $user's password be changed: $(printf '%s\n' "$said" | grep -v SCRAM | tail -n 1)"
}
