#!/bin/sh
# The second household withdraws after the backup, and the list of revocations is kept.
set -eu
ebp consent revoke --folder /media/stick/max --url https://ebp.example.org:8443 --yes
systemctl start ebp-revocations.service
