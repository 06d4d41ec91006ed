#!/bin/sh
# The device's page answers by the name on the sheet and its certificate can be renewed; the participant
# grants consent.
set -eu
# shellcheck disable=SC2016
bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"; printf "GET / HTTP/1.0\r\nHost: $1\r\n\r\n" >&3; head -n 1 <&3' \
    80 ebp-7a01.local | grep -q ' 200 '
systemctl start ebp-page-renew.service
ebp consent grant --folder /media/stick/erika --url https://ebp.example.org:8443 --yes
