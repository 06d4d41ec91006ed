//! The timestamp role: which snapshot is the newest, and when that was said.

use jiff::Timestamp;

use super::{
    header::{Header, Role, instant},
    name::RoleName,
    snapshot::FileMeta,
};
use crate::json::Json;

/// The member with the instant at which the role was signed. The Update Framework does not know it:
/// other clients leave it alone.
pub const SIGNED_AT: &str = "x-ebp-signed-at";

/// A timestamp role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRole {
    header: Header,
    /// The snapshot that belongs to it.
    pub snapshot: FileMeta,
    /// When it was signed, where it says so: time has come at least that far.
    pub signed_at: Option<Timestamp>,
}

impl Role for TimestampRole {
    const NAME: RoleName = RoleName::Timestamp;

    fn from_signed(header: Header, signed: &Json) -> Result<Self, String> {
        let snapshot = signed.get("meta").and_then(|meta| meta.get("snapshot.json"));
        let snapshot = FileMeta::from_json(snapshot.ok_or("it does not name snapshot.json")?)?;
        let signed_at = signed
            .get(SIGNED_AT)
            .map(|at| at.text().and_then(instant).ok_or("`x-ebp-signed-at` is no instant"))
            .transpose()?;
        if signed_at.is_some_and(|at| at >= header.expires) {
            return Err("it expires before it was signed".to_owned());
        }
        Ok(Self { header, snapshot, signed_at })
    }

    fn header(&self) -> &Header {
        &self.header
    }
}
