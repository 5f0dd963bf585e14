# $1 release, $2 service, $3 start or stop first, $4 containers, $5 deadline, $6 start period, $7 seconds to stop, $8 whether it is a job.
R=$D/releases/$1 s=$2 order=$3 count=$4 deadline=$5 early=$6 grace=$7 job=$8
nl='
'
now() { date +%s%3N; }
all() { docker ps -a --no-trunc --filter "label=com.docker.compose.project=$A" --filter "label=com.docker.compose.service=$s" --filter label=com.docker.compose.oneoff=False --format "$1"; }
unfit() { echo "@unhealthy $1 $2"; exit 90; }
# Asks the container's own health check at once instead of waiting for the engine's timer: $1 container, $2 kind and number of words, $3 words.
probe() {
    case $2 in
    "CMD-SHELL "*) timeout 10 docker exec "$1" /bin/sh -c "$3" >/dev/null 2>&1 ;;
    "CMD "*)
        [ "$(($(printf '%s\n' "$3" | wc -l) + 1))" = "${2#CMD }" ] || return 1
        printf '%s\n' "$3" | tr '\n' '\0' | timeout 10 xargs -0 docker exec "$1" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}
healthy() {
    start=$(now)
    while :; do
        st=$(docker inspect -f '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.ExitCode}} {{.RestartCount}} {{.State.OOMKilled}} {{.State.StartedAt}}
{{with .Config.Healthcheck}}{{with .Test}}{{index . 0}} {{len .}}{{range $i, $w := .}}{{if $i}}
{{$w}}{{end}}{{end}}{{end}}{{end}}' "$1") || unfit "$1" "it is gone"
        spent=$((($(now) - start)))
        test=${st#*"$nl"}
        set -- "$1" ${st%%"$nl"*}
        [ "$6" = false ] || unfit "$1" "it ran out of memory"
        case $2 in
        running)
            [ "$5" -lt 3 ] || unfit "$1" "it was restarted $5 times"
            case $3 in
            healthy) well=$(now) && return 0 ;;
            none)
                if [ "$job" = no ] && [ $spent -ge 1000 ]; then
                    well=$(date -d "$7" +%s%3N)
                    return 0
                fi ;;
            unhealthy) [ $spent -lt $((early * 1000)) ] || unfit "$1" "its health check fails" ;;
            *) if probe "$1" "${test%%"$nl"*}" "${test#*"$nl"}"; then well=$(now) && return 0; fi ;;
            esac ;;
        exited | dead)
            if [ "$job" = yes ]; then
                [ "$4" = 0 ] && well=$(now) && return 0
            fi
            unfit "$1" "it ended with status $4" ;;
        restarting) [ "$5" -lt 3 ] || unfit "$1" "it was restarted $5 times and ended with status $4" ;;
        esac
        [ $spent -lt $((deadline * 1000)) ] || unfit "$1" "it is not healthy after $deadline s"
        sleep 0.1
    done
}
# Masters of nginx in containers of the app, whatever the image is.
masters() {
    grep -qsa '^nginx: master process' /proc/[0-9]*/cmdline || return 0
    ids=$(docker ps -q --no-trunc --filter "label=com.docker.compose.project=$A")
    for p in $(ps -eo pid=,args= | awk '$2 == "nginx:" && $3 == "master" {print $1}'); do
        for id in $ids; do ! grep -q "$id" "/proc/$p/cgroup" 2>/dev/null || echo "$p"; done
    done
}
# What becomes of the workers that a master had: some take requests, some only finish what they have, or all are gone.
workers() {
    ps -o args= -p "$1" | awk '
        $1 == "nginx:" && $2 == "worker" {if (/is shutting down/) ends = 1; else takes = 1}
        END {print takes ? "take" : ends ? "end" : "gone"}'
}
# nginx looks a name up once, when it starts: it is told to look again, or it would go on asking containers that are gone.
# The signal only asks for that. Workers of before take requests until the new ones are there, and one that ends may yet
# ask an old address for what it has taken: they are waited for, and not for ever where somebody keeps a connection open.
look_again() {
    for p in $(masters); do
        old_workers=$(ps -o pid= --ppid "$p" | paste -sd, - | tr -d ' ')
        [ -n "$old_workers" ] && kill -HUP "$p" 2>/dev/null || continue
        signalled=$(now)
        while :; do
            spent=$(($(now) - signalled))
            case $(workers "$old_workers") in
            take) [ $spent -lt 10000 ] || break ;;
            end) [ $spent -lt 3000 ] || break ;;
            *) break ;;
            esac
            sleep 0.05
        done
    done
}
# Names lead to old containers until these are gone, so nginx knows both addresses for a while, and a request to one that
# has just ended would wait for an answer that never comes. Refused at once, nginx asks the next one: new connections to
# $2… are, where nginx runs, from before the old containers stop until nginx knows only the new ones.
refuse() {
    way=$1
    shift
    for p in $(masters); do
        for address in "$@"; do
            case $address in *:*) tables=ip6tables ;; *) tables=iptables ;; esac
            nsenter -t "$p" -n "$tables" -w 5 "$way" OUTPUT -d "$address" -p tcp --syn -m comment --comment "$A: old" \
                -j REJECT --reject-with tcp-reset 2>/dev/null || :
        done
    done
}
# What a switch that was cut off left of that.
forget() {
    for p in $(masters); do
        for tables in iptables ip6tables; do
            nsenter -t "$p" -n "$tables" -S OUTPUT 2>/dev/null | grep -F -- "--comment \"$A: old\"" | sed 's/^-A/-D/' |
                while read -r rule; do eval "nsenter -t $p -n $tables -w 5 $rule" || :; done
        done
    done
}
up() {
    compose up -d --no-deps --no-build --pull never -t "$grace" "$@" "$s" && return 0
    image=$(compose config --images "$s" 2>/dev/null)
    docker image inspect "$image" >/dev/null 2>&1 || { echo "the image $image of $s is gone" >&2; exit 95; }
    exit 1
}
begin=$(now) well=$begin keep= old=
before=$(all '{{.ID}} {{.Label "com.docker.compose.config-hash"}}')
if [ "$order" = start ] && [ -n "$before" ]; then
    # What containers of the release are told by.
    [ -s "$R/hashes" ] || compose config --hash '*' >"$R/hashes"
    want=$(awk -v s="$s" '$1 == s {print $2}' "$R/hashes")
    [ -n "$want" ] || { echo "release $1 has no service $s" >&2; exit 95; }
    keep=$(echo "$before" | awk -v w="$want" '$2 == w {print $1}')
    old=$(echo "$before" | awk -v w="$want" '$2 != w {print $1}')
fi
if [ -n "$old" ]; then
    have=$(echo $old $keep | wc -w)
    have_new=$(echo $keep | wc -w)
    up --no-recreate --scale "$s=$((have + count - have_new))"
    for c in $(all '{{.ID}}'); do
        case " "$(echo $old)" " in *" $c "*) ;; *) healthy "$c" ;; esac
    done
    forget
    look_again
    addresses=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{println .IPAddress .GlobalIPv6Address}}{{end}}' $old)
    trap 'refuse -D $addresses' EXIT
    refuse -I $addresses
    docker stop -t "$grace" $old >/dev/null
    docker rm $old >/dev/null
    look_again
    echo 0 >"$D/pause"
else
    # Containers that are left from a switch that was cut off stand in the way of a clean one.
    up
    # From the moment when the old container was told to end.
    docker events --since "$((begin / 1000))" --until "$(date +%s.%N)" --filter event=kill --format '{{.TimeNano}}' \
        --filter "label=com.docker.compose.project=$A" --filter "label=com.docker.compose.service=$s" >"$D/told" 2>/dev/null &
    events=$! replaced=
    after=$(all '{{.ID}}')
    for c in $after; do healthy "$c"; done
    for c in $(echo "$before" | cut -d ' ' -f 1); do
        case $after in *"$c"*) ;; *) replaced=yes ;; esac
    done
    wait $events || true
    if [ -n "$replaced" ]; then
        look_again
        told=$(head -n 1 "$D/told")
        pause=$((well - ${told:-${begin}000000} / 1000000))
        [ "$pause" -ge 0 ] || pause=0
        echo "$pause" >"$D/pause"
        echo "@pause $pause"
    fi
    rm -f "$D/told"
fi
