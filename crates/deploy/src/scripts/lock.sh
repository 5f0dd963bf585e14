# $1 token, $2 seconds to wait, $3 who, $4 why, $5 of what to tell the store, if anything. Holds the lock for as long as this shell lives.
T=$1
mkdir -p "$D/lock" "$D/releases"
exec 8>>"$D/lock/held"
if ! flock -n 8; then
    echo "@waiting $(cat "$D/lock/owner" 2>/dev/null)"
    flock -w "$2" 8 || return 75
fi
# What a client that is gone began comes to its end without it: nothing is looked at before.
if ! flock -n "$D/step" true; then
    echo '@waiting {"who":"an earlier run","reason":"its last step comes to its end"}'
    flock -w "$2" "$D/step" true || return 75
fi
printf '%s' "$T" >"$D/lock/token"
printf '{"who":%s,"reason":%s,"since":"%s"}\n' "$3" "$4" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$D/lock/owner"
echo $$ >"$D/lock/pid"
s=$([ -z "$5" ] || do_store "$5")
echo "@locked $(wc -c 2>/dev/null <"$D/journal")
$s"
