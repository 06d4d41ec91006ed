//! One meter's part of the evaluation.
//!
//! Enters: a meter's record and the terms. Leaves: its figures and silences. Absent: other meters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    distribution::Distribution,
    figures::Figures,
    report::Reports,
    terms::{Observation, Stretch, Terms},
};

/// A meter and its measurements.
#[derive(Debug, Clone, Default)]
pub struct MeterRecord {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// Its model's name.
    pub model: String,
    /// Its measurements, in any order: at least all that [`Terms::needs`].
    pub observations: Vec<Observation>,
    /// When it was measured for the first time, if that is not among the observations.
    pub first: Option<Timestamp>,
    /// When the household's consent allowed measuring; always, if absent. If the meter was never
    /// measured, its part of the window begins with that time, and nothing is due after its end.
    pub allowed: Option<Stretch>,
    /// Whether it is counted without being named.
    pub withheld: bool,
    /// When it could not be measured at all, for reasons outside the system: slots that lie
    /// completely within are no target.
    pub unmeasurable: Vec<Stretch>,
    /// When nothing could be reported, for reasons outside the system: report cycles that touch it
    /// are no target.
    pub unreportable: Vec<Stretch>,
}

/// A meter's part of the evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterEvaluation {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// Its model's name.
    pub model: String,
    /// Whether it is counted without being named.
    pub withheld: bool,
    /// Where its part of the window begins; absent where it has none.
    pub begins: Option<Timestamp>,
    /// Its figures.
    pub figures: Figures,
    /// Its gaps: missed slots, adjacent ones joined.
    pub silences: Vec<Stretch>,
    /// Its excused gaps: slots without a measurement in which none was expected, adjacent ones
    /// joined.
    pub excused: Vec<Stretch>,
    /// When it was measured more than once in a slot: those slots.
    pub doubles: Vec<Timestamp>,
}

/// Evaluates it.
pub fn evaluate(record: MeterRecord, terms: &Terms) -> MeterEvaluation {
    let window = terms.window;
    let begin = Begin::find(&record, terms);
    let MeterRecord { meter, model, mut observations, allowed, .. } = record;
    // Only these, so that the figures do not depend on how much more a source provides.
    observations.retain(|one| terms.needs(one) && may_count(one.measured_at, allowed));
    observations.sort_unstable();
    let measured: Vec<_> =
        observations.iter().map(|one| one.measured_at).filter(|&at| window.contains(at)).collect();
    let mut reports: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for Observation { received_at, .. } in &observations {
        if terms.reception().contains(*received_at) {
            *reports.entry(*received_at).or_default() += 1;
        }
    }
    let due_by = allowed.map_or(terms.due_by, |allowed| terms.due_by.min(allowed.to));
    let instants: Vec<_> = reports.keys().copied().collect();
    let schedule = Reports::new(&instants, terms.report, due_by);

    let mut figures = Figures { measurement_cycle: intervals(&measured), ..Figures::default() };
    let within: Vec<_> = instants.iter().copied().filter(|&at| window.contains(at)).collect();
    figures.report_cycle = intervals(&within);
    within.iter().filter_map(|at| reports.get(at)).for_each(|&count| figures.per_report.add(count));
    let mut evaluation = MeterEvaluation {
        meter,
        model,
        withheld: record.withheld,
        begins: begin.as_ref().map(|begin| begin.slot),
        figures,
        silences: Vec::new(),
        excused: Vec::new(),
        doubles: Vec::new(),
    };
    if let Some(Begin { slot, report }) = begin {
        let part = Stretch { from: slot, to: window.to };
        slots(&mut evaluation, &measured, part, terms, &record.unmeasurable, &schedule);
        let part = Stretch { from: report, to: window.to };
        evaluation.figures.reports = schedule.target(part, &record.unreportable);
    }
    evaluation
}

/// Whether the meter was still there: what was measured after it was taken down is of another one.
fn may_count(measured_at: Timestamp, allowed: Option<Stretch>) -> bool {
    allowed.is_none_or(|allowed| measured_at < allowed.to)
}

/// Where a meter's part of the window begins.
struct Begin {
    /// Its first slot.
    slot: Timestamp,
    /// From when on it reports.
    report: Timestamp,
}

impl Begin {
    /// With the first measurement ever, or, without one, with the permission to measure.
    fn find(record: &MeterRecord, terms: &Terms) -> Option<Self> {
        let Stretch { from, to } = terms.window;
        let seen = record.observations.iter().map(|one| one.measured_at).min();
        let first = record.first.into_iter().chain(seen).min();
        let first = first.filter(|&at| may_count(at, record.allowed));
        let since = first.or_else(|| record.allowed.map(|allowed| allowed.from));
        let since = since.unwrap_or(from);
        if since <= from {
            return Some(Self { slot: from, report: from });
        }
        let slot = terms.measurement.slot(since).start();
        (slot < to).then_some(Self { slot, report: since })
    }
}

/// Goes through the meter's slots one by one.
fn slots(
    evaluation: &mut MeterEvaluation,
    measured: &[Timestamp],
    part: Stretch,
    terms: &Terms,
    unmeasurable: &[Stretch],
    reports: &Reports<'_>,
) {
    let figures = &mut evaluation.figures;
    let last = measured.last().copied();
    let mut rest = measured.iter().peekable();
    let mut slot = terms.measurement.slot(part.from);
    while slot.start() < part.to {
        let (start, end) = (slot.start(), slot.end());
        let mut count = 0;
        while rest.next_if(|&&at| at < end).is_some() {
            count += 1;
        }
        // If it was received, later measurements were received with it.
        let is_due = || last.is_some_and(|last| end <= last) || reports.are_due(end);
        let is_excused = count == 0
            && (unmeasurable.iter().any(|u| u.from <= start && end <= u.to) || !is_due());
        if !is_excused {
            figures.measurements.expected += 1;
            figures.measurements.reached += count;
        }
        if count > 1 {
            figures.doubled += count - 1;
            evaluation.doubles.push(start);
        }
        if count == 0 {
            let silent =
                if is_excused { &mut evaluation.excused } else { &mut evaluation.silences };
            match silent.last_mut() {
                Some(last) if last.to == start => last.to = end,
                _ => silent.push(Stretch { from: start, to: end }),
            }
            figures.missed += u64::from(!is_excused);
        }
        slot = terms.measurement.slot(end);
    }
}

/// How long from each to the next, milliseconds.
fn intervals(instants: &[Timestamp]) -> Distribution {
    let mut intervals = Distribution::default();
    for pair in instants.windows(2) {
        // To the nearest, so that what was read at 0.9996 s and 900.0004 s is 15 minutes apart.
        let micros = pair[1].as_microsecond() - pair[0].as_microsecond();
        intervals.add((micros + 500).div_euclid(1000));
    }
    intervals
}
