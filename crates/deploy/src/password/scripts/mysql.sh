cli=$(command -v mariadb || command -v mysql) at="-h 127.0.0.1 --protocol=TCP"
run() { p=$1; shift; MYSQL_PWD=$p "$cli" $at --connect-timeout=5 -u "$user" -N -B "$@" 2>&1; }
try() {
    said=$(run "$1" -e 'select 1') && return 0
    case $said in
    *"ERROR 2"* | *"ERROR 1040"*) return 2 ;;
    *"ERROR 1820"*) return 0 ;;
    *) return 1 ;;
    esac
}
# An account may be good for the socket only.
other_way() { [ -n "$at" ] || return 1; at=; }
try_both() { return 0; }
# Every account of the user's name, or the one that is logged in where others may not be seen.
accounts() {
    name=$(printf %s "$user" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")
    all=$(printf "select concat(quote(user), '@', quote(host)) from mysql.user where user = '%s';\n" "$name" | run "$known") && [ -n "$all" ] && { printf '%s\n' "$all"; return; }
    echo 'CURRENT_USER()'
}
# One session for all accounts: its own may be among them. Of an error only its number is shown: the text quotes.
tell() { said=$(printf '%s\n' "SET SESSION sql_mode = '';" "$1" | run "$known" $2); }
# A statement for each account, whose name stands between the two parts.
all() { accounts | while IFS= read -r who; do printf '%s%s%s;\n' "$1" "$who" "$2"; done; }
refused() {
    bye "it does not let $user's password be changed: $(printf '%s\n' "$said" | sed -n 's/^\(ERROR [0-9]*\).*/\1/p' | tail -n 1)"
}
is_mariadb() { run "$known" -e 'select version()' | grep -q MariaDB; }
give() {
    case $1 in old) l=$old_literal h=$old_native ;; *) l=$new_literal h=$new_native ;; esac
    if is_mariadb; then
        # It is told what it keeps, never the password.
        case $(accounts) in
        'CURRENT_USER()') tell "SET PASSWORD = '$h';" || refused ;;
        # An account of a host's name is none where names are not looked up. Logging in tells whether it worked.
        *) tell "$(all 'SET PASSWORD FOR ' " = '$h'")" --force || true ;;
        esac
        return 0
    fi
    # MySQL from 8.0.14 takes both until the old one is discarded, where the account may ask for that.
    tell "$(all 'ALTER USER ' " IDENTIFIED BY $l RETAIN CURRENT PASSWORD")" && return 0
    tell "$(all 'ALTER USER ' " IDENTIFIED BY $l")" || refused
}
only() {
    case $1 in old) known=$old l=$old_literal ;; *) known=$new l=$new_literal ;; esac
    is_mariadb && return 0
    tell "$(all 'ALTER USER ' " IDENTIFIED BY $l")" || refused
    tell "$(all 'ALTER USER ' ' DISCARD OLD PASSWORD')" || refused
}
