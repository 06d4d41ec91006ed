#!/bin/sh
# The server's name leads to this network, as it would by DNS.
set -eu
grep -q ebp.example.org /etc/hosts || echo '127.0.0.1 ebp.example.org' >>/etc/hosts
