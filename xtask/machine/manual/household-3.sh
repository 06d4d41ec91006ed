#!/bin/sh
# A third household, which consents.
set -eu
sed -e 's/0c0f7a01/0c0f7a03/; s/d6a001/d6a003/; s/Erika/Eva/; s/erika@/eva@/; s/straße 1/straße 3/' \
    /root/erika.toml >/root/eva.toml
as-researcher household add /root/eva.toml
runuser -u ebp -- ebp ca issue --data /var/lib/ebp --email eva@example.org --output /var/lib/ebp/eva
mv /var/lib/ebp/eva /root/eva
chown -R root: /root/eva
cp /root/ca.pem /root/eva/
ebp consent grant --folder /root/eva --url https://ebp.example.org:8443 --yes
