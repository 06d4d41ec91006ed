#!/bin/sh
# What the checks share. Each runs as root of the machine, with `set -eu`.
# shellcheck disable=SC2034  # used by the checks
set -eu

UNITS="ebp-read.service ebp-transmit.service ebp-tunnel.service ebp-page.service ebp-page.socket
ebp-page-renew.timer ebp-serve.service ebp-update.service ebp-update.timer ebp-update-boot.timer"
URL=https://localhost:8443
CA=/var/lib/ebp/authority/ca.pem
METER=6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002
DEVICE=0b1f4e0a-7a55-4c3e-9d6b-2f6f0c0f7a01
EMAIL=erika@example.org

fail() {
    echo "FAILED: $*"
    exit 1
}

# Runs it again until it succeeds, for so many SECONDS.
within() {
    seconds=$1
    shift
    until "$@" >/tmp/within 2>&1; do
        seconds=$((seconds - 1))
        [ "$seconds" -gt 0 ] || {
            cat /tmp/within
            journalctl --no-pager --lines=20 --unit='ebp-*' || true
            fail "not within its time: $*"
        }
        sleep 1
    done
}

as_ebp() {
    runuser -u ebp -- "$@"
}

# When the meter was measured, an instant on each line.
instants() {
    ebp measurements --folder /root/survey --url "$URL" --meter "$METER" --format json |
        sed -n 's/.*"measured_at":"\([^"]*\)".*/\1/p'
}

# Whether there are more than so many.
more_than() {
    [ "$(instants | wc -l)" -gt "$1" ]
}
