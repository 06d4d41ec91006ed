#!/bin/sh
# Both devices share a network here, so that the second one's page needs another port.
set -eu
install -d /etc/systemd/system/ebp-page.socket.d
printf '[Socket]\nListenStream=\nListenStream=81\n' >/etc/systemd/system/ebp-page.socket.d/port.conf
systemctl daemon-reload
