//! Errors in groups, as a device reports its own.
//!
//! A group says types and a place in the program's sources, how often and when: no message, no value and
//! nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Errors of one type at one place, as the machine that had them counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportedErrorGroup {
    /// What the group is known by, on every machine: twelve hexadecimal digits.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{12}$"))]
    pub fingerprint: String,
    /// The part of the program, such as `sending`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z]{1,16}$"))]
    pub component: String,
    /// The type of the error and those of its causes, such as `SpoolError::Full`.
    #[cfg_attr(feature = "openapi", schema(schema_with = types_schema))]
    pub types: Vec<String>,
    /// File and line in the sources, or `unknown`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9/._+-]{1,160}(:[0-9]{1,10})?$"))]
    pub place: String,
    /// How often it occurred.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000_000))]
    pub count: u64,
    /// When it occurred for the first time, by the machine's clock.
    pub first_seen: Timestamp,
    /// When it occurred last, by the machine's clock.
    pub last_seen: Timestamp,
}

/// Types, both bounded.
#[cfg(feature = "openapi")]
fn types_schema() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Type};
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[A-Za-z][A-Za-z0-9_:]{0,119}$"));
    ArrayBuilder::new()
        .description(Some("The type of the error and those of its causes"))
        .items(name)
        .min_items(Some(1))
        .max_items(Some(super::limits::ERROR_TYPES))
        .build()
}
