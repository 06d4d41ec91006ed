//! A release on its way.

use ring::digest::Context;

/// A release that is being fetched.
pub(super) struct Download {
    pub(super) context: Context,
    pub(super) offset: u64,
    pub(super) synced: u64,
    /// Whether a part of it is from an earlier round, which the power may have cut.
    pub(super) resumed: bool,
}
