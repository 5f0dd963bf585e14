# What a client does on a guest: functions for one app. A step has `$A` the app, `$D` its directory, `$T` the lock's token, `$N` the
# release, `$S` its name.
A=$5 D=$2 live=$6 T= free=
D=${D%/scripts}
umask 077
# A plugin of Docker's command line. Started at once it costs the guest half of what it costs by way of that.
plugin() {
    for p in "$HOME/.docker" /usr/local/lib/docker /usr/local/libexec/docker /usr/lib/docker /usr/libexec/docker; do
        if [ -x "$p/cli-plugins/docker-$1" ]; then echo "$p/cli-plugins/docker-$1" && return 0; fi
    done
    return 1
}
compose() {
    program=$(plugin compose) || program="docker compose"
    $program -p "$A" -f "$R/compose.json" --env-file "$R/env" "$@"
}
note() { printf '{"at":"%s","run":"%s","release":%s,"step":"%s","phase":"%s"%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$T" "$N" "$S" "$1" "$2" >>"$D/journal"; }
# $1 release, $2 name, $3 what, then its arguments: journaled before and after, refused when the lock is gone.
step() {
    if [ "$(cat "$D/lock/token" 2>/dev/null)" != "$T" ]; then
        echo "the lock was taken away" >&2
        return 97
    fi
    N=$1 S=$2 what=$3
    shift 3
    # Nothing that an earlier deploy started may still be at work.
    exec 9>>"$D/step"
    flock -w 90 9 || { echo "a step of an earlier deploy is still running" >&2; return 98; }
    # Whoever looks sees the lock or the step. The lock goes with the shell, a step that runs apart does without.
    [ -z "$apart" ] || exec 8>&-
    rm -f "$D/pause"
    note begin
    [ -z "$free" ] || free
    if [ -n "$live" ]; then
        ( set -e; "$what" "$@" )
        s=$?
    else
        said=$({ ( set -e; "$what" "$@" ) 2>&1; echo "@status $?"; } | told)
        s=$?
        say=${said:+$said
}
    fi
    p=
    [ -s "$D/pause" ] && p=",\"pause\":$(cat "$D/pause")"
    if [ $s = 0 ]; then note end "$p"; else note failed; fi
    exec 9>&-
    return $s
}
# Tells what a program reads; what people read only where a step failed, and the end of it.
told() {
    awk '/^@status / {
            if ($2 != 0) for (i = n > 60 ? n - 60 : 0; i < n; i++) print line[i]
            exit $2
        }
        /^@/ { print; next }
        { line[n++] = $0 }'
}
# A step whose end nobody waits for: the lock is free once it has begun.
last() {
    free=yes
    step "$@"
}
# The end of a release: $1 its number, $2 how many to keep. Whoever waits waits for the first half.
finish() {
    step "$1" good do_good "$1"
    s=$?
    [ $s = 0 ] || return $s
    mark 0
    exec >/dev/null
    last "$1" collect do_collect "$2"
}
free() {
    if [ -n "$T" ] && [ "$(cat "$D/lock/token" 2>/dev/null)" = "$T" ]; then rm -f "$D/lock/token" "$D/lock/owner" "$D/lock/pid"; fi
    exec 8>&-
}
# Keeps this program: $1 digest. What comes is its text.
keep() {
    mkdir -p "$D/scripts"
    gzip -dc >"$D/scripts/.in"
    [ "$(sha256sum <"$D/scripts/.in")" = "$1  -" ] || return 1
    rm -f "$D"/scripts/*
    mv "$D/scripts/.in" "$D/scripts/$1"
}
do_nothing() { :; }
gone() {
    free
    exit 0
}
