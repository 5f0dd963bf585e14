f=$2/$3
if [ -f $f ] && [ "$(sha256sum <$f)" = "$3  -" ]; then echo @kept; exec sh $f "$@"; fi
echo @send
x=$(dd bs=$4 count=1 iflag=fullblock status=none | gzip -dc) && exec sh -c "$x" plimsoll "$@"
