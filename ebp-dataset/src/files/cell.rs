//! A value of a row.

use crate::Energy;

/// A value on its way into a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// There is none.
    Null,
    /// A text.
    Text(&'a str),
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

impl<'a> Cell<'a> {
    /// The value, or none.
    pub fn from_option<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Cell<'_> {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

/// The nearest double, kWh.
impl From<Energy> for Cell<'_> {
    fn from(energy: Energy) -> Self {
        Self::Double(energy.to_f64())
    }
}
