//! Which addresses messages may be sent to.
//!
//! Problem: who can change where messages go, by the configuration or by the name service, could
//! make the server send requests to machines that only it reaches: its own services, a cloud's
//! metadata, the institute's printers. Method: an address has to be one of the public Internet, in
//! whatever form it is written; others have to be allowed by their network.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};

/// A network of addresses, such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no address and no network such as 10.0.0.0/8")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(InvalidNetwork)?,
            None => most,
        };
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Network {
    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |left: u128, right: u128, width: u32| {
            let kept = width - u32::from(self.bits);
            kept >= width || left >> kept == right >> kept
        };
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same(network.to_bits().into(), address.to_bits().into(), 32)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same(network.to_bits(), address.to_bits(), 128)
            }
            _ => false,
        }
    }
}

/// Whether messages may be sent to that address: it is public, or in a network that is allowed.
pub fn is_permitted(address: IpAddr, allowed: &[Network]) -> bool {
    is_allowed(address, allowed) || is_public(address)
}

/// Whether the address is in a network that the configuration allows.
pub fn is_allowed(address: IpAddr, allowed: &[Network]) -> bool {
    let inner = match address {
        IpAddr::V6(address) => embedded(address).map(IpAddr::V4),
        IpAddr::V4(_) => None,
    };
    allowed.iter().any(|network| {
        network.contains(address) || inner.is_some_and(|inner| network.contains(inner))
    })
}

/// Whether the address is one of the public Internet (RFC 6890 and IANA's registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private, loopback, multicast and reserved, with the broadcast address.
        (0 | 10 | 127 | 224.., ..) => true,
        // Shared by carriers, link-local, private.
        (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, the relay of 6to4, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            true
        }
        _ => false,
    };
    !special
}

/// The IPv4 address that a translator or the machine itself would use for that IPv6 address: mapped
/// and compatible ones, NAT64 and 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |segments: [u16; 8]| {
        Ipv4Addr::from_bits(u32::from(segments[6]) << 16 | u32::from(segments[7]))
    };
    match address.segments() {
        segments @ [0, 0, 0, 0, 0, 0xffff, ..] => Some(last(segments)),
        // Translated by the sender, and compatible ones but for `::` and `::1`.
        segments @ [0, 0, 0, 0, 0xffff, 0, ..] => Some(last(segments)),
        segments @ [0, 0, 0, 0, 0, 0, ..] if address.to_bits() > 1 => Some(last(segments)),
        segments @ [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(last(segments)),
        [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let special = match address.segments() {
        // Protocol assignments with Teredo, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Global unicast is 2000::/3 alone: no unspecified, loopback, local NAT64, unique local,
        // link-local, site-local or multicast address is in it.
        [first, ..] => first & 0xe000 != 0x2000,
    };
    // An IPv4 address at its end, which a tunnel of an institute may be asked for (ISATAP).
    let isatap = matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, ..]);
    !special && !isatap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.178.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2a00::5efe:7f00:1",
            "2a00::200:5efe:a00:1",
            "4000::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(!is_permitted(address, &[]), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "193.99.144.80",
            "198.17.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:4860:4860::8888",
            "2a02:2e0:3fe::1",
            "2001:200::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(is_permitted(address, &[]), "{address}");
        }
    }

    #[test]
    fn networks_that_are_allowed_are_so_in_every_form() {
        let networks = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].map(|n| n.parse().unwrap());
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("::ffff:10.0.0.1", true),
            ("64:ff9b::a00:1", true),
            ("::ffff:192.168.0.1", false),
            ("fd99::1", true),
            ("fc99::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(is_permitted(address, &networks), expected, "{address}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("10.0.0.1".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "::/129", "example.org", "1/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(InvalidNetwork), "{wrong}");
        }
        assert_eq!("::1".parse::<Network>().unwrap().to_string(), "::1/128");
    }
}
