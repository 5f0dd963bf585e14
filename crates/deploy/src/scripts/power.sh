# $1 release, $2 restart, stop or start, then services.
R=$D/releases/$1 v=$2
shift 2
compose "$v" "$@"
