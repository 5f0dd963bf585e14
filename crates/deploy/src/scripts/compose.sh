A=$1 D=/var/lib/plimsoll/$1
shift
n=$(cat "$D/good" 2>/dev/null)
[ -n "$n" ] || { echo "$A is not deployed here" >&2; exit 1; }
exec docker compose -p "$A" -f "$D/releases/$n/compose.json" --env-file "$D/releases/$n/env" "$@"
