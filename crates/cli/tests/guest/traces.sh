# Where a login stands: a line for each place. The patterns stand in a file, so that no argument holds them.
cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -qaFf /srv/patterns && echo "a process has it"
grep -rlaF -D skip -f /srv/patterns /run /var/lib/plimsoll /root /tmp /var/tmp /etc/docker /var/log 2>/dev/null
journalctl --no-pager 2>/dev/null | grep -aFf /srv/patterns
true
