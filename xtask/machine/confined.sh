#!/bin/sh
# What systemd says of each service: below 2.0, and of the one that updates the program, as root, at most 2.5.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

for unit in $(dpkg -L ebp | sed -n 's,.*/systemd/system/\(.*\.service\)$,\1,p'); do
    most=19
    [ "$unit" = ebp-update.service ] && most=25
    said=$(systemd-analyze security --no-pager --threshold="$most" "$unit") || fail "$said"
    echo "= $(echo "$said" | tail -n 1 | sed 's/[^[:print:]]//g')"
done
