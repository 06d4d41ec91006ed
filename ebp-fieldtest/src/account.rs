//! The account: what the server has, held against what the meters said and what was possible.
//!
//! Enters: the survey at its end. Leaves: the evaluation of chapter 5 and every [`Fault`] found.
//! Absent: printing.
//!
//! A slot *counts* when within it, for 90 seconds on end, the device had power and the meter could
//! be read: then it must have a measurement. A device that does not know the time does not know where
//! slots begin, and after half an hour without it measures every five minutes: there it takes 390
//! seconds on end. A run of a device that ended before any clock was heard has measurements that
//! nobody can place; its slots do not count, and are told. A slot that does not count may be measured
//! nevertheless.
//!
//! A report cycle counts when around it the device had power, the time and a network, the server ran
//! and answered what it was asked, and there was something to report.

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

/// How far a measurement's instant may be from the true one, beyond what it says itself.
const PRECISE: Duration = Duration::from_secs(1);

/// A device that has power, time and the server for so long renews its certificate.
const RENEWABLE: Duration = Duration::from_secs(2 * 3600);

/// Something that must not be.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Of which device.
    pub device: usize,
    /// Around which instant.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

/// The whole account.
#[derive(Debug)]
pub struct Account {
    /// The figures.
    pub evaluation: Evaluation,
    /// What must not be.
    pub faults: Vec<Fault>,
    /// Slots that count, and all of them.
    pub slots: [u64; 2],
    /// Slots that do not count and are measured nevertheless.
    pub extra: u64,
    /// Slots of runs that never knew the time.
    pub unplaced_slots: u64,
    /// Measurements that stay in spools without a time.
    pub unplaced: u64,
    /// Measurements that were lost with damaged files.
    pub lost: u64,
    /// Measurements that were lost by revocation, before they were sent.
    pub purged: u64,
    /// Measurements at the server.
    pub rows: u64,
    /// Of those, such whose time was set right.
    pub corrected: u64,
    /// Of those, such that say themselves how far their instant may be off.
    pub bounded: u64,
    /// How far that of any of these is off.
    pub furthest_bounded: Duration,
    /// The furthest that the instant of any other is from the true one.
    pub furthest: Duration,
}

/// Draws up the account.
///
/// # Errors
/// If the database or a spool cannot be read.
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

    /// A person has to replace a certificate only where the device could not renew it.
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

    /// Whoever revokes is not measured any more, and whoever grants late not before.
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

    /// Each row is what the meter said, when it said it.
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
                    // In the second in which it learns the time, either is right.
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

    /// Each slot that counts has a measurement; which ones could not have one.
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

/// How far the row's instant may be off by its own word.
fn bound(row: &StoredMeasurement) -> Duration {
    row.flags.iter().filter_map(|flag| flag.time_bound()).max().unwrap_or_default()
}

/// What the meter said that the row keeps, and how far the row's instant is from it.
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
