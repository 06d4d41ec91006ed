//! A value that was read, and how its type is called.

use crate::files::{
    column::{Column, Kind},
    text,
};

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// There is none.
    Null,
    /// A text.
    Text(String),
    /// A number.
    Double(f64),
    /// A whole number.
    Int(i64),
    /// An instant, microseconds since the Unix epoch.
    Instant(i64),
    /// A day, days since 1970-01-01.
    Date(i32),
    /// Yes or no.
    Bool(bool),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub const fn double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Instant(value) => Some(*value),
            Self::Date(value) => Some(*value as i64),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As CSV would show it.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => f.write_str(text),
            Self::Double(value) => f.write_str(&text::number(*value)),
            Self::Int(value) => write!(f, "{value}"),
            Self::Instant(value) => f.write_str(&text::instant(*value)),
            Self::Date(value) => f.write_str(&text::day(*value)),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

/// How a type is called in messages.
pub(super) const fn name_of(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text => "text",
        Kind::Double | Kind::Float => "number",
        Kind::Int8 | Kind::UInt16 | Kind::Int32 => "integer",
        Kind::Instant => "instant",
        Kind::Date => "date",
        Kind::Bool => "boolean",
    }
}
