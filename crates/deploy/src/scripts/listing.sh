# What the guest has of a build context: checksums, then the files that can be executed.
cd "/var/lib/plimsoll/$1/contexts/$2/tree" || exit 1
find . -type f | sed 's/^..//' | tr '\n' '\0' | xargs -0 -r sha256sum
echo
find . -type f -perm -100 | sed 's/^..//'
