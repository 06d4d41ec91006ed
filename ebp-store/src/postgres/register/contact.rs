//! Whose registration it is.

use uuid::Uuid;

/// The participant of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// One who is stored, or comes with an earlier registration.
    Known(Uuid),
    /// Another one.
    New,
}
