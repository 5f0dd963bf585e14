# $1 service, then the words of the command.
R=$D/releases/$N
s=$1
shift
compose run --rm --no-deps -T "$s" "$@" </dev/null
