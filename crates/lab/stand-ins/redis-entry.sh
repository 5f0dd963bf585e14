#!/bin/sh
# Stand-in for the entry of the official redis image: every address may connect, the data lies in the working directory.
set -eu
case "${1:-redis-server}" in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" != redis-server ]; then exec "$@"; fi
shift
if [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis:redis {} +
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" redis-server "$@"
fi
case "${1:-}" in
    *.conf)
        file=$1
        shift
        exec redis-server "$file" --protected-mode no "$@"
        ;;
esac
exec redis-server --bind '* -::*' --protected-mode no "$@"
