# A registry with one user.
mkdir -p /srv/images
rm -rf /srv/images/docker
cat >/srv/registry.yaml <<'END'
version: 0.1
storage: {filesystem: {rootdirectory: /srv/images}}
http: {addr: "127.0.0.1:5055"}
auth: {htpasswd: {realm: shop, path: /srv/users}}
END
systemctl stop plimsoll-test-registry 2>/dev/null
systemd-run -q --unit plimsoll-test-registry /usr/local/bin/docker-registry serve /srv/registry.yaml
for i in $(seq 100); do
    if [ "$(wget -qS -O- http://127.0.0.1:5055/v2/ 2>&1 | grep -c ' 401 ')" = 1 ]; then exit 0; fi
    if [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5055/v2/ 2>/dev/null)" = 401 ]; then exit 0; fi
    sleep 0.1
done
journalctl -u plimsoll-test-registry --no-pager | tail -n 5 >&2
exit 1
