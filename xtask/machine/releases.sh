#!/bin/sh
# What the checks of updates share: versions that are wanted, and what runs.

# The service sees no home.
releases=/srv/ebp-releases

# Lets the device take versions from the folder, and waits until it measures.
switch_updates_on() {
    install -d "$releases"
    sed -i '1i socket = "/run/ebp/read.sock"' /etc/ebp/device.toml
    printf '\n[update]\nsource = "%s"\ntrial = "64s"\n' "$releases" >>/etc/ebp/device.toml
    systemctl restart ebp-read.service ebp-transmit.service
    count=$(instants | wc -l)
    within 90 more_than "$((count + 2))"
}

# The program of that VERSION, which is in $releases/ebp, is wanted from now on.
want() {
    mv "$releases/ebp" "$releases/ebp-$1"
    sum=$(sha256sum "$releases/ebp-$1")
    printf '{"version": "%s", "programs": {"%s": {"file": "%s", "length": %s, "sha256": "%s"}}}\n' \
        "$1" "$(uname -m)" "ebp-$1" "$(stat -c %s "$releases/ebp-$1")" "${sum%% *}" >"$releases/new"
    mv "$releases/new" "$releases/desired.json"
}

# The package's program as another VERSION.
another() {
    LC_ALL=C sed "s/0\.1\.0/$1/g" /usr/bin/ebp >"$releases/ebp"
}

# A program that is VERSION and, in place of that COMMAND, does something else; for all others it is
# the version KEPT.
otherwise() {
    cat >"$releases/ebp" <<END
#!/bin/sh
case "\$1" in
--version) echo "ebp $1" ;;
$3) $4 ;;
*) exec /var/lib/ebp-update/versions/$2/ebp "\$@" ;;
esac
END
}

# What the reading service runs.
runs() {
    readlink "/proc/$(systemctl show --value --property=MainPID ebp-read.service)/exe"
}

runs_version() {
    [ "$(runs)" = "/var/lib/ebp-update/versions/$1/ebp" ]
}

status() {
    ebp update status --format json
}

is_in() {
    status | grep -q "\"phase\":\"$1\""
}

# The slots of ten seconds that were measured since that instant, a line each.
slots_since() {
    instants | sed -n "/^$1\$/,\$p" | while read -r instant; do
        echo $(($(date -d "$instant" +%s) / 10))
    done | sort -n
}

# Whether these slots are in a row, each of them once.
is_each_once() {
    [ "$1" = "$(seq "$(echo "$1" | head -n 1)" "$(echo "$1" | tail -n 1)")" ]
}
