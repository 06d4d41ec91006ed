#!/bin/sh
# What systemd says of each service: below 2.0.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

for unit in $(dpkg -L ebp | sed -n 's,.*/systemd/system/\(.*\.service\)$,\1,p'); do
    said=$(systemd-analyze security --no-pager --threshold=19 "$unit") || fail "$said"
    echo "= $(echo "$said" | tail -n 1 | sed 's/[^[:print:]]//g')"
done
