//! The past of the demo's households: weeks in which they were measured before the demo began.
//!
//! Enters: a folder without a database, households. Leaves: the server's database, spools and
//! registers as they are at the end of those weeks, or nothing. Absent: any shortcut. Virtual
//! meters send bytes, the devices' engines read and send them over mutual TLS to the server, which
//! knows registrations and consents of that time; only the waiting is skipped
//! (`ebp_fieldtest::past`).
//!
//! All of it is created in a temporary folder, in memory if possible, since devices flush their
//! spools with each measurement. When it is whole it is put into the demo's folder, the database
//! last: if it exists, nothing is missing.

mod devices;
mod length;
mod neighbours;
mod scratch;
mod world;

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    cycle::Cycle,
};
use ebp_fieldtest::server::TrueClock;
use ebp_server::{ServerConfig, Settings};
use ebp_store::{Database, Quota};
use ebp_survey::authority::Authority;
use jiff::{SignedDuration, Timestamp};

use super::{
    households::{self, DemoHousehold},
    opening::Opening,
    timing::LOOK,
};
use crate::{
    exit::{CommandResult, Failure, server},
    file::write_whole,
};
use devices::{Devices, Happening};
pub use length::{Length, Past};
use neighbours::Neighbours;
use scratch::Scratch;
use world::World;

/// Where it is kept when the past ended.
const END: &str = "past-end";
/// The authority is that much older than the households' consent.
const FOUNDED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// From so many days on the past has neighbours.
const NEIGHBOURS_FROM: u16 = 7;

/// What comes between the past and the demo's first measurement takes less: a slot that begins
/// meanwhile would have no measurement of either.
const BEGINNING_TAKES: Duration = Duration::from_secs(10);

/// When the past of that folder's households ended, if they have one.
pub fn end(folder: &Path) -> Option<Timestamp> {
    fs::read_to_string(folder.join(END)).ok()?.trim().parse().ok()
}

/// Removes what is left of a past that was not made to its end.
pub fn discard(folder: &Path) -> CommandResult {
    scratch::discard(folder)?;
    // There is none before the first start.
    let _ = fs::remove_file(folder.join(END));
    Ok(())
}

impl Past {
    /// Simulates it until the present slot begins: the demo continues with that slot.
    ///
    /// # Errors
    /// Returns an error if anything fails, or if the demo is ended meanwhile; nothing of the past
    /// remains then.
    pub fn make(
        self,
        folder: &Path,
        server: &ServerConfig,
        households: &[DemoHousehold],
        opening: &Opening<'_>,
    ) -> CommandResult {
        let scratch = Scratch::new(folder)?;
        let days = SignedDuration::from_hours(24 * i64::from(self.days));
        let begin = Cycle::HOUR.slot(SystemClock.now()).start() - days;
        let clock = TrueClock::new(begin - FOUNDED_BEFORE);
        let settings = settings(server, &clock, &scratch);
        let authority = Authority::init(&settings.authority, "ebp demo", clock.clone())
            .map_err(server::authority)?;
        clock.set(begin);
        let world = World::new(settings, &authority, clock, households, begin)?;
        let neighbours = match self.days >= NEIGHBOURS_FROM {
            true => households::neighbours(folder, self.seed),
            false => Vec::new(),
        };
        let neighbours = Neighbours::new(neighbours, begin + days);
        let end = world.live_through(self, begin, neighbours, &scratch, opening);
        let end = world.close().and(end)?;
        write_whole(&folder.join(END), format!("{end}\n").as_bytes())?;
        scratch.put_into(folder, server, households)
    }
}

/// The server of that time, in the scratch folder, with the demo's own authority.
fn settings(server: &ServerConfig, clock: &Arc<TrueClock>, scratch: &Scratch) -> Settings {
    let mut settings = server.settings(clock.clone());
    settings.data = scratch.server();
    settings.database = Database::Sqlite(scratch.database());
    settings.quota = Some(Quota::for_cycle(Cycle::QUARTER_HOUR));
    // Weeks of requests come within seconds.
    settings.limits.rate = None;
    settings
}

impl World<'_> {
    /// Consent is granted, then time passes until the present slot begins. Returns when that is.
    fn live_through(
        &self,
        past: Past,
        begin: Timestamp,
        mut neighbours: Neighbours,
        scratch: &Scratch,
        opening: &Opening<'_>,
    ) -> Result<Timestamp, Failure> {
        for household in self.households {
            self.grant_consent(household)?;
        }
        let mut devices = Devices::put_up(self.households, &self.ca, scratch, past, begin)?;
        let bar = opening.progress.bar(u64::from(past.days) * 24, "of the households' past");
        let mut hours = 0;
        let mut at = begin;
        loop {
            // It takes a while, which passes, too.
            let now = SystemClock.now();
            let present = Cycle::QUARTER_HOUR.slot(now).start();
            let is_over = at >= present && Cycle::QUARTER_HOUR.until_next(now) > BEGINNING_TAKES;
            if is_over {
                break;
            }
            if opening.interrupted.load(Ordering::Relaxed) {
                return Err(Failure::failed("ended while the households' past was made").remedy(
                    "the next start makes it from its beginning; --past 0d leaves it out",
                ));
            }
            if at >= present {
                thread::sleep(LOOK);
                continue;
            }
            let to = (at + SignedDuration::from_hours(1)).min(present);
            let happens = devices.next_happening().into_iter().chain(neighbours.next());
            let due = happens.min().unwrap_or(to).min(to);
            devices.pass(&self.clock, &self.url, due)?;
            at = due;
            neighbours.live(self, &mut devices, at)?;
            while let Some(happening) = devices.take_happening(at) {
                if let Happening::Exchange { household } = happening {
                    self.exchange(household, at)?;
                }
                devices.happens(happening, at)?;
            }
            hours = hours.max(at.duration_since(begin).as_hours().unsigned_abs());
            bar.reach(hours);
        }
        devices.finish(at)?;
        Ok(at)
    }
}
