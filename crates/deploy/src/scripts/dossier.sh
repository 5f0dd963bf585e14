# All that helps to see why: $1 service (or nothing).
if [ -n "$1" ]; then f=label=com.docker.compose.service=$1; else f=label=com.docker.compose.project=$A; fi
for c in $(docker ps -aq --filter "label=com.docker.compose.project=$A" --filter "$f"); do
    docker inspect -f '== container {{.Name}}: {{.State.Status}}, exit {{.State.ExitCode}}, restarts {{.RestartCount}}, out of memory {{.State.OOMKilled}} {{.State.Error}}{{if .State.Health}}{{range .State.Health.Log}}
health check: exit {{.ExitCode}}: {{.Output}}{{end}}{{end}}' "$c"
    echo "-- its last lines"
    docker logs --tail 60 "$c" 2>&1
done
echo "== disk"
df -Ph /var/lib/docker / 2>/dev/null
echo "== memory"
free -m 2>/dev/null
echo "== kernel"
dmesg 2>/dev/null | grep -iE 'oom|killed process|error' | tail -n 10
exit 0
