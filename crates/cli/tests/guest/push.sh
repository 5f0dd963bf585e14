# Builds an image that serves a text, pushes it, and takes it away here. The password comes by the input.
set -e
mkdir -p /srv/image
cd /srv/image
echo TEXT >version.txt
cat >Dockerfile <<'END'
FROM plimsoll-test/base:1
COPY version.txt /app/version.txt
HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD wget -q -O- http://127.0.0.1:8080/version.txt
CMD ["httpd", "-f", "-p", "8080", "-h", "/app"]
END
export DOCKER_CONFIG=/srv/login
trap 'rm -rf /srv/login' EXIT
docker login -u shop --password-stdin 127.0.0.1:5055
for tag in TAGS; do
    docker build -q -t "127.0.0.1:5055/shop/web:$tag" .
    docker push -q "127.0.0.1:5055/shop/web:$tag"
done
for tag in TAGS; do docker image rm "127.0.0.1:5055/shop/web:$tag"; done
