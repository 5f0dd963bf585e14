# $1 what, $2 whether a login comes: a `config.json`. The file has no name any more when the login is written to it, so that
# nothing stays of it whatever is killed. Where it is refused the guest is on its own.
pull() { { docker pull "$1" 2>&1 || echo @failed; } | awk '/unauthorized|denied/ {no = 1} /^@failed/ {exit 1 + no} {print; fflush()} /^Digest: / {print "@digest " $2}'; }
if [ -n "$2" ]; then
    C=/run/plimsoll-$A
    rm -rf "$C"
    mkdir "$C"
    trap 'rm -rf "$C"' EXIT
    exec 3<>"$C/in"
    rm "$C/in"
    cat >&3
    ln -s /proc/self/fd/3 "$C/config.json"
    (export DOCKER_CONFIG="$C" && pull "$1") || { [ $? = 2 ] && pull "$1" 3<&-; }
else
    pull "$1"
fi
echo "@image $(docker image inspect --format '{{.ID}}' "$1")"
