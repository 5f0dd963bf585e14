# $1 image, $2 parts or archive, $3 how it is packed, $4 name of what arrives, $5 bytes of it that are here, $6 digest of the
# image's configuration. Parts are the configuration `c` and layers by their place; those with another's name behind a dot
# are differences from what was kept under that name. What arrives stays until it is loaded: a transfer that was cut off goes on.
L=$D/layers P=$D/parts/$4 I=$D/load
mkdir -p "$D/parts" "$L"
rm -rf "$I"
if [ "$5" = 0 ]; then
    rm -f "$D"/parts/*
    : >"$P"
fi
[ "$(stat -c %s "$P")" = "$5" ] || { echo "what had arrived of it is gone" >&2; exit 96; }
arrive() {
    cat "$P"
    tee -a "$P"
}
unpack() { case $1 in zstd) zstd -q -d -c ;; *) gzip -d -c ;; esac; }
whole() {
    rm -f "$P"
    exit 94
}
if [ "$2" = archive ]; then
    arrive | unpack "$3" | docker load -q
    rm -f "$P"
    echo "@image $(docker image inspect --format '{{.ID}}' "$1")"
    exit 0
fi
mkdir -p "$I/blobs/sha256"
trap 'rm -rf "$I"' EXIT
arrive | unpack "$3" | tar -x --no-same-owner -C "$I" || { echo "it did not arrive whole" >&2; exit 96; }
for p in "$I"/*.*; do
    [ -f "$p" ] || continue
    n=${p##*/}
    f=$(echo "$L/${n#*.}"*)
    # What was kept is not what it was.
    zstd -q -d --patch-from="$f" -o "$I/${n%%.*}" "$p" || { rm -f "$f"; whole; }
    rm "$p"
done
[ -f "$I/c" ] && [ "$(sha256sum <"$I/c")" = "$6  -" ] || whole
i=0 layers=
for l in $(tr -d ' \t\n"' <"$I/c" | sed 's/.*diff_ids:\[\([^]]*\)\].*/\1/; s/sha256://g; s/,/ /g'); do
    layers="$layers,\"blobs/sha256/$l\""
    if [ -f "$I/$i" ]; then
        mv "$I/$i" "$I/blobs/sha256/$l"
        # The first one is the base image's.
        [ $i = 0 ] || kept="$kept $l"
    fi
    i=$((i + 1))
done
mv "$I/c" "$I/blobs/sha256/$6"
printf '[{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":[%s]}]' "$6" "$1" "${layers#,}" >"$I/manifest.json"
tar -C "$I" -c manifest.json blobs | docker load -q
rm -f "$P"
if [ "$(docker image inspect --format '{{.ID}}' "$1")" != "sha256:$6" ]; then
    docker image rm "$1" >/dev/null
    echo "what arrived is not what was sent" >&2
    exit 96
fi
for l in $kept $6; do
    f=$I/blobs/sha256/$l
    if [ "$(stat -c %s "$f")" -le 134217728 ]; then mv "$f" "$L/"; fi
done
