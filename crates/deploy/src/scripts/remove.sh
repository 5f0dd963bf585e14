# Containers of a service, or of all services; volumes stay.
if [ -n "$1" ]; then f=label=com.docker.compose.service=$1; else f=label=com.docker.compose.project; fi
ids=$(docker ps -aq --filter "label=com.docker.compose.project=$A" --filter "$f")
[ -z "$ids" ] || docker stop $ids >/dev/null
[ -z "$ids" ] || docker rm $ids >/dev/null
