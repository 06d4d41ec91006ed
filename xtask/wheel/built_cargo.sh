#!/bin/sh
# Stands in for cargo while maturin packs a program that is built already: where maturin would have it
# built, this prints what cargo says of a finished program. All else is cargo's.
set -eu
case "$1" in
rustc) exec cat "$EBP_WHEEL_MESSAGES" ;;
*) exec "$EBP_WHEEL_CARGO" "$@" ;;
esac
