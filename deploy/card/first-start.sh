#!/bin/sh
# The first start of a measurement device: installs the package, enrols by the token, finds the meters,
# configures the household's page, starts the services, and removes what was needed for it. Each step is
# passed over if it is done, so that it can be interrupted anywhere.
set -eu
own=/var/lib/ebp-first-start
# shellcheck source=/dev/null
. "$own/settings"

# Where the power went while the package was configured, its program is there, and its users are not.
installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' ebp 2>/dev/null)" = installed ]; }
export DEBIAN_FRONTEND=noninteractive
# Of what else is half configured the card can do without.
installed || dpkg --configure --pending || true
installed || dpkg --install "$own/ebp.deb"
if [ ! -e /etc/ebp/device.pem ]; then
    ebp device enroll --url "$URL" --ca "$own/ca.pem" --token-file "$own/token" --output /etc/ebp
fi
# It is good for one device, once.
rm -f "$own/token"
[ -e /etc/ebp/device.toml ] || ebp device init --folder /etc/ebp --url "$URL"
systemctl enable --now ebp-read.service ebp-transmit.service ebp-page.socket ebp-page-renew.timer
systemctl disable ebp-first-start.service
rm -r "$own"
