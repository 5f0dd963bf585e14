docker pull "$1"
echo "@image $(docker image inspect --format '{{.ID}}' "$1")"
