# $1 image, $2 the layers that it must have, $3 stream, or keep: layers above the first are kept for what follows them, and
# some may come as differences from one that was kept.
loaded() {
    found=$(docker image inspect --format '{{json .RootFS.Layers}}' "$1")
    if [ "$found" != "$2" ]; then
        docker image rm "$1" >/dev/null
        echo "what arrived is not what was sent" >&2
        exit 96
    fi
    echo "@image $(docker image inspect --format '{{.ID}}' "$1")"
}
L=$D/layers
rm -rf "$D/load"
if [ "$3" = stream ]; then
    docker load
    loaded "$1" "$2"
    exit 0
fi
mkdir -p "$D/load" "$L"
trap 'rm -rf "$D/load"' EXIT
tar -xzf - --no-same-owner -C "$D/load"
for p in "$D"/load/delta/*; do
    [ -f "$p" ] || continue
    n=${p##*/} b=$D/load/blobs/sha256
    new=${n%%.*}
    if ! zstd -q -d --patch-from="$L/${n#*.}" -o "$b/$new" "$p" || [ "$(sha256sum <"$b/$new")" != "$new  -" ]; then
        # What was kept is not what it was.
        rm -f "$L/${n#*.}"
        echo @whole
        exit 94
    fi
done
rm -rf "$D/load/delta"
tar -C "$D/load" -c . | docker load
loaded "$1" "$2"
for l in $(echo "$2" | tr -d '[]"' | tr ',' ' ' | cut -d' ' -f2-); do
    f=$D/load/blobs/sha256/${l#sha256:}
    if [ -f "$f" ] && [ "$(stat -c %s "$f")" -le 134217728 ]; then mv "$f" "$L/"; fi
done
