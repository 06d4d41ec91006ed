#!/bin/sh
# Removed: nothing runs, data stay. Purged without an answer: data stay. Purged with one: they are gone.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

# After a start of the machine this is what it had before.
[ -e /root/count ] || instants | wc -l >/root/count
dpkg -r ebp
! pgrep -u ebp -f 'ebp (read|transmit|serve)' >/dev/null || fail "a daemon outlived its program"
! [ -e /usr/bin/ebp ] || fail "the program is still there"
[ -e /var/lib/ebp/authority/ca.pem ] || fail "the authority is gone"
dpkg -P ebp
[ -e /var/lib/ebp/authority/ca.pem ] || fail "a purge removed data that nobody gave up"
dpkg -i /ebp-checks/ebp_0.1.1.deb
systemctl enable --now ebp-serve.service ebp-read.service ebp-transmit.service
within 90 more_than "$(cat /root/count)"
echo "ebp ebp/remove-data boolean true" | debconf-set-selections
dpkg -P ebp
for folder in /etc/ebp /etc/ebp-web /var/lib/ebp /var/lib/ebp-web; do
    ! [ -e "$folder" ] || fail "$folder is still there"
done
dpkg -i /ebp-checks/ebp_0.1.0.deb
ebp --version
