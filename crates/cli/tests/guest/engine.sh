# A second engine beside the guest's own: another store, no network.
# A test may have written how it is set up.
cd /run
[ -e plimsoll-builder.json ] || echo '{}' >plimsoll-builder.json
setsid unshare -n dockerd --config-file /run/plimsoll-builder.json --data-root /var/lib/plimsoll-builder \
    --exec-root /run/plimsoll-builder -p /run/plimsoll-builder.pid -H unix:///run/plimsoll-builder.sock --bridge=none --iptables=false --containerd-namespace builder \
    --containerd-plugins-namespace builder-plugins </dev/null >/run/plimsoll-builder.log 2>&1 &
for i in $(seq 100); do
    docker -H unix:///run/plimsoll-builder.sock info >/dev/null 2>&1 && break
    sleep 0.3
done
docker save plimsoll-test/base:1 | docker -H unix:///run/plimsoll-builder.sock load >&2 || { cat /run/plimsoll-builder.log >&2; exit 1; }
