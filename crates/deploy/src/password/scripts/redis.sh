cli=$(command -v redis-cli || command -v valkey-cli) as=
[ "$user" = default ] || as="--user $user"
call() { p=$1; shift; REDISCLI_AUTH=$p "$cli" $as "$@" 2>&1; }
try() {
    case $(call "$1" ping) in
    *WRONGPASS* | *NOAUTH* | *"AUTH failed"*) return 1 ;;
    *PONG* | *NOPERM*) return 0 ;;
    *) return 2 ;;
    esac
}
other_way() { return 1; }
# Both are taken until the end, also by a server that has just started with one of them.
try_both() { give old; }
# It is told digests only.
acl() {
    said=$(printf 'ACL SETUSER %s %s\n' "$user" "$1" | call "$known")
    case $said in *OK*) ;; *) return 1 ;; esac
    printf 'ACL SAVE\n' | call "$known" >/dev/null 2>&1
    return 0
}
give() {
    case $1 in old) h=$old_digest ;; *) h=$new_digest ;; esac
    acl "#$h" && return 0
    case $said in
    *"unknown command"*) bye "it is older than version 6 and knows one password only" ;;
    *NOPERM*) bye "$user may not change passwords" ;;
    *) bye "it does not let $user's password be changed" ;;
    esac
}
only() {
    case $1 in old) known=$old h=$new_digest ;; *) known=$new h=$old_digest ;; esac
    acl "!$h" || bye "it does not let $user's password be changed"
}
