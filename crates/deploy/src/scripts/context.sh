# A build context: $1 name, $2 digest, $3 digest of its checksums, $4 whole or part.
C=$D/contexts/$1
mkdir -p "$C/tree"
rm -rf "$C/root" "$C/in"
[ "$4" = part ] || rm -rf "$C/tree"
mkdir -p "$C/in/tree" "$C/tree"
tar -xzpf - --no-same-owner -C "$C/in"
if [ -f "$C/in/gone" ]; then
    while IFS= read -r p; do rm -rf "${C:?}/tree/$p"; done <"$C/in/gone"
    find "$C/tree" -mindepth 1 -type d -empty -delete
fi
cp -a "$C/in/tree/." "$C/tree/"
found=$(cd "$C/tree" && find . -type f | sed 's/^..//' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 -r sha256sum | sha256sum)
if [ "${found%% *}" != "$3" ]; then
    rm -rf "${C:?}"
    echo "what arrived is not what was sent" >&2
    exit 96
fi
rm -rf "$C/in"
printf '%s' "$2" >"$C/root"
