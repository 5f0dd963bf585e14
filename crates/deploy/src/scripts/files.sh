# Mounted files: $1 digest, $2 digest of their checksums.
F=$D/files/$1
rm -rf "$F.in"
mkdir -p "$F.in"
tar -xzpf - --no-same-owner -C "$F.in"
found=$(cd "$F.in" && find . -type f | sed 's/^..//' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 -r sha256sum | sha256sum)
if [ "${found%% *}" != "$2" ]; then
    rm -rf "$F.in"
    echo "what arrived is not what was sent" >&2
    exit 96
fi
rm -rf "${F:?}"
mv "$F.in" "$F"
