# The package has made a database of its own; the image begins with none.
set -eu
rm -rf /etc/postgresql /var/lib/postgresql/*/main /var/log/postgresql/*
mkdir -p /docker-entrypoint-initdb.d /var/lib/postgresql/data
chown postgres:postgres /var/lib/postgresql/data
ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
