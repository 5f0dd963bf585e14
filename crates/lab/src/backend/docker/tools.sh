# What is done with the disks of a guest. It runs in a container of the guest image that has the guest's volume at /guest:
#   disks/rootfs, disks/mp0 ...        what the guest has now, with disks/KEY.volume for the name of each
#   disks/volume-NAME                  a volume that waits to be a disk
#   snapshots/NAME/                    a copy of disks
# The first argument is what to do.
set -eu
disks=/guest/disks
root=$disks/rootfs
do=$1
shift

# How an archive is packed, by the ending of its name.
packing() {
    case $1 in
        zst) echo --zstd ;;
        gz) echo --gzip ;;
        xz) echo --xz ;;
        bz2) echo --bzip2 ;;
        lzo) echo --lzop ;;
        *) echo --no-auto-compress ;;
    esac
}

moved() { printf 'volume-%s' "$1" | tr '/:' '__'; }

# Sets `at` to the place of a path. Nothing follows a link that the template brings; missing folders are made.
place() {
    at=$root rest=$1
    while [ "$rest" != "${rest#*/}" ]; do
        at=$at/${rest%%/*} rest=${rest#*/}
        if [ -L "$at" ] || { [ -e "$at" ] && [ ! -d "$at" ]; }; then
            echo "the template's \`$1\` leads elsewhere" >&2
            exit 1
        fi
        [ -d "$at" ] || mkdir "$at"
    done
    at=$at/$rest
    rm -f "$at"
}

put() { # path mode, the text from standard input
    place "$1"
    cat > "$at"
    chmod "$2" "$at"
}

# Notes which volume each disk is: KEY=VOLUME.
label() {
    for pair in "$@"; do
        case $pair in unused*) continue ;; esac
        printf '%s' "${pair#*=}" > "$disks/${pair%%=*}.volume"
    done
}

labelled() { cat "$disks/$1.volume" 2>/dev/null || :; }

# A folder that was cut short is none.
whole_copy() { # from to
    rm -rf "$2" "$2.part"
    cp --archive --reflink=auto --sparse=auto -- "$1" "$2.part"
    mv "$2.part" "$2"
}

case $do in
    template) # ending KEY=VOLUME...
        packed=$(packing "$1")
        shift
        mkdir -p "$root" /guest/snapshots
        chmod 700 "$disks"
        label "$@"
        tar --numeric-owner --same-owner --xattrs --xattrs-include='*' --exclude='./dev/*' --exclude='dev/*' \
            "$packed" -xpf - -C "$root"
        ;;
    backup) # ending KEY=VOLUME...
        packed=$(packing "$1")
        shift
        mkdir -p "$disks" /guest/snapshots
        chmod 700 "$disks"
        tar --numeric-owner --same-owner --xattrs --xattrs-include='*' "$packed" -xpf - -C "$disks"
        label "$@"
        ;;
    pack) # ending disk...
        packed=$(packing "$1")
        shift
        tar --numeric-owner --xattrs --xattrs-include='*' --one-file-system --warning=no-file-ignored \
            "$packed" -C "$disks" -cf - "$@"
        ;;
    first) # comment; a line with the password or nothing, then keys, from standard input
        : | put etc/machine-id 444
        if [ -d "$root/etc/ssh" ]; then
            # The slow one is left out: no client of today asks for it.
            place etc/ssh/ssh_host_rsa_key
            place etc/ssh/ssh_host_rsa_key.pub
            for kind in ecdsa ed25519; do
                place "etc/ssh/ssh_host_${kind}_key.pub"
                place "etc/ssh/ssh_host_${kind}_key"
                echo "Creating SSH host key 'ssh_host_${kind}_key' - this may take some time ..."
                ssh-keygen -N '' -E sha256 -C "$1" -t "$kind" -f "$at" | sed -n 's/^\(SHA256:.*\)$/done: \1/p'
            done
        fi
        IFS= read -r password || :
        keys=$(cat)
        if [ -n "$keys" ]; then
            printf '%s\n' "$keys" | put root/.ssh/authorized_keys 600
            chmod 700 "$root/root/.ssh"
        fi
        if [ -n "$password" ]; then
            printf 'root:%s\n' "$password" | chroot "$root" chpasswd
        fi
        ;;
    prepare) # hostname searchdomain nameservers KEY=VOLUME...
        name=$1 domain=$2 servers=$3
        shift 3
        for pair in "$@"; do
            key=${pair%%=*} volume=${pair#*=}
            case $key in unused*) continue ;; esac
            waits=$disks/$(moved "$volume")
            if [ -e "$waits" ]; then
                # What was there before is kept where the configuration still knows its volume.
                before=$(labelled "$key")
                kept=
                for other in "$@"; do
                    if [ -n "$before" ] && [ "${other#*=}" = "$before" ]; then kept=1; fi
                done
                if [ -n "$kept" ] && [ -e "$disks/$key" ]; then
                    mv "$disks/$key" "$disks/$(moved "$before")"
                else
                    rm -rf "${disks:?}/$key"
                fi
                mv "$waits" "$disks/$key"
            elif [ "$key" != rootfs ] && [ "$(labelled "$key")" != "$volume" ]; then
                # Another volume than before begins empty.
                rm -rf "${disks:?}/$key"
            fi
            [ "$key" = rootfs ] || mkdir -p "$disks/$key"
        done
        label "$@"
        short=${name%%.*} both=$name
        [ "$short" = "$name" ] || both="$name $short"
        echo "$name" | put etc/hostname 644
        printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n' "$both" | put etc/hosts 644
        {
            [ -z "$domain" ] || echo "search $domain"
            for server in $servers; do echo "nameserver $server"; done
        } | put etc/resolv.conf 644
        ;;
    keep) whole_copy "$disks" "/guest/snapshots/$1" ;;
    back)
        whole_copy "/guest/snapshots/$1" /guest/rollback
        rm -rf "$disks"
        mv /guest/rollback "$disks"
        ;;
    forget) rm -rf "/guest/snapshots/${1:?}" ;;
    copy) # the folder under /from, KEY=VOLUME...
        from=/from/$1
        shift
        mkdir -p /guest/snapshots
        whole_copy "$from" "$disks"
        label "$@"
        ;;
    move) # disk volume; a mount point that no start has seen holds nothing yet
        [ ! -e "$disks/$1" ] || whole_copy "$disks/$1" "$disks/$(moved "$2")"
        ;;
    drop) rm -rf "$disks/$(moved "$1")" ;;
    used) du --summarize --one-file-system --block-size=1 "$root" | cut -f 1 ;;
    *)
        echo "what is \`$do\`?" >&2
        exit 64
        ;;
esac
