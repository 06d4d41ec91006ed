//! Being written.

/// Four of these say that something other than data follows.
pub const ESCAPE: [u8; 4] = [0x1b; 4];
/// How a frame of version 1 begins.
pub const START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
