#!/bin/sh
# The package is upgraded while a device measures: the daemons begin anew, each slot is measured once.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

# With the usual cycle the package waits until no measurement is due: first it is the 880th second of a
# slot, then the 310th.
shim=/tmp/shim
install -d "$shim"
printf '#!/bin/sh\n[ -e %s/waited ] && echo 310 || echo 880\n' "$shim" >"$shim/date"
printf '#!/bin/sh\ntouch %s/waited\n' "$shim" >"$shim/sleep"
chmod 755 "$shim/date" "$shim/sleep"
sed '/^wait_between_slots() {/,/^}/!d' /var/lib/dpkg/info/ebp.postinst >"$shim/wait"
waits() {
    rm -f "$shim/waited"
    PATH="$shim:$PATH" sh -c ". $shim/wait && wait_between_slots" 2>&1
    [ -e "$shim/waited" ]
}
! waits || fail "it waits though the cycle is 10 s"
sed -i 's/^measurement = "10s"/measurement = "15m"/' /etc/ebp/device.toml
waits | grep -q 'A measurement is due' || fail "it does not say that it waits"
waits >/dev/null || fail "it does not wait until no measurement is due"
sed -i 's/^measurement = "15m"/measurement = "10s"/' /etc/ebp/device.toml

before=$(systemctl show --property=MainPID ebp-read.service)
count=$(instants | wc -l)
dpkg -i /ebp-checks/ebp_0.1.1.deb
[ "$(dpkg-query --show --showformat='${Version}' ebp)" = 0.1.1 ] || fail "the version before"
for unit in ebp-serve.service ebp-read.service ebp-transmit.service; do
    within 30 systemctl is-active "$unit"
done
[ "$(systemctl show --property=MainPID ebp-read.service)" != "$before" ] || fail "the program before runs on"
within 90 more_than $((count + 4))
slots=$(instants | while read -r instant; do echo $(($(date -d "$instant" +%s) / 10)); done | sort -n)
first=$(echo "$slots" | head -n 1)
last=$(echo "$slots" | tail -n 1)
[ "$slots" = "$(seq "$first" "$last")" ] || fail "not each slot once: $slots"
echo "= upgrade: $(echo "$slots" | wc -l) slots in a row, each measured once"
