# $1 ask, tell, back or settle, $2 service, $3 seconds to wait for an answer, $4 secret, $5 script for the container, then users.
# Values come by standard input and go on by it: this shell's own commands pass them, so that no argument holds one.
v=$1 s=$2 w=$3 n=$4 inside=$5
shift 5
values=$(cat)
R=$D/releases/$(cat "$D/good" 2>/dev/null)
up() { docker ps -q --filter "label=com.docker.compose.project=$A" --filter "label=com.docker.compose.service=$s" --filter label=com.docker.compose.oneoff=False | head -n 1; }
c=$(up)
if [ -z "$c" ] && [ "$v" != ask ]; then
    # A deploy that was cut off may have left it stopped.
    compose up -d --no-deps --no-build --pull never "$s" >/dev/null 2>&1 || true
    c=$(up)
fi
if [ -z "$c" ]; then
    echo "@password silent"
    [ "$v" = ask ] && exit 0
    echo "no container of $s runs" >&2
    exit 94
fi
for u; do
    printf '%s\n' "$values" | docker exec -i "$c" sh -c "$inside" plimsoll "$v" "$u" "$w" || {
        [ "$v" = ask ] || exit 94
        echo "@password silent"
    }
done
[ "$v" = settle ] || exit 0
# Whoever goes back to an earlier release needs the value that the server takes.
line=$(printf '%s\n' "$values" | sed -n 11p)
for e in "$D"/releases/*/env; do
    case $(cat "$e") in *"$line"*) continue ;; esac
    grep -q "^$n=" "$e" || continue
    { grep -v "^$n=" "$e" || true; printf '%s\n' "$line"; } >"$e.new"
    mv "$e.new" "$e"
    R=${e%/env}
    compose config --hash '*' >"$R/hashes.new" && mv "$R/hashes.new" "$R/hashes"
done
