//! What a device loses while it runs: its spool's files, and a certificate that expires until a
//! person enrols it anew.

use anyhow::Result;
use ebp_client::Validity;
use ebp_core::clock::DeviceClock;
use jiff::Timestamp;

use super::{Device, PATIENCE};
use crate::{card::Card, chance::after};

impl Device {
    /// The spool's files are gone under the daemons: what waited in them is lost. While the device
    /// has to remember what cannot be had again (measurements without a time), it comes later.
    pub(super) fn lose_spool(&mut self, now: Timestamp) -> Result<()> {
        self.spool_lost_at = None;
        let Some(run) = &self.run else {
            self.spool_lost_at = Some(after(now, PATIENCE));
            return Ok(());
        };
        let is_blind = !self.clock.synchronised() || run.spool().unplaced_len()? > 0;
        if is_blind || self.life.consent_heard.is_none() || self.armed.is_some() {
            self.spool_lost_at = Some(after(now, PATIENCE));
            return Ok(());
        }
        let waiting = run.spool().pending(1_000_000)?;
        Card::remove(&self.folder)?;
        self.life.spools_lost += 1;
        self.life.say(now, format!("the spool's files are gone, with {} in them", waiting.len()));
        self.life.lost.extend(waiting.into_iter().map(|measurement| measurement.uuid));
        Ok(())
    }

    /// The certificate is not valid any more, and no other one came in time: the administrator is
    /// told of it and enrols the device anew within half a day.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.expires_at = None;
        if self.life.revocation_heard.is_none() {
            let takes = self.chance.lasting(PATIENCE, PATIENCE * 6);
            self.enrolled_at = Some(after(now, takes));
            self.life.say(now, "its certificate has expired");
        }
    }

    /// Whether a person has to enrol it anew by now.
    #[must_use]
    pub fn wants_certificate(&self, now: Timestamp) -> bool {
        self.enrolled_at.is_some_and(|at| at <= now)
    }

    /// A person put a new certificate into its files.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn is_enrolled(&mut self, now: Timestamp) -> Result<()> {
        self.enrolled_at = None;
        let expired = self.life.certificates.last().copied().unwrap_or(now);
        self.life.unknown.add(expired, now);
        self.life.enrolled_anew += 1;
        self.life.say(now, "it is enrolled anew");
        self.look_at_certificate(now)
    }

    pub(super) fn look_at_certificate(&mut self, now: Timestamp) -> Result<()> {
        let until = Validity::from_file(&self.files.certificate)?.not_after;
        self.life.has_certificate(now, until);
        self.expires_at = Some(until).filter(|until| *until > now);
        Ok(())
    }
}
