//! The sources under which wrong secrets are counted.

use std::net::IpAddr;

use ebp_store::{TryLimits, TrySource};
use jiff::SignedDuration;

/// How many wrong secrets an address has (an IPv6 network, /64), and how long it waits then.
const OF_ADDRESS: TryLimits = TryLimits {
    free: 10,
    first_pause: SignedDuration::from_secs(2),
    longest_pause: SignedDuration::from_mins(15),
    memory: SignedDuration::from_hours(1),
};
/// The same of a network (/24, IPv6: /56): more, and shorter pauses, since others are in it, too.
const OF_NETWORK: TryLimits = TryLimits {
    free: 150,
    first_pause: SignedDuration::from_secs(1),
    longest_pause: SignedDuration::from_mins(1),
    memory: SignedDuration::from_hours(1),
};
/// The sources under which an address is counted: the address, and its network. Whoever has one
/// IPv6 address has its network's (RFC 4291, 2.5.1), and a subscriber 256 networks or more (RFC
/// 6177).
pub fn counted(source: IpAddr) -> [TrySource; 2] {
    let (address, network) = match source.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            (address.to_string(), format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            let subscriber = d & 0xff00;
            (
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"),
                format!("{a:x}:{b:x}:{c:x}:{subscriber:x}::/56"),
            )
        }
    };
    [
        TrySource { name: address, limits: OF_ADDRESS },
        TrySource { name: network, limits: OF_NETWORK },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let of = |text: &str| counted(text.parse().unwrap()).map(|source| source.name);
        assert_eq!(of("192.0.2.7"), ["192.0.2.7", "192.0.2.0/24"]);
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_eq!(of("2001:db8:1:2::"), ["2001:db8:1:2::/64", "2001:db8:1:0::/56"]);
        assert_ne!(of("2001:db8:1:2::")[0], of("2001:db8:1:3::")[0]);
        assert_eq!(of("2001:db8:1:2::")[1], of("2001:db8:1:ff::")[1]);
        assert_ne!(of("2001:db8:1:2::")[1], of("2001:db8:1:102::")[1]);
    }
}
