set -eu
rm -rf /etc/nginx/sites-enabled /etc/nginx/sites-available
sed -i '/sites-enabled/d' /etc/nginx/nginx.conf
mkdir -p /usr/share/nginx/html /docker-entrypoint.d
echo '<h1>A stand-in for nginx serves this page</h1>' > /usr/share/nginx/html/index.html
cat > /etc/nginx/conf.d/default.conf <<'C'
server {
    listen 80;
    listen [::]:80;
    root /usr/share/nginx/html;
    index index.html;
}
C
ln -sf /dev/stdout /var/log/nginx/access.log
ln -sf /dev/stderr /var/log/nginx/error.log
