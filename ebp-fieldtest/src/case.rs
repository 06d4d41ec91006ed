//! One meter's case: what of it was possible, and what the server has.
//!
//! Enters: the survey at its end. Leaves: whether a slot or a report counts. Absent: the verdict.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use ebp_core::{
    contract::StoredMeasurement,
    cycle::{Cycle, Slot},
    evaluation::Stretch,
    model::measurement_id,
};
use ebp_device::transmitter::Schedule;
use jiff::{SignedDuration, Timestamp};

use crate::{
    chance::after,
    life::Life,
    port::locked,
    record::{CYCLE, MeterRecord},
    span::{Span, Spans},
    world::Survey,
};

/// So long a meter must be readable in a slot for it to count.
const READABLE: Duration = Duration::from_secs(90);
/// And so long where the device has not known the time for half an hour.
const READABLE_BLIND: Duration = Duration::from_secs(390);
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

/// What a meter's account is drawn up from.
pub struct Case<'a> {
    /// The survey.
    pub survey: &'a Survey,
    /// The meter.
    pub meter: &'a MeterRecord,
    /// What its device lived through.
    pub life: &'a Life,
    /// What the server has.
    pub rows: Vec<StoredMeasurement>,
    /// When the server received them, each instant once, in order.
    received: Vec<Timestamp>,
    /// When its participant revoked consent.
    pub revoked: Option<Timestamp>,
    /// When it could not be read by its device.
    closed: Spans,
    /// The same, and when the device had not known the time for long.
    closed_or_blind: Spans,
}

impl<'a> Case<'a> {
    /// Looks everything up.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn new(survey: &'a Survey, number: usize) -> Result<Self> {
        let meter = &survey.meters[number];
        let life = &survey.devices[meter.device].life;
        let (start, end) = (survey.options.start, survey.end);
        let mut rows = survey.server.measurements(meter)?;
        rows.retain(|row| row.measured_at < end);
        let mut received: Vec<_> = rows.iter().map(|row| row.received_at).collect();
        received.sort_unstable();
        received.dedup();
        let revoked = survey.plan.revokes.filter(|(device, _)| *device == meter.device);
        let revoked = revoked.map(|(_, at)| at);
        let mut closed = life.off.clone();
        closed.join(&life.unplaced_runs);
        closed.join(&locked(&meter.wall).unreadable());
        closed.add(start, life.consent_heard.unwrap_or(end));
        if let Some(revoked) = revoked {
            closed.add(revoked, end);
        }
        let mut closed_or_blind = closed.clone();
        for blind in life.blind.iter() {
            closed_or_blind.add(after(blind.from, HALF_AN_HOUR).min(blind.to), blind.to);
        }
        Ok(Self { survey, meter, life, rows, received, revoked, closed, closed_or_blind })
    }

    /// Whether a slot, or a part of one, must have a measurement.
    pub fn counts(&self, span: Span) -> bool {
        self.closed_or_blind.longest_gap(span.from, span.to) >= READABLE
            || self.closed.longest_gap(span.from, span.to) >= READABLE_BLIND
    }

    /// Whether what was measured then may have waited in the spool when consent was revoked.
    pub fn may_be_purged(&self, span: Span) -> bool {
        let last = self.rows.last().map(|row| row.measured_at);
        self.revoked.is_some_and(|revoked| {
            span.to <= after(revoked, HALF_AN_HOUR) && last.is_none_or(|last| span.from >= last)
        })
    }

    /// When nothing could be reported.
    pub fn unreportable(&self) -> Spans {
        let (start, end) = (self.survey.options.start, self.survey.end);
        let device = &self.survey.devices[self.meter.device];
        let mut spans = self.life.off.clone();
        spans.join(&self.life.blind);
        spans.join(&self.life.unknown);
        spans.join(&device.plan.offline);
        spans.join(&self.survey.plan.server_down);
        for (span, _) in &self.survey.plan.sky.weather {
            // Whoever was asked to wait comes up to a tenth of that later.
            spans.add(span.from, after(span.to, Duration::from_secs(90)));
        }
        if let Some(revoked) = self.revoked {
            spans.add(revoked, end);
        }
        for due in self.due(start, end) {
            if !self.has_something_to_report(due) {
                spans.add(due - SignedDuration::from_secs(1), due + SignedDuration::from_secs(1));
            }
        }
        spans
    }

    /// The instants at which its device reports.
    fn due(&self, start: Timestamp, end: Timestamp) -> Vec<Timestamp> {
        let schedule =
            Schedule::for_device(self.survey.devices[self.meter.device].uuid, Cycle::HOUR);
        let mut all = Vec::new();
        let mut at = after(start, schedule.until_next(start));
        while at < end {
            all.push(at);
            at = after(at, schedule.until_next(at));
        }
        all
    }

    fn has_something_to_report(&self, due: Timestamp) -> bool {
        // What came late, after an outage, is not there to be reported once more.
        let last = due - SignedDuration::from_mins(30);
        let earlier = self.received[..self.received.partition_point(|at| *at < last)].last();
        let earlier = earlier.copied().unwrap_or(Timestamp::MIN);
        let begin = (due - SignedDuration::from_hours(1)).max(earlier);
        let mut slot = span_of(CYCLE.slot(begin)).to;
        while slot < due {
            let span = span_of(CYCLE.slot(slot));
            let is_lost =
                self.life.lost.contains(&measurement_id(self.meter.uuid, CYCLE.slot(slot)));
            if !is_lost && self.counts(Span { from: span.from, to: span.to.min(due) }) {
                return true;
            }
            slot = span.to;
        }
        false
    }

    /// For the history: cycles without a report that should have had one.
    pub fn missing_reports(&self, unreportable: &Spans) -> Vec<Timestamp> {
        let reports: BTreeSet<_> = self.rows.iter().map(|row| row.received_at).collect();
        let Some(first) = reports.first() else { return Vec::new() };
        let half = SignedDuration::from_mins(30);
        self.due(*first, self.survey.end)
            .into_iter()
            .filter(|due| {
                !unreportable.touches(*due - half, *due + half)
                    && reports.range(*due - half..*due + half).next().is_none()
            })
            .collect()
    }
}

/// The time of a slot.
#[must_use]
pub fn span_of(slot: Slot) -> Span {
    let seconds = slot.seconds();
    let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    Span { from: at(seconds.start), to: at(seconds.end) }
}

/// As the evaluation takes it.
#[must_use]
pub const fn stretch(span: Span) -> Stretch {
    Stretch { from: span.from, to: span.to }
}
