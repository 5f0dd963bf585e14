# The release: a line that is its record, a line that is its project, and its values.
R=$D/releases/$N
rm -rf "$R.in"
mkdir -p "$R.in"
gzip -dc >"$R.in/all"
head -n 1 "$R.in/all" >"$R.in/release.json"
sed -n 2p "$R.in/all" >"$R.in/compose.json"
tail -n +3 "$R.in/all" >"$R.in/env"
rm "$R.in/all"
rm -rf "${R:?}"
mv "$R.in" "$R"
date -u +%Y-%m-%dT%H:%M:%SZ >"$R/at"
