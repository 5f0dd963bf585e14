# $1 parts or archive, $2 how it is packed, $3 name of what arrives, $4 bytes of it that are here, $5 digest of the
# image's configuration. Parts are the configuration `c` and layers by their place; those with another's name behind a dot
# are differences from what was kept under that name. What arrives stays until it is loaded: a transfer that was cut off goes on.
name=${S#ship } L=$D/layers P=$D/parts/$3 I=$D/load
mkdir -p "$D/parts" "$L"
rm -rf "$I"
if [ "$4" = 0 ]; then
    rm -f "$D"/parts/*
    : >"$P"
fi
[ "$(stat -c %s "$P")" = "$4" ] || { echo "what had arrived of it is gone" >&2; exit 96; }
arrive() {
    cat "$P"
    tee -a "$P"
}
unpack() { case $1 in zstd) zstd -q -d -c ;; *) gzip -d -c ;; esac; }
whole() {
    rm -f "$P"
    exit 94
}
if [ "$1" = archive ]; then
    arrive | unpack "$2" | docker load -q
    rm -f "$P"
    echo "@image $(docker image inspect --format '{{.ID}}' "$name")"
    exit 0
fi
mkdir -p "$I/blobs/sha256"
trap 'rm -rf "$I"' EXIT
arrive | unpack "$2" | tar -x --no-same-owner -C "$I" || { echo "it did not arrive whole" >&2; exit 96; }
for p in "$I"/*.*; do
    [ -f "$p" ] || continue
    n=${p##*/}
    f=$(echo "$L/${n#*.}"*)
    # What was kept is not what it was.
    zstd -q -d --patch-from="$f" -o "$I/${n%%.*}" "$p" || { rm -f "$f"; whole; }
    rm "$p"
done
[ -f "$I/c" ] && [ "$(sha256sum <"$I/c")" = "$5  -" ] || whole
i=0 layers= kept=
for l in $(tr -d ' \t\n"' <"$I/c" | sed 's/.*diff_ids:\[\([^]]*\)\].*/\1/; s/sha256://g; s/,/ /g'); do
    layers="$layers,\"blobs/sha256/$l\""
    if [ -f "$I/$i" ]; then
        mv "$I/$i" "$I/blobs/sha256/$l"
        # The first one is the base image's.
        [ $i = 0 ] || kept="$kept $l"
    fi
    i=$((i + 1))
done
mv "$I/c" "$I/blobs/sha256/$5"
printf '[{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":[%s]}]' "$5" "$name" "${layers#,}" >"$I/manifest.json"
tar -C "$I" -c manifest.json blobs | docker load -q
rm -f "$P"
if [ "$(docker image inspect --format '{{.ID}}' "$name")" != "sha256:$5" ]; then
    docker image rm "$name" >/dev/null
    echo "what arrived is not what was sent" >&2
    exit 96
fi
for l in $kept $5; do
    f=$I/blobs/sha256/$l
    if [ "$(stat -c %s "$f")" -le 134217728 ]; then mv "$f" "$L/"; fi
done
