# $1 how many releases to keep. What one of them needs stays: images, mounted files.
good=$(cat "$D/good")
keep=" $good $(ls "$D/releases" | grep -E '^[0-9]+$' | sort -rn | head -n "$1" | tr '\n' ' ') "
for r in "$D"/releases/*; do
    case "$keep" in *" ${r##*/} "*) ;; *) rm -rf "${r:?}" ;; esac
done
needed=$(cat "$D"/releases/*/release.json)
for f in "$D"/files/*; do
    case "$needed" in *"${f##*/}"*) ;; *) rm -rf "${f:?}" ;; esac
done
docker image ls --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' "plimsoll/$A" | while read -r id name; do
    case "$needed" in *"$id"*) ;; *) docker image rm "$name" >/dev/null 2>&1 || true ;; esac
done
tail -n 2000 "$D/journal" >"$D/journal.new"
mv "$D/journal.new" "$D/journal"
# What a transfer that was cut off left of a build context.
rm -rf "$D"/contexts/*/in
# Layers that the next image may be made of: those of what serves.
rm -rf "$D/load" "$D/parts"
if [ -d "$D/layers" ]; then
    here=$(docker image inspect --format '{{json .RootFS.Layers}}' $(grep -o 'sha256:[0-9a-f]\{64\}' "$D/releases/$good/release.json" | sort -u) 2>/dev/null) || true
    for l in "$D"/layers/*; do
        case "$here $needed" in *"${l##*/}"*) ;; *) rm -f "${l:?}" ;; esac
    done
fi
