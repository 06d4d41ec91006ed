#!/bin/sh
# Where backups go.
set -eu
install -d /backup
