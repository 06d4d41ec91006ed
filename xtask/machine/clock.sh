#!/bin/sh
# Whatever keeps the daemon from asking the kernel for the clock, no measurement gets a wrong time.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

drop_in=/etc/systemd/system/ebp-read.service.d
install -d "$drop_in"
cp /etc/ebp/device.toml /root/device.toml
systemctl stop ebp-transmit.service

# Measures under a line of the unit with a spool of its own, since a clock that was right once is trusted
# until the machine stops. It is asked what is known of the clock: `hidden` if the daemon says at its start
# that it cannot ask, else `asked`.
try() {
    name=$1
    printf '[Service]\n%b\n' "$2" >"$drop_in/clock.conf"
    sed -e 's/^clock = .*/clock = "kernel"/' -e "s,^spool = .*,spool = \"/var/lib/ebp/clock-$name\"," \
        /root/device.toml >/etc/ebp/device.toml
    systemctl daemon-reload
    since=$(date +'%Y-%m-%d %H:%M:%S')
    systemctl restart ebp-read.service
    within 60 measured
    systemctl is-active --quiet ebp-read.service || fail "$name: the daemon does not run"
    how=asked
    journalctl --no-pager --unit=ebp-read.service --since="$since" | grep -q 'the kernel does not say' && how=hidden
    [ "$how" = "$3" ] || fail "$name: $how where $3 was expected"
    # Outside of the unit, where the kernel may be asked.
    right=$(status '"clock_synchronised":\([a-z]*\)')
    pending=$(status '"pending":\([0-9]*\)')
    unplaced=$(status '"unplaced":\([0-9]*\)')
    if [ "$how" = asked ] && [ "$right" = true ]; then
        [ "$unplaced" = 0 ] || fail "$name: $unplaced measurements without a time under a clock that is right"
    else
        [ "$pending" = 0 ] || fail "$name: $pending measurements got the time of a clock that is not known"
    fi
    echo "= clock: $name: the clock is $how, and right: $right; $pending with a time, $unplaced without"
}

# A member of the status.
status() {
    as_ebp ebp device status --config /etc/ebp/device.toml --format json | sed -n "s/.*$1.*/\1/p"
}

measured() {
    [ $(($(status '"pending":\([0-9]*\)') + $(status '"unplaced":\([0-9]*\)'))) -gt 1 ]
}

try shipped "" asked
try ProtectClock "ProtectClock=yes" hidden
try system-service "SystemCallFilter=\nSystemCallFilter=@system-service" hidden
try ProcSubset "ProcSubset=pid" hidden
rm -r "$drop_in"
cp /root/device.toml /etc/ebp/device.toml
systemctl daemon-reload
systemctl restart ebp-read.service ebp-transmit.service
