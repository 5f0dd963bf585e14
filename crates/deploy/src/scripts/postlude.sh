)
s=$?
p=
[ -s "$D/pause" ] && p=",\"pause\":$(cat "$D/pause")"
if [ $s = 0 ]; then note end "$p"; else note failed; fi
exit $s
