# Runs in the server's container, after what its kind says of `try`, `give`, `only` and `other_way`.
bye() { echo "$1" >&2; exit 1; }
look() {
    end=$(($(date +%s) + wait))
    while :; do
        try "$old"; o=$?
        try "$new"; n=$?
        if [ $o = 1 ] && [ $n = 1 ] && other_way; then continue; fi
        [ $o = 2 ] || [ $n = 2 ] || break
        if [ "$(date +%s)" -ge $end ]; then a=silent; return; fi
        sleep 1
    done
    case $o$n in
    00) if try "no password of $user"; then a=any; else a=both; fi ;;
    01) a=old known=$old ;;
    10) a=new known=$new ;;
    *) a=neither ;;
    esac
}
known=$old
look
echo "@password $a"
case $verb$a in
ask*) exit 0 ;;
*silent) bye "it does not answer" ;;
*neither) bye "it takes neither the old nor the new password of $user" ;;
tellnew) try_both ;;
tellboth | backold | settlenew) ;;
tell*) give new ;;
backboth) only old ;;
back*) give old && only old ;;
settleboth) only new ;;
settle*) give new && only new ;;
esac || exit 1
[ $a = any ] && exit 0
look
case $verb$a in
tellnew | tellboth | backold | settlenew) ;;
*) bye "it was told, and takes the password that is $a" ;;
esac
