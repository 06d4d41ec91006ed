#!/bin/sh
# The participant grants consent.
set -eu
ebp consent grant --folder /media/stick/max --url https://ebp.example.org:8443 --yes
