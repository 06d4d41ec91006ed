//! One meter's part of the evaluation.
//!
//! Enters: a meter's record and the terms. Leaves: its figures and silences. Absent: other meters.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Distribution, Figures, MeterEvaluation, MeterRecord, Stretch, Target, Terms};
use crate::cycle::Cycle;

/// Evaluates it.
pub fn evaluate(record: MeterRecord, terms: &Terms) -> MeterEvaluation {
    let MeterRecord { meter, model, mut observations, unmeasurable, unreportable } = record;
    let window = terms.window;
    observations.sort_unstable();
    let within = |at: Timestamp| window.from <= at && at < window.to;
    let measured: Vec<_> =
        observations.iter().map(|o| o.measured_at).filter(|&at| within(at)).collect();
    let begins = measured.first().map(|&first| terms.measurement.slot(first).start());
    let mut evaluation = MeterEvaluation {
        meter,
        model,
        begins,
        figures: Figures { measurement_cycle: intervals(&measured), ..Figures::default() },
        silences: Vec::new(),
        doubles: Vec::new(),
    };
    let Some(begins) = begins else {
        evaluation.silences.push(window);
        return evaluation;
    };
    slots(
        &mut evaluation,
        &measured,
        Stretch { from: begins, to: window.to },
        terms,
        &unmeasurable,
    );

    let mut reports: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for observation in &observations {
        if within(observation.received_at) {
            *reports.entry(observation.received_at).or_default() += 1;
        }
    }
    let instants: Vec<_> = reports.keys().copied().collect();
    let figures = &mut evaluation.figures;
    figures.report_cycle = intervals(&instants);
    reports.values().for_each(|&count| figures.per_report.add(count));
    figures.reports = report_target(&instants, window.to, terms.report, &unreportable);
    evaluation
}

/// Goes through the meter's slots one by one.
fn slots(
    evaluation: &mut MeterEvaluation,
    measured: &[Timestamp],
    part: Stretch,
    terms: &Terms,
    unmeasurable: &[Stretch],
) {
    let figures = &mut evaluation.figures;
    let mut rest = measured.iter().peekable();
    let mut slot = terms.measurement.slot(part.from);
    while slot.start() < part.to {
        let (start, end) = (slot.start(), slot.end());
        let mut count = 0;
        while rest.next_if(|&&at| at < end).is_some() {
            count += 1;
        }
        let excused = count == 0 && unmeasurable.iter().any(|u| u.from <= start && end <= u.to);
        if !excused {
            figures.measurements.expected += 1;
            figures.measurements.reached += count;
        }
        if count > 1 {
            figures.doubled += count - 1;
            evaluation.doubles.push(start);
        }
        if count == 0 && !excused {
            figures.missed += 1;
            match evaluation.silences.last_mut() {
                Some(last) if last.to == start => last.to = end,
                _ => evaluation.silences.push(Stretch { from: start, to: end }),
            }
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

/// One report in each cycle from the first report on.
fn report_target(
    reports: &[Timestamp],
    end: Timestamp,
    cycle: Cycle,
    unreportable: &[Stretch],
) -> Target {
    let Some(first) = reports.first() else { return Target::default() };
    let length = millis(cycle);
    let phase = phase(reports, length);
    // Cycles are numbered from the one nearest to the first report.
    let number = |at: Timestamp| (at.as_millisecond() - phase + length / 2).div_euclid(length);
    let begin = number(*first);
    let mut target = Target::default();
    let mut rest = reports.iter().peekable();
    for cycle in begin.. {
        let due = phase + cycle * length;
        if due >= end.as_millisecond() {
            break;
        }
        let mut came = false;
        while rest.next_if(|&&at| number(at) <= cycle).is_some() {
            came = true;
        }
        let (from, to) = (due - length / 2, due + length / 2);
        let excused = unreportable
            .iter()
            .any(|u| u.from.as_millisecond() < to && from < u.to.as_millisecond());
        if came || !excused {
            target.expected += 1;
            target.reached += u64::from(came);
        }
    }
    target
}

/// Where in the cycle the device usually reports, in milliseconds: the middle of the tenth of the
/// cycle that has most reports, so that single ones at odd times do not count.
fn phase(reports: &[Timestamp], length: i64) -> i64 {
    let mut phases: Vec<i64> =
        reports.iter().map(|at| at.as_millisecond().rem_euclid(length)).collect();
    phases.sort_unstable();
    let count = phases.len();
    // Round the clock once more, so that a tenth across its beginning is seen whole.
    phases.extend_from_within(..);
    phases[count..].iter_mut().for_each(|phase| *phase += length);
    let (mut best, mut end) = ((0, 0), 0);
    for start in 0..count {
        end = end.max(start);
        while end < phases.len().min(start + count) && phases[end] - phases[start] <= length / 10 {
            end += 1;
        }
        if end - start > best.1 - best.0 {
            best = (start, end);
        }
    }
    phases[best.0 + (best.1 - best.0 - 1) / 2].rem_euclid(length)
}

fn millis(cycle: Cycle) -> i64 {
    i64::try_from(cycle.duration().as_millis()).unwrap_or(i64::MAX)
}
