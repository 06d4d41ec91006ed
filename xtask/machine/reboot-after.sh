#!/bin/sh
# After the start: server and daemons run, and measure on.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

systemd-run --unit=meter --uid=ebp --property=RuntimeDirectory=meter \
    ebp simulate --link /run/meter/MT175 --model MT175 --interval 500ms
for unit in ebp-serve.service ebp-read.service ebp-transmit.service; do
    within 30 systemctl is-active "$unit"
done
within 90 more_than $(($(cat /root/count) + 1))
