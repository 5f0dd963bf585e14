echo "@machine $(uname -m)"
echo "@store $(docker info --format '{{.Driver}} {{json .DriverStatus}}')"
ids=$(docker image ls -q --no-trunc | sort -u)
[ -z "$ids" ] || docker image inspect --format '@layers {{json .RootFS.Layers}}' $ids
