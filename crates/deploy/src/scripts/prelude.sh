A=$1 D=/var/lib/plimsoll/$1 T=$2 N=$3 S=$4
shift 4
umask 077
if [ "$(cat "$D/lock/token" 2>/dev/null)" != "$T" ]; then
    echo "the lock was taken away" >&2
    exit 97
fi
# Nothing that an earlier deploy started may still be at work.
exec 9>>"$D/step"
flock -w 90 9 || { echo "a step of an earlier deploy is still running" >&2; exit 98; }
note() { printf '{"at":"%s","run":"%s","release":%s,"step":"%s","phase":"%s"%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$T" "$N" "$S" "$1" "$2" >>"$D/journal"; }
rm -f "$D/pause"
note begin
(
set -e
compose() { docker compose -p "$A" -f "$R/compose.json" --env-file "$R/env" "$@"; }
