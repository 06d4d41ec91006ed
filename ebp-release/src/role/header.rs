//! What all roles have in common: how they are read, version and end of validity.

use jiff::Timestamp;

use super::name::RoleName;
use crate::{error::TrustError, json::Json};

/// What every role says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// From 1.
    pub version: u64,
    /// Until when it is valid.
    pub expires: Timestamp,
}

/// A role that can be read from its signed part.
pub trait Role: Sized {
    /// Which.
    const NAME: RoleName;

    /// Reads the members; what is wrong with them otherwise.
    fn from_signed(header: Header, signed: &Json) -> Result<Self, String>;

    /// Version and end of validity.
    fn header(&self) -> &Header;

    /// Reads the signed part of a file.
    ///
    /// # Errors
    /// Returns [`TrustError::Malformed`] if a member is missing, has another form, or is beyond its
    /// bound.
    fn parse(signed: &Json) -> Result<Self, TrustError> {
        let parsed =
            header(Self::NAME, signed).and_then(|header| Self::from_signed(header, signed));
        parsed.map_err(|reason| TrustError::Malformed { role: Self::NAME, reason })
    }
}

fn header(role: RoleName, signed: &Json) -> Result<Header, String> {
    let text = |name: &str| {
        let text = signed.get(name).and_then(Json::text);
        text.ok_or_else(|| format!("`{name}` is missing"))
    };
    let kind = text("_type")?;
    if kind != role.name() {
        return Err(format!("it is of type `{kind:.20}`"));
    }
    if !text("spec_version")?.starts_with("1.") {
        return Err("it is of another version of the specification than 1".to_owned());
    }
    let version = signed.get("version").and_then(Json::positive);
    let version = version.ok_or("`version` is no number from 1")?;
    let expires = instant(text("expires")?).ok_or("`expires` is no instant of whole seconds")?;
    Ok(Header { version, expires })
}

/// An instant in the one form that the specification permits: `2026-12-31T23:59:59Z`.
pub fn instant(text: &str) -> Option<Timestamp> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(octet, form)| match form {
            b'd' => octet.is_ascii_digit(),
            _ => octet == *form,
        });
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_form() {
        assert!(instant("2026-12-31T23:59:59Z").is_some());
        for wrong in [
            "2026-12-31T23:59:59",
            "2026-12-31T23:59:59.0Z",
            "2026-12-31t23:59:59Z",
            "2026-12-31 23:59:59Z",
            "2026-02-30T23:59:59Z",
            "2026-12-31T24:59:59Z",
            "2026-12-31T23:59:59+00:00",
            "",
        ] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_header_is_checked() {
        let read = |text: &str| header(RoleName::Root, &Json::parse(text.as_bytes()).unwrap());
        let good = r#"{"_type":"root","spec_version":"1.0.34","version":7,"expires":"2026-12-31T23:59:59Z"}"#;
        assert_eq!(read(good).unwrap().version, 7);
        for (from, to) in [
            ("\"root\"", "\"targets\""),
            ("1.0.34", "2.0.0"),
            (":7", ":0"),
            (":7", ":-1"),
            (":7", ":\"7\""),
            ("Z", ""),
            ("version", "versions"),
            ("_type", "type"),
        ] {
            assert!(read(&good.replace(from, to)).is_err(), "{from} → {to}");
        }
    }
}
