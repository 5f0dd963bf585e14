# What there is: lines of `@kind value`. Changes nothing.
A=$1 D=/var/lib/plimsoll/$1 depth=$2
echo "@engine $(docker version --format '{{.Server.Version}}' 2>/dev/null)"
echo "@compose $(docker compose version --short 2>/dev/null)"
echo "@free $(df -Pk /var/lib/docker 2>/dev/null | awk 'NR==2 {print $4}')"
docker image ls --no-trunc --format '@image {{.ID}} {{.Repository}}:{{.Tag}}' 2>/dev/null
ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$A" 2>/dev/null)
[ -z "$ids" ] || docker inspect --format '@container {"id":{{json .ID}},"name":{{json .Name}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},"hash":{{json (index .Config.Labels "com.docker.compose.config-hash")}},"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}},"image":{{json .Image}},"status":{{json .State.Status}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}},"exit":{{.State.ExitCode}},"restarts":{{.RestartCount}},"started":{{json .State.StartedAt}}}' $ids 2>/dev/null
[ -d "$D" ] || exit 0
if [ -s "$D/lock/token" ]; then
    # A lock that nobody holds is none.
    flock -n "$D/lock/held" true 2>/dev/null || echo "@lock $(cat "$D/lock/owner" 2>/dev/null)"
fi
good=$(cat "$D/good" 2>/dev/null)
echo "@good $good"
echo "@length $(wc -c 2>/dev/null <"$D/journal")"
for r in "$D"/releases/*/release.json; do
    [ -f "$r" ] || continue
    n=${r%/release.json} n=${n##*/}
    echo "@number $n"
    if [ "$depth" = all ] || [ "$n" = "$good" ]; then echo "@release $(cat "$r")"; fi
done
if [ "$depth" = all ]; then
    cat "$D/journal"
else
    grep -F '"pause":' "$D/journal" | tail -n 20
    tail -n 12 "$D/journal"
fi 2>/dev/null | sed 's/^/@journal /'
for c in "$D"/contexts/*/root; do
    [ -f "$c" ] || continue
    n=${c%/root}
    echo "@context ${n##*/} $(cat "$c")"
done
for f in "$D"/files/*; do
    [ -d "$f" ] || continue
    echo "@file ${f##*/}"
done
exit 0
