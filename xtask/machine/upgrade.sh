#!/bin/sh
# The package is upgraded while a device measures: the daemons begin anew, each slot is measured once.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

before=$(systemctl show --property=MainPID ebp-read.service)
count=$(instants | wc -l)
dpkg -i /ebp-checks/ebp_0.1.1.deb
[ "$(dpkg-query --show --showformat='${Version}' ebp)" = 0.1.1 ] || fail "the version before"
for unit in ebp-serve.service ebp-read.service ebp-transmit.service; do
    within 30 systemctl is-active "$unit"
done
[ "$(systemctl show --property=MainPID ebp-read.service)" != "$before" ] || fail "the program before runs on"
within 90 more_than $((count + 4))
slots=$(instants | while read -r instant; do echo $(($(date -d "$instant" +%s) / 10)); done | sort -n)
first=$(echo "$slots" | head -n 1)
last=$(echo "$slots" | tail -n 1)
[ "$slots" = "$(seq "$first" "$last")" ] || fail "not each slot once: $slots"
echo "= upgrade: $(echo "$slots" | wc -l) slots in a row, each measured once"
