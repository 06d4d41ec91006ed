//! A simulated field test: weeks of a survey in simulated time, with the faults of a real one.
//!
//! Enters: a seed. Leaves: the tables of the thesis' chapter 5, and every violation of what the
//! system guarantees. Absent: hardware, waiting.
//!
//! Only time and what surrounds the program (meters, power, network) are simulated. Virtual meters
//! send bytes that the program's decoders read. Each device runs the daemons of `ebp read` and
//! `ebp transmit` on a spool of its own, and uses the real client over mutual TLS to reach the real
//! server, which is stopped and started. A daemon that would wait reports until when, and time
//! advances to that instant.
//!
//! `ebp demo` makes its households' history with the same simulation ([`past`]), without the
//! command and its tables (feature `program`).
//!
//! ```no_run
//! # #[cfg(feature = "program")]
//! # fn main() -> anyhow::Result<()> {
//! use ebp_fieldtest::{fieldtest, world::Options};
//! let passed = fieldtest(Options::new(1), std::path::Path::new("/tmp/fieldtest"), &mut std::io::stdout())?;
//! # Ok(()) }
//! # #[cfg(not(feature = "program"))]
//! # fn main() {}
//! ```

pub mod account;
mod card;
mod case;
pub mod chance;
pub mod device;
pub mod faults;
mod heads;
mod history;
mod life;
pub mod link;
#[cfg(feature = "program")]
pub mod many;
pub mod meter;
mod passing;
pub mod past;
pub mod plan;
pub mod port;
pub mod record;
mod run;
pub mod server;
pub mod span;
mod step;
#[cfg(feature = "program")]
pub mod tables;
pub mod turn;
#[cfg(feature = "program")]
pub mod usage;
pub mod values;
pub mod world;

use std::path::Path;
#[cfg(feature = "program")]
use std::{io::Write, time::Duration};

use anyhow::Result;

use account::{Account, Fault};
use faults::Kinds;
use world::{DEVICES, Options, Survey};

/// So many spools are lost at least under running daemons in three weeks of all faults; in a longer
/// time or with more devices, accordingly more.
const LEAST_SPOOLS: u64 = 3;
/// And so many certificates expire.
const LEAST_CERTIFICATES: u64 = 10;

/// Lets the weeks pass in that empty folder, prints what came of it, and says whether all is as
/// promised.
///
/// # Errors
/// Where the field test itself fails.
#[cfg(feature = "program")]
pub fn fieldtest(options: Options, folder: &Path, out: &mut impl Write) -> Result<bool> {
    Ok(summarised(options, folder, out)?.faults == 0)
}

/// The same, and what came of it in short.
///
/// # Errors
/// Where the field test itself fails.
#[cfg(feature = "program")]
pub fn summarised(options: Options, folder: &Path, out: &mut impl Write) -> Result<Summary> {
    let (survey, account) = hold(options, folder)?;
    tables::print(&survey, &account, out)?;
    Ok(Summary {
        faults: account.faults.len(),
        slots: account.slots[0],
        rows: account.rows,
        bounded: account.bounded,
        furthest: account.furthest,
        furthest_bounded: account.furthest_bounded,
        lost: account.lost,
    })
}

/// What came of a field test.
#[cfg(feature = "program")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// What must not be, so often.
    pub faults: usize,
    /// Slots that count.
    pub slots: u64,
    /// Measurements at the server.
    pub rows: u64,
    /// Of those, such that bear a bound of their instant.
    pub bounded: u64,
    /// How far the instant of any other is off at most.
    pub furthest: Duration,
    /// And of one with a bound.
    pub furthest_bounded: Duration,
    /// Measurements that were lost with damaged pages.
    pub lost: u64,
}

/// The same without printing.
///
/// # Errors
/// Where the field test itself fails.
pub fn hold(options: Options, folder: &Path) -> Result<(Survey, Account)> {
    let mut survey = world::run(options, folder)?;
    let mut account = account::draw_up(&mut survey)?;
    judge(&survey, &mut account);
    survey.server.stop()?;
    Ok((survey, account))
}

/// What the figures must be.
fn judge(survey: &Survey, account: &mut Account) {
    let overall = &account.evaluation.overall;
    let mut wrong = Vec::new();
    for (name, target) in [("measurement", overall.measurements), ("report", overall.reports)] {
        if target.reached != target.expected || target.expected == 0 {
            wrong.push(format!("{name} target: {} of {}", target.reached, target.expected));
        }
    }
    if overall.missed > 0 || overall.doubled > 0 {
        wrong.push(format!("slots missed: {}, doubled: {}", overall.missed, overall.doubled));
    }
    let cycle = overall.measurement_cycle_minutes();
    if survey.options.faults.is_empty()
        && cycle.is_none_or(|of| of.deviation > 1.0 / 60.0 || (of.mean - 15.0).abs() >= 0.005)
    {
        wrong.push(format!("the measurement cycle is {cycle:?}"));
    }
    wrong.extend(untested(survey));
    let at = survey.end;
    account.faults.extend(wrong.into_iter().map(|what| Fault { device: 0, at, what }));
}

/// Which faults three weeks of all kinds must have had, or they prove nothing about them.
fn untested(survey: &Survey) -> Option<String> {
    if survey.options.faults != Kinds::all() || survey.options.days < 21 {
        return None;
    }
    let spools: u64 = survey.devices.iter().map(|device| device.life.spools_lost).sum();
    let expired = survey.expired_certificates();
    let usual = DEVICES as u64 * 21;
    let share = survey.devices.len() as u64 * u64::from(survey.options.days);
    let least = |of: u64| (of * share / usual).max(of);
    (spools < least(LEAST_SPOOLS) || (expired as u64) < least(LEAST_CERTIFICATES)).then(|| {
        format!("too few faults to tell: {spools} lost spools, {expired} expired certificates")
    })
}
