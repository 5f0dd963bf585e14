# $1 releases to keep, $2 images to keep, $3 files to keep, each a list with spaces around every word.
for r in "$D"/releases/*; do
    n=${r##*/}
    case "$1" in *" $n "*) ;; *) rm -rf "${r:?}" ;; esac
done
for f in "$D"/files/*; do
    n=${f##*/}
    case "$3" in *" $n "*) ;; *) rm -rf "${f:?}" ;; esac
done
docker image ls --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' "plimsoll/$A" | while read -r id name; do
    case "$2" in *" $id "*) ;; *) docker image rm "$name" >/dev/null 2>&1 || true ;; esac
done
tail -n 2000 "$D/journal" >"$D/journal.new"
mv "$D/journal.new" "$D/journal"
