printf '%s' "$1" >"$D/good.new"
mv "$D/good.new" "$D/good"
