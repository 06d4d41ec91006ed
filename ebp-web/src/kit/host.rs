//! The names under which a page in a home network may be asked for.
//!
//! A name of an attacker can be made to resolve to the device (DNS rebinding): then `Host` and
//! `Origin` agree, and only a list of own names stops the page. Addresses cannot be rebound.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Zones in which routers and mDNS give names to devices of their network.
const LOCAL_ZONES: [&str; 5] = ["local", "lan", "home.arpa", "internal", "fritz.box"];

/// The names of this page.
#[derive(Debug, Clone)]
pub struct HostNames(Vec<String>);

impl HostNames {
    /// Those of a machine with that name (a single label), and further names as configured.
    #[must_use]
    pub fn new(machine: &str, further: &[String]) -> Self {
        let machine = machine.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let mut names = vec!["localhost".to_owned()];
        if !machine.is_empty() {
            names.extend(LOCAL_ZONES.iter().map(|zone| format!("{machine}.{zone}")));
            names.push(machine);
        }
        names.extend(further.iter().map(|name| name.to_ascii_lowercase()));
        Self(names)
    }

    /// Whether a `Host` header names this page.
    #[must_use]
    pub fn contains(&self, host: &str) -> bool {
        let Some(authority) = Authority::parse(host) else { return false };
        match authority.host {
            Host::Address(_) => true,
            Host::Name(name) => self.0.iter().any(|own| own.eq_ignore_ascii_case(name)),
        }
    }

    /// The names to show to somebody who came with another one.
    #[must_use]
    pub fn shown(&self) -> &[String] {
        &self.0
    }
}

/// The value of a `Host` header, in its parts.
struct Authority<'a> {
    host: Host<'a>,
}

enum Host<'a> {
    Address(#[allow(dead_code, reason = "any address is permitted")] IpAddr),
    Name(&'a str),
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (
                    Host::Address(address.into()),
                    port.strip_prefix(':').or(port.is_empty().then_some("0"))?,
                )
            }
            None => {
                let (host, port) = text.split_once(':').unwrap_or((text, "0"));
                match host.parse::<Ipv4Addr>() {
                    Ok(address) => (Host::Address(address.into()), port),
                    Err(_) => (Host::Name(host), port),
                }
            }
        };
        let is_port = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
        (is_port && port.parse::<u16>().is_ok()).then_some(Self { host })
    }
}

impl fmt::Display for HostNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// Whether an address belongs to a private network or to this machine. A phone in the home network
/// may have a public IPv6 address; it reaches the page by IPv4.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local()
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_private(address.into()),
            None => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_addresses_pass() {
        let names = HostNames::new("ebp-7k3f.example.org", &["Strom.example".to_owned()]);
        for host in [
            "ebp-7k3f",
            "ebp-7k3f.local",
            "EBP-7K3F.LOCAL:8080",
            "ebp-7k3f.fritz.box",
            "ebp-7k3f.home.arpa:80",
            "localhost:8080",
            "192.168.178.20",
            "192.168.178.20:8080",
            "[fd00::1]",
            "[::1]:8080",
            "strom.example",
        ] {
            assert!(names.contains(host), "{host}");
        }
    }

    #[test]
    fn other_names_do_not() {
        let names = HostNames::new("ebp-7k3f", &[]);
        for host in [
            "",
            "ebp-7k3f.attacker.example",
            "attacker.example",
            "ebp-7k3f.local.attacker.example",
            "ebp-7k3f.local.",
            "xebp-7k3f.local",
            "ebp-7k3f.local:",
            "ebp-7k3f.local:99999",
            "ebp-7k3f.local:80:80",
            "ebp-7k3f.local@attacker.example",
            "192.168.178.20.attacker.example",
            "192.168.178",
            "[fd00::1",
            "[fd00::1]x",
            "[attacker.example]",
            "ebp-7k3f.local attacker.example",
        ] {
            assert!(!names.contains(host), "{host}");
        }
        assert!(!HostNames::new("", &[]).contains(".local"));
    }

    #[test]
    fn only_home_networks_are_private() {
        for address in [
            "192.168.1.2",
            "10.0.0.1",
            "172.16.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.2",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in
            ["8.8.8.8", "172.32.0.1", "2003:ec::1", "::ffff:8.8.8.8", "100.64.0.1", "0.0.0.0"]
        {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
