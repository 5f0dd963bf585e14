# What all kinds read first: the verb, a user, seconds to wait; the values, and what servers keep of them.
verb=$1 user=$2 wait=$3
IFS= read -r old; IFS= read -r new
IFS= read -r old_scram; IFS= read -r new_scram
IFS= read -r old_literal; IFS= read -r new_literal
IFS= read -r old_native; IFS= read -r new_native
IFS= read -r old_digest; IFS= read -r new_digest
