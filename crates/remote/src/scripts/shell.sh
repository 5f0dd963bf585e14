M=$1 say= apart=
exec 2>&1
# Takes requests until its client is gone: a line with the length of the words and how they run, then the words, then what they
# read. A client that says nothing for half a minute is gone, too.
line() { timeout 30 sh -c 'IFS= read -r l && printf %s "$l"' 8>&-; }
# The end of an answer, with what is still to be said before it.
mark() {
    printf '%s\n%s %s\n' "$say" "$M" "$1"
    say=
}
feed() {
    while c=$(line); do
        case $c in
        .) ;;
        "0 "*) return 0 ;;
        *)
            dd bs="${c%% *}" count=1 iflag=fullblock status=none
            case $c in *" end") return 0 ;; esac ;;
        esac
    done
    return 1
}
while l=$(line); do
    case $l in *" "*) ;; *) continue ;; esac
    w=$(dd bs="${l%% *}" count=1 iflag=fullblock status=none && echo .)
    eval "set -- ${w%.}"
    case ${l#* } in
    here) "$@" </dev/null; mark $? ;;
    input) feed | { apart=yes; "$@"; mark $?; } ;;
    away) "$@" </dev/null >/dev/null 2>&1 ;;
    # It goes on when the client is gone.
    apart) { apart=yes; "$@"; mark $?; } </dev/null & ;;
    esac
done
gone
