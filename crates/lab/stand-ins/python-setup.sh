# In an image nobody but the image installs: packages go beside the interpreter.
set -eu
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ln -s /usr/bin/python3 /usr/local/bin/python
