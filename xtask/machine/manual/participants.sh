#!/bin/sh
# What each participant was given.
set -eu
for name in erika max; do
    runuser -u ebp -- ebp ca issue --data /var/lib/ebp --email "$name@example.org" --output "/var/lib/ebp/$name"
    mv "/var/lib/ebp/$name" /media/stick/
    cp /var/lib/ebp/authority/ca.pem "/media/stick/$name/"
done
chown -R root: /media/stick
