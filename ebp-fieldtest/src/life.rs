//! What a device lived through, as whoever stood beside it would have written down.
//!
//! Enters: what happened when. Leaves: stretches without power or time, what was measured, and a
//! history to read where something went wrong. Absent: the verdict.

use std::collections::{BTreeMap, BTreeSet};

use ebp_core::phrase::counted_as;
use ebp_meter::aggregator::Event;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{history::History, span::Spans, step::Stepped};

/// A measurement that was kept, by its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Of which meter.
    pub meter: Uuid,
    /// When, by the device.
    pub measured_at: Timestamp,
}

/// A device's life.
#[derive(Default)]
pub struct Life {
    /// Without power.
    pub off: Spans,
    /// With power, but without the time of day.
    pub blind: Spans,
    /// Of those, the runs that ended before the time became known.
    pub unplaced_runs: Spans,
    blind_since: Option<Timestamp>,
    /// Measurements that were kept, certainly.
    pub kept: BTreeMap<Uuid, Kept>,
    /// How many were kept without a time.
    pub kept_unplaced: u64,
    /// How many got their time later.
    pub placed: u64,
    /// Whether its card ever lost a page of the spool.
    pub damaged: bool,
    /// Measurements that were lost with a damaged file.
    pub lost: BTreeSet<Uuid>,
    /// When it first heard that consent is granted.
    pub consent_heard: Option<Timestamp>,
    /// When it first heard that consent is revoked.
    pub revocation_heard: Option<Timestamp>,
    /// How often it measured after that.
    pub measured_in_spite: u64,
    /// How often the spool's files were gone while the daemons ran.
    pub spools_lost: u64,
    /// How often a daemon opened its spool again.
    pub spools_reopened: u64,
    /// Until when the certificates that it had were valid, in order.
    pub certificates: Vec<Timestamp>,
    /// How many of them a person had to replace.
    pub enrolled_anew: u64,
    /// When it had no valid certificate, and a while afterwards.
    pub unknown: Spans,
    /// Requests that reached the server.
    pub requests: u64,
    /// Answers that did not come back.
    pub lost_answers: u64,
    /// How often a PIN was entered, with success and without.
    pub unlocked: [u64; 2],
    /// How often something could not be kept.
    pub not_kept: u64,
    history: History,
}

impl Life {
    /// Something happened.
    pub fn say(&mut self, at: Timestamp, what: impl AsRef<str>) {
        self.history.add(at, what.as_ref());
    }

    /// What happened from one instant to another.
    pub fn history(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = String> {
        let lines = self.history.between(from, to);
        lines.into_iter().map(|(at, what)| format!("{at:.3}  {what}"))
    }

    /// The power is gone.
    pub fn loses_power(&mut self, now: Timestamp, on: Timestamp) {
        self.off.add(now, on);
        if let Some(since) = self.blind_since.take() {
            self.blind.add(since, now);
            self.unplaced_runs.add(since, now);
        }
    }

    /// The device runs and does not know the time.
    pub const fn forgets_the_time(&mut self, now: Timestamp) {
        self.blind_since = Some(now);
    }

    /// It knows it.
    pub fn knows_the_time(&mut self, now: Timestamp) {
        if let Some(since) = self.blind_since.take() {
            self.blind.add(since, now);
        }
    }

    /// Consent is granted, as far as it knows.
    pub fn hears_of_consent(&mut self, now: Timestamp) {
        self.consent_heard.get_or_insert(now);
    }

    /// It has a certificate that is valid until then.
    pub fn has_certificate(&mut self, now: Timestamp, until: Timestamp) {
        if self.certificates.last() != Some(&until) {
            self.certificates.push(until);
            self.say(now, format!("its certificate is valid until {until}"));
        }
    }

    /// What a step of the daemons had to tell.
    pub fn hear(&mut self, now: Timestamp, stepped: Stepped, is_certain: bool) {
        self.placed += stepped.placed;
        if stepped.placed > 0 {
            let placed = counted_as(
                stepped.placed,
                "measurement has got its time",
                "measurements have got their time",
            );
            self.say(now, placed);
        }
        if stepped.is_revoked {
            self.revocation_heard.get_or_insert(now);
        }
        if let Some(permission) = stepped.permission {
            self.say(now, format!("consent: {permission:?}"));
        }
        for line in stepped.lines {
            self.say(now, line);
        }
        self.spools_reopened += stepped.reopened;
        if let Some(until) = stepped.certificate {
            self.has_certificate(now, until);
        }
        for (meter, event) in stepped.events {
            let text = match &event {
                Event::Measured(measurement) => {
                    self.measured_in_spite += u64::from(self.revocation_heard.is_some());
                    if is_certain {
                        let (meter, measured_at) = (measurement.meter, measurement.measured_at);
                        self.kept.insert(measurement.uuid, Kept { meter, measured_at });
                    }
                    format!("measured {}", measurement.measured_at)
                }
                Event::MeasuredUnplaced(_) => {
                    self.kept_unplaced += u64::from(is_certain);
                    "measured without a time".to_owned()
                }
                Event::Failed(error) => format!("failed: {error}"),
                Event::NotKept(error) => {
                    self.not_kept += 1;
                    format!("not kept: {error}")
                }
                Event::Unlocked(lasting) => {
                    self.unlocked[0] += 1;
                    format!("unlocked, {lasting:?}")
                }
                Event::NotUnlocked(why) => {
                    self.unlocked[1] += 1;
                    format!("not unlocked: {why}")
                }
                other => format!("{other:?}"),
            };
            let place = meter.map_or(String::new(), |meter| format!("meter {meter}: "));
            let doubt = if is_certain { "" } else { " (while the power went)" };
            self.say(now, format!("{place}{text}{doubt}"));
        }
    }
}
