//! The identifier that a request keeps from one program to the next (W3C Trace Context).
//!
//! Enters: a header `traceparent`, or nothing. Leaves: a [`TraceContext`], and the header for the
//! next program. Absent: what is logged with it.
//!
//! ```
//! use ebp_core::trace::TraceContext;
//! let taken: TraceContext =
//!     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
//! assert_eq!(taken.id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
//! // The next program gets the same identifier, and another parent.
//! assert!(taken.child().to_string().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// The header's length in version `00`, octets.
const LENGTH: usize = 55;

/// The identifier of a request in all programs that it passes: 32 digits, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// Where a request comes from: its identifier, the program that sent it, and whether that one
/// records traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    id: TraceId,
    parent: [u8; 8],
    flags: u8,
}

/// A text that is no identifier, or no `traceparent`. What it holds is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no trace context (`00-`, 32 digits, `-`, 16 digits, `-`, 2 digits; all of them 0-9 or a-f)"
)]
pub struct InvalidTrace;

impl TraceId {
    /// The identifier whose octets are those of a UUID; a random one if they are all zero.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        if uuid.is_nil() { Self(*Uuid::new_v4().as_bytes()) } else { Self(*uuid.as_bytes()) }
    }

    /// The UUID of the same octets, as databases keep it.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        Uuid::from_bytes(self.0)
    }

    fn from_octets(octets: [u8; 16]) -> Result<Self, InvalidTrace> {
        if octets == [0; 16] { Err(InvalidTrace) } else { Ok(Self(octets)) }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(f, &self.0)
    }
}

impl FromStr for TraceId {
    type Err = InvalidTrace;
    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        Self::from_octets(digits(text.as_bytes())?)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl TraceContext {
    /// A request that begins here. Nobody records it unless told to.
    #[must_use]
    pub fn begin() -> Self {
        Self { id: TraceId::from_uuid(Uuid::new_v4()), parent: random_parent(), flags: 0 }
    }

    /// What the next program gets: the same identifier, and this program as its parent.
    #[must_use]
    pub fn child(self) -> Self {
        Self { parent: random_parent(), ..self }
    }

    /// The identifier.
    #[must_use]
    pub const fn id(self) -> TraceId {
        self.id
    }
}

/// Eight octets that are not all zero. (A version 4 UUID has its variant among the last eight.)
fn random_parent() -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = *Uuid::new_v4().as_bytes();
    [a, b, c, d, e, f, g, h]
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-", self.id)?;
        write_digits(f, &self.parent)?;
        write!(f, "-{:02x}", self.flags)
    }
}

/// Version `00` alone, exactly as long as it is. A header of a later version is not read: its first
/// fields would mean the same, but nothing else of it is known.
impl FromStr for TraceContext {
    type Err = InvalidTrace;
    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let bytes = text.as_bytes();
        if bytes.len() != LENGTH {
            return Err(InvalidTrace);
        }
        let rest = bytes.strip_prefix(b"00-").ok_or(InvalidTrace)?;
        let (id, rest) = rest.split_at_checked(32).ok_or(InvalidTrace)?;
        let rest = rest.strip_prefix(b"-").ok_or(InvalidTrace)?;
        let (parent, rest) = rest.split_at_checked(16).ok_or(InvalidTrace)?;
        let flags = rest.strip_prefix(b"-").ok_or(InvalidTrace)?;
        let id = TraceId::from_octets(digits(id)?)?;
        let parent: [u8; 8] = digits(parent)?;
        if parent == [0; 8] {
            return Err(InvalidTrace);
        }
        let [flags] = digits(flags)?;
        // Of the flags of this version only the first is known; others are not passed on.
        Ok(Self { id, parent, flags: flags & 1 })
    }
}

/// Lower-case hexadecimal digits, two for each octet.
fn digits<const N: usize>(text: &[u8]) -> Result<[u8; N], InvalidTrace> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(InvalidTrace);
    }
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Ok(octet - b'0'),
        b'a'..=b'f' => Ok(octet - b'a' + 10),
        _ => Err(InvalidTrace),
    };
    let mut octets = [0; N];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(octets)
}

fn write_digits(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_sent_is_read() {
        for context in [TraceContext::begin(), TraceContext::begin().child()] {
            assert_eq!(context.to_string().parse(), Ok(context));
        }
        let taken: TraceContext = VALID.parse().unwrap();
        assert_eq!(taken.to_string(), VALID);
        let child = taken.child();
        assert!(child.id() == taken.id() && child != taken, "{child}");
        assert_ne!(TraceContext::begin().id(), TraceContext::begin().id());
    }

    #[test]
    fn anything_else_is_refused() {
        let zeros = |from: usize, to: usize| {
            format!("{}{}{}", &VALID[..from], "0".repeat(to - from), &VALID[to..])
        };
        for wrong in [
            String::new(),
            "00".to_owned(),
            VALID.to_uppercase(),
            VALID.replace('f', "F"),
            VALID.replace('f', "g"),
            VALID.replace('-', "_"),
            zeros(3, 35),
            zeros(36, 52),
            format!("01{}", &VALID[2..]),
            format!("ff{}", &VALID[2..]),
            format!("{VALID}-x"),
            format!("{VALID} "),
            format!(" {VALID}"),
            VALID[..54].to_owned(),
            format!("{}\n1", &VALID[..53]),
            format!("{}é", &VALID[..53]),
            "0".repeat(100_000),
        ] {
            assert_eq!(wrong.parse::<TraceContext>(), Err(InvalidTrace), "{wrong:?}");
        }
        assert_eq!(zeros(3, 35)[3..35].parse::<TraceId>(), Err(InvalidTrace));
        // A flag that this version does not know is not passed on.
        let flagged: TraceContext = VALID.replace("-01", "-ff").parse().unwrap();
        assert_eq!(flagged.to_string(), VALID);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[0-9a-fA-F\\-\\n ]{0,60}") {
            if let Ok(context) = text.parse::<TraceContext>() {
                prop_assert_eq!(&context.to_string()[..53], &text[..53]);
            }
        }
    }
}
