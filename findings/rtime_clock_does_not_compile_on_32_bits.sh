#!/usr/bin/env bash
# The one safe wrapper of adjtimex(2) does not compile for Linux with 32 bits.
#
# rtime-clock 0.15.1 is the library that asks Linux, without unsafe code of one's own, whether its
# time of day is right (rustix 1 and nix 0.31 do not have the call). It writes 64-bit numbers into
# the fields of `timex`, which are C's `long`: on ARMv7 and i686 these have 32 bits. The compiler
# refuses it there with mismatched types, though what reads the state alone would compile; neither
# its page nor its metadata names the machines that it is for.
#
# Needs the standard library of ARMv7: rustup's, or Debian's libstd-rust-web-dev:armhf with rustc-web.
# Seen on 2026-12-02, rustc 1.96. Fails if that changes.
set -euo pipefail
target=armv7-unknown-linux-gnueabihf
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

compiler=rustc
has_target() { [ -d "$("$1" --print sysroot)/lib/rustlib/$target/lib" ]; }
if ! has_target rustc; then
    if [ -x /usr/bin/rustc ] && has_target /usr/bin/rustc; then
        compiler=/usr/bin/rustc
    else
        rustup target add "$target"
    fi
fi

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "asks"
version = "0.0.0"
edition = "2021"

[dependencies]
rtime-clock = "=0.15.1"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    let mut state = rtime_clock::adjtime::Timex::new();
    println!("{:?}", rtime_clock::adjtime::adjtimex(&mut state));
}
RUST

RUSTC=$compiler cargo check --quiet
echo "rtime-clock 0.15.1 compiles for this machine"
if RUSTC=$compiler cargo check --quiet --target "$target" 2>said; then
    echo "it compiles for $target now" >&2
    exit 1
fi
grep --quiet 'expected .i32., found .i64.' said
grep --quiet 'could not compile .rtime-clock.' said
echo "for $target it does not: $(grep --count 'expected .i32., found .i64.' said) mismatched types"
