# What the guest's store has: $1 of what serves, or all. Digests are cut short.
short() { sed 's/sha256:\([0-9a-f]\{16\}\)[0-9a-f]*/\1/g; s/[]["]//g; s/,/ /g'; }
case $1 in
serves) ids=$(grep -oh 'sha256:[0-9a-f]\{64\}' "$D/releases/$(cat "$D/good" 2>/dev/null)/release.json" 2>/dev/null | sort -u) ;;
*) ids=$(docker image ls -q --no-trunc | sort -u) ;;
esac
said=$({
    echo "@machine $(uname -m)"
    echo "@store $(docker info --format '{{.Driver}} {{json .DriverStatus}}' | grep -oE '^[^ ]+|containerd' | sort -u | tr '\n' ' ')"
    [ -z "$ids" ] || docker image inspect --format '@layers {{.ID}} {{json .RootFS.Layers}}' $ids 2>/dev/null | short
    for p in "$D"/parts/*; do
        if [ -s "$p" ]; then echo "@part ${p##*/} $(stat -c %s "$p") $(sha256sum <"$p" | cut -d ' ' -f 1)"; fi
    done
    if command -v zstd >/dev/null; then
        echo "@zstd yes"
        for l in "$D"/layers/*; do
            if [ -f "$l" ]; then printf '@kept %.16s\n' "${l##*/}"; fi
        done
    fi
})
echo "$said"
