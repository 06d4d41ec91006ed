#!/bin/sh
# Puts a measurement device's package, configuration and one-time token into the root file system of
# Debian or Raspberry Pi OS that is mounted at a folder. Nothing of the image is executed. It can be run
# again; it refuses a card on which a device is enrolled.
set -eu

usage() {
    cat >&2 <<'END'
prepare.sh --root FOLDER --package FILE.deb --url URL --ca FILE --device UUID --token FILE [--labels FILE]

  --root     where the card's root file system is mounted
  --package  the package for the card's architecture
  --url      the Data API, such as https://ebp.example.org:8443
  --ca       the authority's certificate (PEM)
  --device   the device's identifier
  --token    the file with its one-time token
  --labels   a CSV to which device, short name and page are added, once for each device
END
    exit 2
}

fail() {
    echo "prepare.sh: $*" >&2
    exit 1
}

root='' package='' url='' ca='' device='' token='' labels=''
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case "$1" in
    --root) root=$2 ;;
    --package) package=$2 ;;
    --url) url=$2 ;;
    --ca) ca=$2 ;;
    --device) device=$2 ;;
    --token) token=$2 ;;
    --labels) labels=$2 ;;
    *) usage ;;
    esac
    shift 2
done
for needed in "$root" "$package" "$url" "$ca" "$device" "$token"; do
    [ -n "$needed" ] || usage
done
for file in "$package" "$ca" "$token"; do
    [ -f "$file" ] || fail "$file is no file"
done
# The machine's own root is no card.
root=$(cd "$root" && pwd -P)
[ "$root" != / ] || fail "--root is this machine itself"
[ -d "$root/etc/systemd/system" ] || fail "$root is no root file system with systemd: is the card mounted?"
[ ! -e "$root/etc/ebp/device.pem" ] || fail "a device is enrolled on this card: write the image anew"
# They stand in a file that a shell reads.
case "$url" in https://*) ;; *) fail "--url begins with https://" ;; esac
case "$url" in *[!A-Za-z0-9.:/_-]*) fail "--url has a character that no address has" ;; esac
case "$device" in
*[!0-9a-f-]* | -*) fail "--device is an identifier such as 0b1f4e0a-7a55-4c3e-9d6b-2f6f0c0f7a01" ;;
esac
[ "${#device}" -eq 36 ] || fail "--device has 36 characters"

# The name that its sheet has, and its page.
name="ebp-$(printf '%s' "$device" | tail -c 4)"
own=$root/var/lib/ebp-first-start
mkdir -p "$own"
chmod 700 "$own"
cp "$package" "$own/ebp.deb"
cp "$ca" "$own/ca.pem"
(umask 077 && cp "$token" "$own/token.new" && mv "$own/token.new" "$own/token")
chmod 600 "$own/token"
printf 'URL=%s\n' "$url" >"$own/settings"
here=$(cd "$(dirname "$0")" && pwd)
cp "$here/first-start.sh" "$own/first-start.sh"
cp "$here/ebp-first-start.service" "$root/etc/systemd/system/ebp-first-start.service"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../ebp-first-start.service "$root/etc/systemd/system/multi-user.target.wants/ebp-first-start.service"
printf '%s\n' "$name" >"$root/etc/hostname"
if [ -n "$labels" ]; then
    [ -e "$labels" ] || echo 'device,name,page' >"$labels"
    grep -q "^$device," "$labels" || echo "$device,$name,http://$name.local/" >>"$labels"
fi
sync
echo "$name is prepared for $device"
