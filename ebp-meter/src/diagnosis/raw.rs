//! Diagnoses bytes as they came from a line, by one protocol after the other.

use super::{Cause, ascii, foreign, sml, text};

/// The cause, if something is wrong with them.
pub(super) fn diagnose(bytes: &[u8]) -> Option<Cause> {
    foreign::diagnose(bytes)
        .or_else(|| text::diagnose(bytes))
        .or_else(|| sml::diagnose(bytes))
        .or_else(|| ascii::diagnose(bytes))
}
