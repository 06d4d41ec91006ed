#!/bin/sh
# The package is installed: everything is in its place, and nothing runs that was not asked for.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

dpkg -i /ebp-checks/ebp_0.1.0.deb
ebp --version
# The stacks of its error reports name functions.
EBP_ERRORS_DSN=http://0123456789abcdef0123456789abcdef@127.0.0.1:1/1 ebp errors test --folder /tmp/errors || true
grep -q '"ebp::main"' /tmp/errors/queue/* || fail "a stack without names"
rm -r /tmp/errors
for user in ebp ebp-web; do
    id "$user" >/dev/null || fail "no user $user"
done
for unit in $UNITS; do
    [ "$(systemctl is-active "$unit" || true)" = inactive ] || fail "$unit runs"
    case "$(systemctl is-enabled "$unit" || true)" in
    disabled | static) ;;
    *) fail "$unit is enabled" ;;
    esac
done
for file in /usr/share/man/man1/ebp-read.1.gz /usr/share/doc/ebp/copyright \
    /usr/share/doc/ebp/examples/cron /usr/share/bash-completion/completions/ebp; do
    dpkg -L ebp | grep -qx "$file" || fail "the package does not list $file"
done
for unit in $(dpkg -L ebp | grep '/systemd/system/.*\.service$'); do
    systemd-analyze verify --man=no "$unit" || fail "$unit is not understood"
done
while read -r folder; do
    name=${folder%% *}
    [ "$(stat -c '%n %U %a' "$name")" = "$folder" ] || fail "$name is $(stat -c '%U %a' "$name")"
done <<END
/etc/ebp ebp 750
/var/lib/ebp ebp 700
/etc/ebp-web ebp-web 750
/var/lib/ebp-update root 755
END
