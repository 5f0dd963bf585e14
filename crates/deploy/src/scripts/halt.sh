# Nobody writes any more.
ids=$(docker ps -q --filter "label=com.docker.compose.project=$A")
[ -z "$ids" ] || docker stop $ids >/dev/null
