# The release: an archive of its record, its project and its values.
R=$D/releases/$N
rm -rf "$R.in"
mkdir -p "$R.in"
tar -xzf - --no-same-owner -C "$R.in"
chmod 600 "$R.in"/*
rm -rf "${R:?}"
mv "$R.in" "$R"
date -u +%Y-%m-%dT%H:%M:%SZ >"$R/at"
# Compose reads it whole, and says what containers of each service will be told by.
compose config --hash '*' >"$R/hashes"
