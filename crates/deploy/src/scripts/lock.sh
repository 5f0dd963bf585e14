# Holds the lock for as long as somebody sends a byte now and then. The holder is gone half a minute after its client.
A=$1 D=/var/lib/plimsoll/$1 T=$2 wait=$3 who=$4 reason=$5
umask 077
mkdir -p "$D/lock" "$D/releases"
exec 8>>"$D/lock/held"
if ! flock -n 8; then
    echo "@waiting $(cat "$D/lock/owner" 2>/dev/null)"
    flock -w "$wait" 8 || exit 75
fi
printf '%s' "$T" >"$D/lock/token"
printf '{"who":%s,"reason":%s,"since":"%s"}\n' "$who" "$reason" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$D/lock/owner"
echo $$ >"$D/lock/pid"
echo "@locked $(wc -c 2>/dev/null <"$D/journal")"
while x=$(timeout 30 head -c 1 8>&-) && [ -n "$x" ]; do :; done
[ "$(cat "$D/lock/token")" = "$T" ] && rm -f "$D/lock/token" "$D/lock/owner" "$D/lock/pid"
exit 0
