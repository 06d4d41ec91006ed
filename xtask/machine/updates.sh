#!/bin/sh
# Ten versions that work, one after the other, by the package's units: no slot is missed, and the updater
# writes at most three times the program's size. One that ends at once is left within a minute.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh
# shellcheck source=xtask/machine/releases.sh
. /ebp-checks/releases.sh

switch_updates_on
written=/tmp/written

# Keeps what the kernel says that the updater has written to the disk, until it has ended.
watch_writes() {
    while [ ! -e "$written.over" ]; do
        updater=$(systemctl show --value --property=MainPID ebp-update.service)
        bytes=$(sed -n 's/^write_bytes: //p' "/proc/$updater/io" 2>/dev/null || true)
        [ -z "$bytes" ] || [ "$updater" = 0 ] || echo "$bytes" >"$written"
        sleep 0.2
    done
}

first=$(instants | tail -n 1)
most=0
for version in 0.1.1 0.1.2 0.1.3 0.1.4 0.1.5 0.1.6 0.1.7 0.1.8 0.1.9 0.2.0; do
    another "$version"
    want "$version"
    rm -f "$written" "$written.over"
    watch_writes &
    systemctl start ebp-update.service || fail "$(journalctl --no-pager --unit=ebp-update)"
    touch "$written.over"
    wait
    status | grep -q "\"committed\":\"$version\"" ||
        fail "$(status) $(journalctl --no-pager --unit='ebp-*')"
    runs_version "$version" || fail "it runs $(runs)"
    size=$(stat -c %s "$releases/ebp-$version")
    bytes=$(cat "$written")
    # Less than the program was not counted right.
    [ "$bytes" -ge "$size" ] || fail "$bytes bytes written of $size"
    [ "$bytes" -le $((3 * size)) ] || fail "$bytes bytes written of $size"
    percent=$((bytes * 100 / size))
    [ "$percent" -le "$most" ] || most=$percent
    rm "$releases/ebp-$version"
done
count=$(instants | wc -l)
within 90 more_than $((count + 3))
slots=$(slots_since "$first")
is_each_once "$slots" || fail "not each slot once: $slots"
echo "= updates: 10 versions kept over $(echo "$slots" | wc -l) slots in a row, each measured once"
echo "= updates: at most $most % of a program's size was written for it"

otherwise 0.3.0 0.2.0 read 'exit 1'
want 0.3.0
begun=$(date +%s)
systemctl start --no-block ebp-update.service
within 60 is_in returning
within 60 runs_version 0.2.0
took=$(($(date +%s) - begun))
[ "$took" -le 60 ] || fail "it was left after $took s"
echo "= updates: a version that ends at once was left $took s after it was wanted"
