#!/bin/sh
# Another version by the package's units: one that works is kept and no slot is missed, one that ends at
# once and one that reads no meter are left, and what was measured meanwhile arrives.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh
# shellcheck source=xtask/machine/releases.sh
. /ebp-checks/releases.sh

switch_updates_on
[ "$(runs)" = /usr/bin/ebp ] || fail "it runs $(runs)"
first=$(instants | tail -n 1)
another 0.1.9
want 0.1.9
systemctl start ebp-update.service || fail "$(journalctl --no-pager --unit=ebp-update)"
status | grep -q '"committed":"0.1.9"' || fail "$(status) $(journalctl --no-pager --unit='ebp-*')"
runs_version 0.1.9 || fail "it runs $(runs)"
count=$(instants | wc -l)
within 90 more_than $((count + 3))
slots=$(slots_since "$first")
is_each_once "$slots" || fail "not each slot once: $slots"
echo "= update: kept, with $(echo "$slots" | wc -l) slots in a row, each measured once"

otherwise 0.2.0 0.1.9 read 'exit 1'
want 0.2.0
begun=$(date +%s)
systemctl start --no-block ebp-update.service
within 60 is_in returning
within 30 runs_version 0.1.9
echo "= update: a version that ends at once was left $(($(date +%s) - begun)) s after it was wanted"
within 180 is_in idle
status | grep -q 'everything works again' || fail "$(status)"

otherwise 0.2.1 0.1.9 read 'exec sleep 10000'
want 0.2.1
systemctl start ebp-update.service
status | grep -q "0.2.1 is not run: .*meter $METER.*everything works again" || fail "$(status)"
runs_version 0.1.9 || fail "it runs $(runs)"
systemctl start ebp-update.service
journalctl --no-pager --unit=ebp-update | grep -q 'was reverted and is refused' ||
    fail "it is tried again"
echo "= update: a version that reads no meter was left, and is refused"
