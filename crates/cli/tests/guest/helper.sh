#!/bin/sh
# A program that keeps logins, as Docker asks them.
[ "$1" = get ] && [ "$(cat)" = 127.0.0.1:5055 ] || { echo "credentials not found in native keychain"; exit 1; }
printf '{"ServerURL":"127.0.0.1:5055","Username":"shop","Secret":"horse-and-cart"}\n'
