#!/bin/sh
# A server, a household that consents, and its device, all by the package's units.
# shellcheck source=xtask/machine/support.sh
. /ebp-checks/support.sh

as_ebp ebp ca init --data /var/lib/ebp
for group in researchers administrators; do
    echo "a secret of the machine" | as_ebp ebp serve secret set "$group" --data /var/lib/ebp
done
install -d /root/survey
printf 'a secret of the machine\n' >/root/secret
chmod 600 /root/secret
# The survey's cycle is shorter than a quarter of an hour here.
install -d /etc/systemd/system/ebp-serve.service.d
printf '[Service]\nEnvironment=EBP_SERVER_CYCLE=10s\n' >/etc/systemd/system/ebp-serve.service.d/cycle.conf
systemctl daemon-reload
systemctl enable --now ebp-serve.service

cat >/tmp/registration.toml <<END
measurement_device = "$DEVICE"

[participant]
name = "Erika Beispiel"
email = "$EMAIL"

[address]
street = "Musterstraße 1"
postal_code = "65183"
city = "Wiesbaden"
country = "DE"

[location]
latitude = 50.0826
longitude = 8.24

[metadata]
children = 1
adults = 2
adults_with_job = 1
electric_vehicle_charger = false
heat_pump = true
home_battery = false

[[meters]]
type = "ELECTRICITY"
model = "MT175"
uuid = "$METER"
END
set -- --url "$URL" --ca "$CA" --secret-file /root/secret
within 30 ebp household add "$@" /tmp/registration.toml
ebp device token "$DEVICE" "$@" --output /root/token
ebp device enroll --url "$URL" --ca "$CA" --token-file /root/token --output /etc/ebp
as_ebp ebp ca issue --data /var/lib/ebp --email "$EMAIL" --output /var/lib/ebp/survey
cp /var/lib/ebp/survey/* /root/survey
ebp consent grant --folder /root/survey --url "$URL" --yes

# A meter that nobody has to point a head at.
systemd-run --unit=meter --uid=ebp --property=RuntimeDirectory=meter \
    ebp simulate --link /run/meter/MT175 --model MT175 --interval 500ms
cat >/etc/ebp/device.toml <<END
spool = "/var/lib/ebp/spool"
state = "/var/lib/ebp"
clock = "trusted"

[api]
url = "$URL"
ca = "ca.pem"
certificate = "device.pem"
key = "device.key"

[cycle]
measurement = "10s"
report = "10s"
timeout = "5s"

[[meter]]
uuid = "$METER"
model = "MT175"
port = "/run/meter/MT175"
END
chown -R ebp: /etc/ebp
systemctl enable --now ebp-read.service ebp-transmit.service
within 90 more_than 2
