//! Limits on incoming bodies and on uploads in progress.

use std::{sync::Arc, time::Duration};

use ebp_store::Quota;

use crate::{
    limit::{Shares, Turns},
    overload::Overload,
    settings::Limits,
};

/// Octets of bodies that are counted together.
pub const UNIT: usize = 16 << 10;

/// Of all bodies at the same time, but for the first unit of each, which is not counted: there are
/// no more of those than connections. A quarter of it is the largest body.
const ALL: usize = 16 << 20;

/// Bounds of bodies and uploads, shared by all handlers that take some in.
pub struct Intake {
    /// Places of uploads, and what is answered to those that find none.
    pub overload: Overload,
    /// Bounds the memory that bodies take while they come in.
    pub receiving: Arc<Shares>,
    /// Bounds the memory that uploads take while they are unpacked and read.
    pub unpacking: Arc<Turns>,
    /// How long a body may take to arrive.
    pub patience: Duration,
    /// How many measurements of a meter are stored; any number if absent.
    pub quota: Option<Quota>,
}

impl Intake {
    /// Within those limits.
    pub fn new(limits: &Limits, quota: Option<Quota>) -> Self {
        Self {
            // A connection has one request at a time; half of them are left for whatever else is
            // asked.
            overload: Overload::new(limits.connections / 2),
            receiving: Shares::new(ALL / UNIT),
            unpacking: Turns::new(limits.unpacking),
            patience: limits.body,
            quota,
        }
    }
}
