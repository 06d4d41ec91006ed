//! The account: compares what the server stores with what the meters sent and what was possible.
//!
//! Enters: the survey at its end. Leaves: the evaluation of the thesis' chapter 5 and every
//! [`Fault`] found. Absent: printing.
//!
//! A slot *counts* if during it, for 90 seconds without interruption, the device had power and the
//! meter could be read: then it must have a measurement. A device that does not know the time does
//! not know where slots begin, and after half an hour without the time it measures every five
//! minutes: for such a device a slot counts after 390 seconds without interruption. If a run of a
//! device ended before the device received the time, the time of its measurements cannot be
//! determined; the slots of that run do not count, and are reported. A slot that does not count may
//! be measured nevertheless.
//!
//! A report cycle counts if during it the device had power, the time and a network, the server ran
//! and answered requests, and there was something to report.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use ebp_core::{
    contract::StoredMeasurement,
    cycle::Cycle,
    evaluation::{Evaluation, MeterRecord as Evaluated, Observation, Stretch, Terms},
    model::{Flag, measurement_id},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    case::{Case, span_of, stretch},
    chance::until,
    life::Life,
    meter::Said,
    plan::CERTIFICATE,
    port::locked,
    record::CYCLE,
    span::Spans,
    world::Survey,
};

/// How far a measurement's instant may be from the true one, beyond the bound that its flags state.
const PRECISE: Duration = Duration::from_secs(1);

/// A device that has power, the time and the server for at least this long renews its certificate.
const RENEWABLE: Duration = Duration::from_secs(2 * 3600);

/// A violation of what the system guarantees.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The index of the device.
    pub device: usize,
    /// The instant around which it happened.
    pub at: Timestamp,
    /// What happened, in words.
    pub what: String,
}

/// The whole account.
#[derive(Debug)]
pub struct Account {
    /// The figures.
    pub evaluation: Evaluation,
    /// The violations.
    pub faults: Vec<Fault>,
    /// The number of slots that count, and the number of all slots.
    pub slots: [u64; 2],
    /// Slots that do not count and are measured nevertheless.
    pub extra: u64,
    /// Slots without a measurement in runs of a device that never knew the time.
    pub unplaced_slots: u64,
    /// Measurements that stay in spools without a time.
    pub unplaced: u64,
    /// Measurements that were lost with damaged files.
    pub lost: u64,
    /// Measurements that were lost by revocation, before they were sent.
    pub purged: u64,
    /// Measurements at the server.
    pub rows: u64,
    /// Rows whose time was corrected afterwards.
    pub corrected: u64,
    /// Rows whose flags state how far their instant may be off.
    pub bounded: u64,
    /// The largest error of an instant among these.
    pub furthest_bounded: Duration,
    /// The largest error of an instant among all other rows.
    pub furthest: Duration,
}

/// Draws up the account.
///
/// # Errors
/// Returns an error if the database or a spool cannot be read.
pub fn draw_up(survey: &mut Survey) -> Result<Account> {
    let terms = Terms::new(survey.options.start, survey.end, CYCLE, Cycle::HOUR)?;
    let mut account = Account {
        evaluation: Evaluation::new(terms),
        faults: Vec::new(),
        slots: [0; 2],
        extra: 0,
        unplaced_slots: 0,
        unplaced: 0,
        lost: 0,
        purged: 0,
        rows: 0,
        corrected: 0,
        bounded: 0,
        furthest_bounded: Duration::ZERO,
        furthest: Duration::ZERO,
    };
    for index in 0..survey.devices.len() {
        let spool = survey.devices[index].finish()?;
        let waiting = spool.pending(1_000_000)?;
        let waits = waiting.iter().filter(|m| m.measured_at < survey.end).count();
        if waits > 0 {
            account.fault(index, survey.end, format!("measurements that still wait: {waits}"));
        }
        let unplaced = spool.unplaced_len()?;
        account.unplaced += unplaced;
        let life = &survey.devices[index].life;
        if unplaced > 0 && life.unplaced_runs.iter().next().is_none() {
            let what = format!("measurements that never got a time: {unplaced}");
            account.fault(index, survey.end, what);
        }
        account.lost += life.lost.len() as u64;
        let refused = spool.refused_len()?;
        if refused > 0 && !life.damaged {
            account.fault(index, survey.end, format!("measurements that are refused: {refused}"));
        }
    }
    account.consents(survey);
    account.certificates(survey);
    for number in 0..survey.meters.len() {
        account.meter(survey, number)?;
    }
    Ok(account)
}

impl Account {
    fn fault(&mut self, device: usize, at: Timestamp, what: String) {
        self.faults.push(Fault { device, at, what });
    }

    fn meter(&mut self, survey: &Survey, number: usize) -> Result<()> {
        let case = Case::new(survey, number)?;
        self.rows += case.rows.len() as u64;
        self.values(&case);
        let unmeasurable = self.slots(&case);
        let observations = case
            .rows
            .iter()
            .map(|row| Observation { measured_at: row.measured_at, received_at: row.received_at });
        let unreportable = case.unreportable();
        self.evaluation.add(Evaluated {
            meter: case.meter.uuid,
            model: case.meter.model.clone(),
            observations: observations.collect(),
            unmeasurable,
            unreportable: unreportable.iter().map(stretch).collect(),
            ..Evaluated::default()
        });
        if let Some(of) = self.evaluation.meters.last() {
            let reports = of.figures.reports;
            if reports.expected != reports.reached {
                let missing = case.missing_reports(&unreportable);
                let at = missing.first().copied().unwrap_or(survey.end);
                let what = format!(
                    "meter {}: {} reports of {} came; missing at {missing:?}",
                    case.meter.uuid, reports.reached, reports.expected
                );
                self.fault(case.meter.device, at, what);
            }
        }
        Ok(())
    }

    /// Checks that a certificate expired only if its device could not renew it.
    fn certificates(&mut self, survey: &Survey) {
        for (index, device) in survey.devices.iter().enumerate() {
            let Life { off, blind, unknown, .. } = &device.life;
            let mut unable = off.clone();
            unable.join(blind);
            unable.join(&device.plan.offline);
            unable.join(&survey.plan.server_down);
            for (span, _) in &survey.plan.sky.weather {
                unable.add(span.from, span.to);
            }
            for expired in unknown.iter().map(|span| span.from) {
                let due = expired - SignedDuration::try_from(CERTIFICATE / 3).unwrap_or_default();
                if unable.longest_gap(due, expired) >= RENEWABLE {
                    let what = format!("a certificate expired that could be renewed from {due} on");
                    self.fault(index, expired, what);
                }
            }
        }
    }

    /// Checks that no household is measured before its consent is granted or after it is revoked.
    fn consents(&mut self, survey: &Survey) {
        for (index, device) in survey.devices.iter().enumerate() {
            let life = &device.life;
            let revokes = survey.plan.revokes.is_some_and(|(who, _)| who == index);
            if revokes != life.revocation_heard.is_some() || life.measured_in_spite > 0 {
                let heard = life.revocation_heard;
                let what = format!("revoked {revokes}, heard {heard:?}, and measured after it");
                self.fault(index, heard.unwrap_or(survey.end), what);
            }
            let early = life.kept.values().find(|m| m.measured_at < device.plan.granted);
            if let Some(early) = early {
                self.fault(index, early.measured_at, "measured before consent".to_owned());
            }
        }
    }

    /// Checks that each row has what the meter sent, at the instant at which it was sent.
    fn values(&mut self, case: &Case<'_>) {
        let device = case.meter.device;
        let mut wall = locked(&case.meter.wall);
        wall.heard.sort_by_key(|said| said.at);
        let mut slots = BTreeSet::new();
        for row in &case.rows {
            let slot = CYCLE.slot(row.measured_at);
            if !slots.insert(slot.key()) {
                self.fault(device, row.measured_at, "a slot has two measurements".to_owned());
            }
            if row.uuid != measurement_id(case.meter.uuid, slot) {
                self.fault(device, row.measured_at, "the uuid is not its slot's".to_owned());
            }
            match nearest(&wall.heard, row) {
                Ok((said, off)) => {
                    let is_corrected = row.flags.contains(&Flag::ClockCorrected);
                    self.corrected += u64::from(is_corrected);
                    if bound(row).is_zero() {
                        self.furthest = self.furthest.max(off);
                    } else {
                        self.bounded += 1;
                        self.furthest_bounded = self.furthest_bounded.max(off);
                        if !said.is_hurt && !is_corrected {
                            let what = format!("a bound without a reason: {:?}", row.flags);
                            self.fault(device, row.measured_at, what);
                        }
                    }
                    // In the second in which the device receives the time, either is right.
                    let blind = |at: Timestamp| case.life.blind.at(at).is_some();
                    let second = SignedDuration::from_secs(1);
                    let (first, last) =
                        (said.at.min(row.measured_at), said.at.max(row.measured_at));
                    let around = [first - second, last + second].map(blind);
                    if around == [!is_corrected; 2] {
                        let what = format!("flags {:?}, blind {around:?}", row.flags);
                        self.fault(device, row.measured_at, what);
                    }
                    let is_explained =
                        |flag: &Flag| *flag == Flag::ClockCorrected || flag.time_bound().is_some();
                    if !row.flags.iter().all(is_explained) {
                        let what = format!("is doubted without a reason: {:?}", row.flags);
                        self.fault(device, row.measured_at, what);
                    }
                }
                Err(why) => self.fault(device, row.measured_at, why),
            }
        }
        let known: BTreeSet<Uuid> = case.rows.iter().map(|row| row.uuid).collect();
        let kept = case.life.kept.iter().filter(|(_, kept)| kept.meter == case.meter.uuid);
        for (uuid, measurement) in kept.filter(|(_, kept)| kept.measured_at < case.survey.end) {
            if known.contains(uuid) || case.life.lost.contains(uuid) {
                continue;
            }
            if case.revoked.is_some() {
                self.purged += 1;
            } else {
                let what = format!("the measurement of {} is lost", measurement.measured_at);
                self.fault(device, measurement.measured_at, what);
            }
        }
    }

    /// Checks that each slot that counts has a measurement; returns the slots that could not have
    /// one.
    fn slots(&mut self, case: &Case<'_>) -> Vec<Stretch> {
        let mut measured: BTreeSet<i64> =
            case.rows.iter().map(|row| CYCLE.slot(row.measured_at).key()).collect();
        let lost = &case.life.lost;
        let mut unmeasurable = Spans::default();
        let mut at = case.survey.options.start;
        while at < case.survey.end {
            let slot = CYCLE.slot(at);
            let span = span_of(slot);
            at = span.to;
            self.slots[1] += 1;
            let counts = case.counts(span);
            self.slots[0] += u64::from(counts);
            let is_lost = lost.contains(&measurement_id(case.meter.uuid, slot));
            match (counts, measured.remove(&slot.key())) {
                (true, true) => {}
                (false, true) => self.extra += 1,
                (false, false) => {
                    let unplaced = case.life.unplaced_runs.touches(span.from, span.to);
                    self.unplaced_slots += u64::from(unplaced);
                    unmeasurable.add(span.from, span.to);
                }
                (true, false) if is_lost || case.may_be_purged(span) => {
                    unmeasurable.add(span.from, span.to);
                }
                (true, false) => {
                    let what = format!("meter {}: this slot has no measurement", case.meter.uuid);
                    self.fault(case.meter.device, span.from, what);
                }
            }
        }
        unmeasurable.iter().map(stretch).collect()
    }
}

/// How far the row's instant may be off, as its flags state.
fn bound(row: &StoredMeasurement) -> Duration {
    row.flags.iter().filter_map(|flag| flag.time_bound()).max().unwrap_or_default()
}

/// The meter's telegram that the row stores, and how far the row's instant is from the telegram's.
fn nearest<'a>(heard: &'a [Said], row: &StoredMeasurement) -> Result<(&'a Said, Duration), String> {
    let within = SignedDuration::from_secs(17);
    let allowed = PRECISE + bound(row);
    let begin = heard.partition_point(|said| said.at < row.measured_at - within);
    let near = heard[begin..].iter().take_while(|said| said.at <= row.measured_at + within);
    let off = |said: &Said| until(said.at, row.measured_at).max(until(row.measured_at, said.at));
    let is_near = |said: &Said| off(said) <= allowed;
    let same = near
        .clone()
        .filter(|said| said.values.data() == row.data && is_near(said))
        .min_by_key(|said| off(said));
    match same {
        Some(said) => Ok((said, off(said))),
        None => {
            let near: Vec<_> = near.collect();
            let whenever: Vec<_> = heard
                .iter()
                .filter(|said| said.values.data() == row.data)
                .map(|said| said.at)
                .collect();
            Err(format!(
                "{} ({:?}) is not what the meter said within {allowed:?}: {near:?}; it said so at \
                 {whenever:?}",
                row.measured_at, row.data
            ))
        }
    }
}
