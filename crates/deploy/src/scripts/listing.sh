# What the guest has of the build context $1: checksums, then the files that can be executed.
cd "$D/contexts/$1/tree" || return 1
find . -type f | sed 's/^..//' | tr '\n' '\0' | xargs -0 -r sha256sum
echo
find . -type f -perm -100 | sed 's/^..//'
