//! The client of a request, as far as it is proven.

use std::net::{IpAddr, Ipv6Addr};

use ebp_core::scope::Group;
use ebp_store::Serial;
use uuid::Uuid;

/// Who asks.
#[derive(Clone, Copy, Hash)]
pub enum Client<'a> {
    /// A device by its certificate.
    Device(Uuid),
    /// A participant by their certificate.
    Certificate(Serial),
    /// The subject of a token.
    Token {
        /// The participant's e-mail address.
        email: &'a str,
        /// The device that it identifies.
        device: Option<Uuid>,
    },
    /// Who knows a group's secret.
    Group(Group),
    /// Somebody at that address.
    Address(IpAddr),
}

/// A client's number in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId(pub(super) u64);

/// An address as it is counted: a client with one IPv6 address has all of its network (RFC 4291,
/// 2.5.1).
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
