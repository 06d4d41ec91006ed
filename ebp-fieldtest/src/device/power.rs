//! How a device's daemons end and begin: power cuts, kills, and the start after them.

use std::time::Duration;

use anyhow::{Context, Result};
use ebp_device::spool::Spool;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Device;
use crate::{
    card::Card,
    chance::{after, until},
    faults::BootClock,
};

impl Device {
    /// What waits in the spool.
    pub(super) fn waiting(&self) -> Result<Vec<Uuid>> {
        let spool = Spool::open(&self.folder).context("the spool of a device without power")?;
        Ok(spool.pending(1_000_000)?.into_iter().map(|measurement| measurement.uuid).collect())
    }

    pub(super) fn cut(
        &mut self,
        now: Timestamp,
        off: Duration,
        clock: BootClock,
        card: Option<&Card>,
        how: &str,
    ) -> Result<()> {
        self.end_run();
        if let Some(card) = card {
            card.write(&self.folder)?;
        }
        let on = after(now, off);
        self.on_at = Some((on, clock));
        (self.armed, self.starts_at) = (None, None);
        (self.time_at, self.time_lost_at) = (None, None);
        self.life.loses_power(now, on);
        self.life.say(now, format!("power cut for {off:.0?}; {how}"));
        Ok(())
    }

    pub(super) fn kill(&mut self, now: Timestamp, card: Option<&Card>) -> Result<()> {
        self.end_run();
        if let Some(card) = card {
            card.write(&self.folder)?;
        }
        self.armed = None;
        if self.starts_at.is_none() {
            // As the service manager waits.
            self.starts_at = Some(after(now, Duration::from_secs(2)));
        }
        self.life.say(now, if card.is_some() { "killed in a write" } else { "killed" });
        Ok(())
    }

    pub(super) fn end_run(&mut self) {
        if let Some(run) = self.run.take() {
            let (requests, lost) = run.link.counts();
            self.life.requests += requests;
            self.life.lost_answers += lost;
        }
    }

    pub(super) fn boot(&mut self, now: Timestamp, boot: BootClock) {
        let was = self.clock.truth();
        let shown = match boot {
            BootClock::Right => now,
            BootClock::Epoch => Timestamp::UNIX_EPOCH,
            BootClock::LastKnown => {
                let hour = was.as_second().div_euclid(3600) * 3600;
                Timestamp::from_second(hour).unwrap_or(was)
            }
            BootClock::Hours(hours) => now + SignedDuration::from_hours(hours),
        };
        self.clock.restart(until(was, now), shown);
        self.on_at = None;
        let takes = Duration::from_secs(self.chance.between(12, 35));
        self.starts_at = Some(after(now, takes));
        self.life.say(now, format!("starts, and believes that it is {shown:.0}"));
        if boot == BootClock::Right {
            self.clock.synchronise();
        } else {
            self.life.forgets_the_time(now);
            self.time_at = Some(self.plan.time_after(after(now, takes / 2)));
        }
    }
}
