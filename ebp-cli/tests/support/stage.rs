//! The stage of most scenes: a server, a household, its meters at work.

use ebp_core::clock::{Clock, SystemClock};

use super::{household::Household, meter::Meter, server::Server, wait_for};

/// A cycle so long that no test sees two slots of it.
pub const DAY: &str = "24h";

/// The models of its meters.
pub const MODELS: &[&str] = &["MT175", "MT681"];

/// A server with a household and its two meters at work.
pub struct Stage {
    pub server: Server,
    pub household: Household,
    _meters: Vec<Meter>,
}

/// Sets it.
pub fn stage() -> Stage {
    // Slots of a day end at midnight (UTC): a test that begins just before begins just after.
    wait_for("midnight", || {
        let second = SystemClock.now().as_second().rem_euclid(86_400);
        (second < 86_400 - 30).then_some(())
    });
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", MODELS, DAY);
    let meters = MODELS.iter().map(|model| Meter::quick(household.folder.path(), model)).collect();
    Stage { server, household, _meters: meters }
}
