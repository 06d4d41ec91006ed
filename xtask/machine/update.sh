#!/bin/sh
# Another version by the package's units: one that works is kept and no slot is missed, one that ends at
# once and one that reads no meter are left, and what was measured meanwhile arrives.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

# The service sees no home.
releases=/srv/ebp-releases
install -d "$releases"
sed -i '1i socket = "/run/ebp/read.sock"' /etc/ebp/device.toml
printf '\n[update]\nsource = "%s"\ntrial = "64s"\n' "$releases" >>/etc/ebp/device.toml
systemctl restart ebp-read.service ebp-transmit.service
count=$(instants | wc -l)
within 90 more_than "$((count + 2))"

# The program of that VERSION, which is in $releases/ebp, is wanted from now on.
want() {
    mv "$releases/ebp" "$releases/ebp-$1"
    sum=$(sha256sum "$releases/ebp-$1")
    printf '{"version": "%s", "programs": {"%s": {"file": "%s", "length": %s, "sha256": "%s"}}}\n' \
        "$1" "$(uname -m)" "ebp-$1" "$(stat -c %s "$releases/ebp-$1")" "${sum%% *}" >"$releases/new"
    mv "$releases/new" "$releases/desired.json"
}

# A program that is VERSION and, in place of that COMMAND, does something else.
otherwise() {
    cat >"$releases/ebp" <<END
#!/bin/sh
case "\$1" in
--version) echo "ebp $1" ;;
$2) $3 ;;
*) exec /var/lib/ebp-update/versions/0.1.9/ebp "\$@" ;;
esac
END
}

# What the reading service runs.
runs() {
    readlink "/proc/$(systemctl show --value --property=MainPID ebp-read.service)/exe"
}

status() {
    ebp update status --format json
}

runs_kept() {
    [ "$(runs)" = /var/lib/ebp-update/versions/0.1.9/ebp ]
}

is_in() {
    status | grep -q "\"phase\":\"$1\""
}

[ "$(runs)" = /usr/bin/ebp ] || fail "it runs $(runs)"
first=$(instants | tail -n 1)
LC_ALL=C sed 's/0\.1\.0/0.1.9/g' /usr/bin/ebp >"$releases/ebp"
want 0.1.9
systemctl start ebp-update.service || fail "$(journalctl --no-pager --unit=ebp-update)"
status | grep -q '"committed":"0.1.9"' || fail "$(status) $(journalctl --no-pager --unit='ebp-*')"
runs_kept || fail "it runs $(runs)"
count=$(instants | wc -l)
within 90 more_than $((count + 3))
slots=$(instants | sed -n "/^$first\$/,\$p" | while read -r instant; do
    echo $(($(date -d "$instant" +%s) / 10))
done | sort -n)
[ "$slots" = "$(seq "$(echo "$slots" | head -n 1)" "$(echo "$slots" | tail -n 1)")" ] ||
    fail "not each slot once: $slots"
echo "= update: kept, with $(echo "$slots" | wc -l) slots in a row, each measured once"

otherwise 0.2.0 read 'exit 1'
want 0.2.0
begun=$(date +%s)
systemctl start --no-block ebp-update.service
within 60 is_in returning
within 30 runs_kept
echo "= update: a version that ends at once was left $(($(date +%s) - begun)) s after it was wanted"
within 180 is_in idle
status | grep -q 'everything works again' || fail "$(status)"

otherwise 0.2.1 read 'exec sleep 10000'
want 0.2.1
systemctl start ebp-update.service
status | grep -q "0.2.1 is not run: .*meter $METER.*everything works again" || fail "$(status)"
runs_kept || fail "it runs $(runs)"
systemctl start ebp-update.service
journalctl --no-pager --unit=ebp-update | grep -q 'was reverted and is refused' ||
    fail "it is tried again"
echo "= update: a version that reads no meter was left, and is refused"
