# A snapshot holds the whole guest: what else lives in it would go back as well.
for d in /var/lib/plimsoll/*; do
    case ${d##*/} in "$A" | '*') continue ;; esac
    [ ! -s "$d/good" ] || { echo "the guest runs ${d##*/} as well, whose data would go back too" >&2; exit 1; }
done
o=$(docker ps -a --format '{{.Label "com.docker.compose.project"}}' | grep -vxF -e "$A" -e '' | sort -u | head -n 1 || true)
[ -z "$o" ] || { echo "the guest runs $o as well, whose data would go back too" >&2; exit 1; }
sync
