# $1 image, $2 context, $3 Dockerfile, then arguments of docker build.
i=$1 c=$2 f=$3
shift 3
rm -f "$D/built"
export BUILDX_BUILDER=default
program=$(plugin buildx) || program=docker
$program build --progress plain --iidfile "$D/built" --label "plimsoll.app=$A" -t "$i" -f "$D/contexts/$c/tree/$f" "$@" "$D/contexts/$c/tree"
echo "@image $(cat "$D/built")"
rm -f "$D/built"
