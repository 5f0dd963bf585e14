# What there is, compressed: lines of `@kind value`. Changes nothing. $1 now, or all releases and the whole journal; then the
# built images that are of interest, or nothing for all of the app and for exact versions, which cost more.
depth=$1
shift
own=" $* " engine=
exec 2>/dev/null
{
    if [ "$own" != "  " ] && c=$(plugin compose); then
        echo "@compose $c"
    else
        echo "@compose $(docker compose version --short)"
    fi
    echo "@free $(df -Pk /var/lib/docker | awk 'NR==2 {print $4}')"
} | {
    all=$(docker image ls --no-trunc --format '@image {{.ID}} {{.Repository}}:{{.Tag}} {{.Digest}}') && engine=answers
    [ "$own" != "  " ] || engine=$(docker version --format '{{.Server.Version}}')
    echo "@engine $engine"
    echo "$all" | awk -v own="$own" -v app="plimsoll/$A:" '$3 !~ /^plimsoll\// || (own == "  " ? index($3, app) == 1 : index(own, " " $3 " "))'
    ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$A")
    [ -z "$ids" ] || docker inspect --format '@container {"id":{{json (slice .ID 0 12)}},"name":{{json .Name}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}},"image":{{json .Image}},"status":{{json .State.Status}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}},"exit":{{.State.ExitCode}},"restarts":{{.RestartCount}},"started":{{json .State.StartedAt}}}' $ids
    cat
    [ -d "$D" ] || exit 0
    unheld() { [ ! -e "$1" ] || flock -n "$1" true; }
    # A lock that nobody holds is none. What is held without a name is a step that is about to begin.
    if ! unheld "$D/lock/held"; then
        if [ -s "$D/lock/token" ]; then echo "@lock $(cat "$D/lock/owner")"; else echo "@busy yes"; fi
    fi
    unheld "$D/step" || echo "@busy yes"
    good=$(cat "$D/good")
    echo "@good $good"
    echo "@length $(wc -c <"$D/journal")"
    for r in "$D"/releases/*/release.json; do
        [ -f "$r" ] || continue
        n=${r%/release.json} n=${n##*/}
        echo "@number $n"
        if [ "$depth" = all ] || [ "$n" = "$good" ]; then echo "@release $(cat "$r")"; fi
    done
    if [ "$depth" = all ]; then
        cat "$D/journal"
    else
        { grep -F '"pause":' "$D/journal" | tail -n 10; tail -n 12 "$D/journal"; } | sed 's/"at":"[^"]*","run":"[^"]*"/"at":"","run":""/'
    fi | sed 's/^/@journal /'
    for c in "$D"/contexts/*/root; do
        [ -f "$c" ] || continue
        n=${c%/root}
        echo "@context ${n##*/} $(cat "$c")"
    done
    for f in "$D"/files/*; do
        [ -d "$f" ] || continue
        echo "@file ${f##*/}"
    done
} | gzip -9c
