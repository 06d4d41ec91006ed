//! Limits that the server enforces and the client observes.

use std::time::Duration;

/// Measurements in one upload (endpoint 8), at most.
pub const UPLOAD_ITEMS: usize = 10_000;
/// Bytes of an upload's body as sent, at most.
pub const UPLOAD_BYTES: usize = 4 << 20;
/// Bytes of an upload's decompressed body, at most.
pub const UPLOAD_UNPACKED_BYTES: usize = 16 << 20;
/// Bytes of one measurement in an upload's body, at most, and of any other member of that body.
pub const MEASUREMENT_BYTES: usize = 64 << 10;
/// Data points of one measurement, at most.
pub const DATA_POINTS: usize = 64;
/// How far ahead of the server's clock a measurement's time may be.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);
/// Measurements in a page (endpoint 7) by default.
pub const PAGE_DEFAULT: usize = 1_000;
/// Measurements in a page, at most.
pub const PAGE_MAX: usize = 10_000;
/// Components in a device's status, at most.
pub const STATUS_COMPONENTS: usize = 16;
/// Meters in a device's status, at most.
pub const STATUS_METERS: usize = 100;
/// Groups of errors in a device's status, at most.
pub const STATUS_ERRORS: usize = 20;
/// Types of a group of errors, its causes' included, at most.
pub const ERROR_TYPES: usize = 8;
/// How often a group of errors occurred, at most.
pub const ERROR_COUNT: u64 = 1_000_000_000;
/// Each figure of a device's status, at most: JSON numbers up to it are exact in every parser.
pub const STATUS_COUNT: u64 = 1_000_000_000_000_000;
/// Open messages of a household, at most.
pub const OPEN_MESSAGES: usize = 100;
/// Messages of a household, at most.
pub const MESSAGES: usize = 1_000;
/// Days of a device's coverage in one answer, at most.
pub const COVERAGE_DAYS: i32 = 100;
/// How many days the histories of devices go back.
pub const HISTORY_DAYS: i32 = 400;
/// Characters that devices can be searched by, at most.
pub const SEARCH_CHARS: usize = 100;
