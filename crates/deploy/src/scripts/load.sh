# $1 image, $2 the layers that it must have.
docker load
found=$(docker image inspect --format '{{json .RootFS.Layers}}' "$1")
if [ "$found" != "$2" ]; then
    docker image rm "$1" >/dev/null
    echo "what arrived is not what was sent" >&2
    exit 96
fi
echo "@image $(docker image inspect --format '{{.ID}}' "$1")"
