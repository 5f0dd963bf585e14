#!/bin/sh
# Stand-in for the entry of the official nginx image: templates take values from the environment, scripts run first.
set -eu
names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
for template in /etc/nginx/templates/*.template; do
    [ -f "$template" ] || continue
    name=${template##*/}
    envsubst "$names" < "$template" > "/etc/nginx/conf.d/${name%.template}"
done
for script in /docker-entrypoint.d/*.sh; do
    if [ -x "$script" ]; then "$script"; fi
done
exec "$@"
