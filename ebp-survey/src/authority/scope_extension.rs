//! The X.509 extension that carries a client certificate's scopes.
//!
//! Its value is one DER `UTF8String`: the scopes' names with a space between, such as `consent
//! measurement-write`. It is not critical: a program that does not know it may still verify the
//! certificate. The object identifier is made from a random UUID
//! (f3532149-8139-4922-89c2-0382be8ce151) under 1.2.840.113556.1.8000.2554, the arc that its owner
//! publishes for identifiers made in this way; no registration is needed.

use ebp_core::scope::Scopes;
use x509_parser::asn1_rs::{FromDer, Oid, Utf8String};

/// The extension's object identifier.
pub const OID: [u64; 14] =
    [1, 2, 840, 113_556, 1, 8000, 2554, 62_291, 8521, 33_081, 18_722, 35_266, 230_078, 9_232_721];

/// The scope of persons who connect to devices. It is none of the five, which participants and their
/// devices have: no certificate of theirs permits it.
pub const TUNNEL: &str = "tunnel";

/// The extension's value.
#[must_use]
pub fn encode(scopes: &Scopes) -> Vec<u8> {
    encode_text(&scopes.to_string())
}

/// The extension's value for these names.
pub(super) fn encode_text(text: &str) -> Vec<u8> {
    const UTF8_STRING: u8 = 0x0c;
    let mut der = vec![UTF8_STRING];
    match u8::try_from(text.len()) {
        Ok(length @ 0..=0x7f) => der.push(length),
        Ok(length) => der.extend([0x81, length]),
        Err(_) => {
            let [high, low] = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
            der.extend([0x82, high, low]);
        }
    }
    der.extend(text.bytes());
    der
}

/// Reads the extension's value. A scope that this version does not know grants nothing.
#[must_use]
pub fn decode(der: &[u8]) -> Option<Scopes> {
    let (rest, text) = Utf8String::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    Some(text.as_ref().split_whitespace().filter_map(|name| name.parse().ok()).collect())
}

/// Whether the extension's value has the scope [`TUNNEL`].
#[must_use]
pub fn permits_tunnel(der: &[u8]) -> bool {
    let Ok((rest, text)) = Utf8String::from_der(der) else { return false };
    rest.is_empty() && text.as_ref().split_whitespace().any(|name| name == TUNNEL)
}

/// The object identifier in x509-parser's form.
#[must_use]
pub fn oid() -> Option<Oid<'static>> {
    Oid::from(&OID).ok()
}

#[cfg(test)]
mod tests {
    use ebp_core::scope::Scope;

    use super::*;

    #[test]
    fn values_round_trip() {
        for scopes in [Scopes::default(), Scopes::all(), Scopes::from_iter([Scope::Account])] {
            assert_eq!(decode(&encode(&scopes)), Some(scopes));
        }
    }

    #[test]
    fn only_the_name_itself_permits_tunnels() {
        assert!(permits_tunnel(&encode_text("tunnel")));
        for other in ["", "tunnels", "account", "tunnel2"] {
            assert!(!permits_tunnel(&encode_text(other)), "{other}");
        }
        assert!(!permits_tunnel(&encode(&Scopes::all())) && !permits_tunnel(b"tunnel"));
    }

    #[test]
    fn unknown_scopes_grant_nothing() {
        assert_eq!(decode(b"\x0c\x0caccount root"), Some(Scopes::from_iter([Scope::Account])));
    }

    #[test]
    fn other_values_are_refused() {
        for der in
            [b"".as_slice(), b"\x0c", b"\x0c\x05acc", b"\x13\x01a", b"\x0c\x01aa", b"\x0c\x01\xff"]
        {
            assert_eq!(decode(der), None, "{der:?}");
        }
    }
}
