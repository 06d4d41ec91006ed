//! Surveys with known faults, and the figures that they must have.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::{EmptyWindow, Evaluation, MeterRecord, Observation, Stretch, Target, Terms};
use crate::cycle::Cycle;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn terms(from: &str, to: &str) -> Terms {
    Terms::new(at(from), at(to), Cycle::QUARTER_HOUR, Cycle::HOUR).unwrap()
}

/// Three weeks of 2,016 slots.
fn three_weeks() -> Terms {
    terms("2026-03-01T00:00:00Z", "2026-03-22T00:00:00Z")
}

/// One measurement a slot, `second` seconds after its beginning, received with the report at
/// `minute` minutes past each hour.
fn regular(terms: &Terms, second: i64, minute: i64) -> Vec<Observation> {
    let mut observations = Vec::new();
    let mut slot = terms.window().from;
    while slot < terms.window().to {
        let measured_at = slot + SignedDuration::from_secs(second);
        let hour = measured_at.as_second().div_euclid(3600) * 3600;
        let mut received_at = Timestamp::from_second(hour + minute * 60).unwrap();
        if received_at < measured_at {
            received_at += SignedDuration::from_hours(1);
        }
        observations.push(Observation { measured_at, received_at });
        slot += SignedDuration::from_mins(15);
    }
    observations
}

fn evaluate(terms: Terms, record: MeterRecord) -> Evaluation {
    let mut evaluation = Evaluation::new(terms);
    evaluation.add(record);
    evaluation
}

fn evaluate_observations(terms: Terms, observations: Vec<Observation>) -> Evaluation {
    let record = MeterRecord {
        meter: Uuid::from_u128(1),
        model: "MT175".into(),
        observations,
        ..MeterRecord::default()
    };
    evaluate(terms, record)
}

#[test]
fn a_complete_survey_has_exactly_what_it_should() {
    let terms = three_weeks();
    for minute in [0, 7, 46, 59] {
        let figures = evaluate_observations(terms, regular(&terms, 1, minute)).overall;
        assert_eq!(figures.measurements, Target { expected: 2016, reached: 2016 });
        assert_eq!((figures.missed, figures.doubled), (0, 0));
        assert_eq!(figures.reports.fulfilment(), Some(100.0), "{minute}");
        assert!((503..=504).contains(&figures.reports.expected), "{:?}", figures.reports);
        let cycle = figures.measurement_cycle_minutes().unwrap();
        assert_eq!((cycle.mean, cycle.median, cycle.deviation), (15.0, 15.0, 0.0));
        let cycle = figures.report_cycle_minutes().unwrap();
        assert_eq!((cycle.mean, cycle.median, cycle.deviation), (60.0, 60.0, 0.0));
        assert_eq!(figures.measurements_per_report().unwrap().median, 4.0);
    }
}

#[test]
fn a_slot_measured_twice_shows_and_is_not_hidden_by_one_missed() {
    let terms = three_weeks();
    let mut observations = regular(&terms, 1, 46);
    let mut again = observations[100];
    again.measured_at += SignedDuration::from_mins(3);
    observations.push(again);
    observations.remove(500);
    let evaluation = evaluate_observations(terms, observations);
    let meter = &evaluation.meters[0];
    assert_eq!(meter.figures.measurements.fulfilment(), Some(100.0));
    assert_eq!((meter.figures.missed, meter.figures.doubled), (1, 1));
    assert_eq!(meter.doubles, [at("2026-03-02T01:00:00Z")]);
    assert_eq!(
        meter.silences,
        [Stretch { from: at("2026-03-06T05:00:00Z"), to: at("2026-03-06T05:15:00Z") }]
    );
}

#[test]
fn a_meter_counts_from_its_first_measurement() {
    let terms = three_weeks();
    let late = at("2026-03-11T12:20:00Z");
    let observations =
        regular(&terms, 1, 46).into_iter().filter(|o| o.measured_at > late).collect();
    let evaluation = evaluate_observations(terms, observations);
    assert_eq!(evaluation.meters[0].begins, Some(at("2026-03-11T12:30:00Z")));
    assert_eq!(evaluation.overall.measurements, Target { expected: 1006, reached: 1006 });
    assert_eq!(evaluation.overall.reports.fulfilment(), Some(100.0));
}

#[test]
fn a_silent_night_is_one_silence_and_misses_its_reports() {
    let terms = three_weeks();
    let night = at("2026-03-05T22:00:00Z")..at("2026-03-06T06:00:00Z");
    let observations: Vec<_> =
        regular(&terms, 1, 46).into_iter().filter(|o| !night.contains(&o.measured_at)).collect();
    let evaluation = evaluate_observations(terms, observations.clone());
    let meter = &evaluation.meters[0];
    assert_eq!(meter.silences, [Stretch { from: night.start, to: night.end }]);
    assert_eq!(meter.figures.measurements, Target { expected: 2016, reached: 1984 });
    assert_eq!(meter.figures.reports, Target { expected: 504, reached: 496 });
    // Without power there was nothing to expect.
    let dark = vec![Stretch { from: night.start, to: night.end }];
    let record = MeterRecord {
        observations,
        unmeasurable: dark.clone(),
        unreportable: dark,
        ..MeterRecord::default()
    };
    let excused = evaluate(terms, record).overall;
    assert_eq!(excused.measurements, Target { expected: 1984, reached: 1984 });
    assert_eq!(excused.reports.fulfilment(), Some(100.0));
    assert_eq!(excused.missed, 0);
}

#[test]
fn late_reports_in_one_heap_do_not_make_up_for_missed_ones() {
    let terms = three_weeks();
    let outage = at("2026-03-05T22:00:00Z")..at("2026-03-06T06:00:00Z");
    let mut observations = regular(&terms, 1, 46);
    for observation in &mut observations {
        if outage.contains(&observation.received_at) {
            observation.received_at = at("2026-03-06T06:10:00Z");
        }
    }
    let figures = evaluate_observations(terms, observations).overall;
    assert_eq!(figures.measurements.fulfilment(), Some(100.0));
    // Eight cycles fell out; the heap came nearest to the last of them.
    assert_eq!(figures.reports, Target { expected: 504, reached: 497 });
    assert_eq!(figures.measurements_per_report().unwrap().median, 4.0);
    assert_eq!(figures.per_report.len(), 497);
}

#[test]
fn a_meter_without_measurements_is_silent_throughout() {
    let terms = three_weeks();
    let evaluation = evaluate_observations(terms, Vec::new());
    assert_eq!(evaluation.meters[0].silences, [terms.window()]);
    assert_eq!(evaluation.overall.measurements, Target { expected: 2016, reached: 0 });
    assert_eq!(evaluation.overall.reports, Target { expected: 504, reached: 0 });
    assert_eq!(evaluation.overall.missed, 2016);
    assert_eq!(evaluation.overall.measurement_cycle_minutes(), None);
    // It could not be sooner than consent, and never without.
    let since = |from, to| {
        let allowed = Some(Stretch { from, to });
        evaluate(terms, MeterRecord { allowed, ..MeterRecord::default() })
    };
    let late = since(at("2026-03-21T23:07:00Z"), Timestamp::MAX);
    assert_eq!(late.overall.measurements, Target { expected: 4, reached: 0 });
    assert_eq!(late.overall.reports, Target { expected: 1, reached: 0 });
    let never = since(Timestamp::MAX, Timestamp::MAX);
    assert_eq!(never.overall.measurements.fulfilment(), None);
    assert_eq!((never.meters[0].begins, &never.meters[0].silences[..]), (None, &[][..]));
}

#[test]
fn what_was_measured_after_a_meters_removal_counts_for_nothing() {
    let minute = |minute: i64| at("2026-03-10T14:00:00Z") + SignedDuration::from_mins(minute);
    let cycle: Cycle = "1m".parse().unwrap();
    let terms = Terms::new(minute(17), minute(24), cycle, Cycle::HOUR).unwrap();
    let measured = |minutes: &[i64]| -> Vec<Observation> {
        let one = |&at| Observation { measured_at: minute(at), received_at: minute(at) };
        minutes.iter().map(one).collect()
    };
    let allowed = Some(Stretch { from: minute(0), to: minute(20) });
    let record = |minutes: &[i64]| MeterRecord {
        observations: measured(minutes),
        allowed,
        ..MeterRecord::default()
    };
    let before = evaluate(terms, record(&[18, 19]));
    assert_eq!(before.overall.measurements, Target { expected: 2, reached: 2 });
    assert_eq!(before.overall.missed, 0);
    for late in [20, 22] {
        let with_late = evaluate(terms, record(&[18, 19, late]));
        assert_eq!(with_late.meters, before.meters, "{late}");
    }
    // Nor does a late one say when the meter began, if it was never measured before.
    let silent = evaluate(terms, record(&[]));
    assert_eq!(silent.meters[0].begins, Some(minute(17)));
    for first in [None, Some(minute(22))] {
        let with_late = evaluate(terms, MeterRecord { first, ..record(&[22]) });
        assert_eq!(with_late.meters, silent.meters);
    }
}

#[test]
fn a_meter_that_was_measured_before_the_window_counts_from_its_beginning() {
    let terms = three_weeks();
    let late = at("2026-03-01T07:45:00Z");
    let observations: Vec<_> =
        regular(&terms, 1, 46).into_iter().filter(|o| o.measured_at > late).collect();
    let first = Some(at("2026-02-01T00:00:00Z"));
    let record = MeterRecord { observations, first, ..MeterRecord::default() };
    let evaluation = evaluate(terms, record);
    assert_eq!(evaluation.meters[0].begins, Some(terms.window().from));
    assert_eq!(evaluation.overall.measurements, Target { expected: 2016, reached: 1985 });
    assert_eq!(evaluation.overall.reports, Target { expected: 504, reached: 497 });
    // Or its death before the window, with nothing in it.
    let evaluation = evaluate(terms, MeterRecord { first, ..MeterRecord::default() });
    assert_eq!(evaluation.overall.measurements, Target { expected: 2016, reached: 0 });
    assert_eq!(evaluation.overall.reports, Target { expected: 504, reached: 0 });
}

/// Of a table as it grew the figures are those of the rows that count, whatever else is in it.
#[test]
fn rows_that_do_not_count_change_nothing() {
    let all = three_weeks();
    let day = terms("2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z");
    let mut observations = regular(&all, 1, 46);
    // A heap of the days before comes in the middle of the day.
    let outage = at("2026-03-03T10:00:00Z")..at("2026-03-05T12:00:00Z");
    for one in observations.iter_mut().filter(|one| outage.contains(&one.received_at)) {
        one.received_at = at("2026-03-05T12:10:00Z");
    }
    let first = Some(all.window().from);
    let needed: Vec<_> = observations.iter().copied().filter(|one| day.needs(one)).collect();
    assert!(
        needed.len() < 300 && needed[0].measured_at < outage.start + SignedDuration::from_hours(1)
    );
    let figures = |observations| {
        evaluate(day, MeterRecord { observations, first, ..MeterRecord::default() }).overall
    };
    assert_eq!(figures(needed), figures(observations.clone()));
    let figures = figures(observations);
    assert_eq!(figures.measurements.fulfilment(), Some(100.0));
    assert_eq!(figures.per_report.len(), 13);
}

/// Table C.1 sums up in table 5.1 as the mean of its rows; all values together deviate otherwise.
#[test]
fn deviations_are_pooled_or_the_mean_of_the_meters() {
    let terms = terms("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    let mut evaluation = Evaluation::new(terms);
    for silent in [0, 40] {
        let mut observations = regular(&terms, 1, 46);
        observations.drain(20..20 + silent);
        evaluation.add(MeterRecord { observations, ..MeterRecord::default() });
    }
    let [(name, mean), ..] = evaluation.mean_of_meters();
    assert_eq!(name, "measurement cycle (min)");
    let of = |place: usize| evaluation.meters[place].figures.measurement_cycle_minutes().unwrap();
    let mean = mean.unwrap();
    assert_eq!(of(0).deviation, 0.0);
    assert_eq!(mean.deviation, of(1).deviation / 2.0);
    assert_eq!(mean.mean, f64::midpoint(of(0).mean, of(1).mean));
    let pooled = evaluation.overall.measurement_cycle_minutes().unwrap();
    assert!(pooled.deviation > mean.deviation + 1.0, "{pooled:?} {mean:?}");
    assert_eq!(Evaluation::new(terms).mean_of_meters()[0].1, None);
}

#[test]
fn what_is_not_due_is_not_missing() {
    let all = terms("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    let figures = |due_by: &str, last_received: &str| {
        let mut observations = regular(&all, 1, 7);
        observations.retain(|one| one.received_at <= at(last_received));
        let record = MeterRecord { observations, ..MeterRecord::default() };
        let evaluation = evaluate(all.due_by(at(due_by)), record);
        let (meter, overall) = (&evaluation.meters[0], evaluation.overall.clone());
        (overall.measurements, overall.reports, meter.silences.len(), meter.excused.len())
    };
    let target = |expected, reached| Target { expected, reached };
    // Its report of 23:07 has 93 of the day's 96, and is the last of them.
    let whole = figures("2026-03-01T23:59:00Z", "2026-03-01T23:07:00Z");
    assert_eq!(whole, (target(93, 93), target(24, 24), 0, 1));
    // A report may come a little late, and then it is missed.
    let waiting = figures("2026-03-01T23:12:00Z", "2026-03-01T22:07:00Z");
    assert_eq!(waiting, (target(89, 89), target(23, 23), 0, 1));
    let missed = figures("2026-03-01T23:13:00Z", "2026-03-01T22:07:00Z");
    assert_eq!(missed, (target(92, 89), target(24, 23), 1, 1));
}

#[test]
fn windows_are_whole_slots() {
    let terms = terms("2026-03-01T00:01:00Z", "2026-03-01T01:14:59Z");
    let window = Stretch { from: at("2026-03-01T00:15:00Z"), to: at("2026-03-01T01:00:00Z") };
    assert_eq!(terms.window(), window);
    let empty = Terms::new(window.from, window.from, Cycle::QUARTER_HOUR, Cycle::HOUR);
    assert!(matches!(empty, Err(EmptyWindow { .. })));
    assert_eq!(
        empty.unwrap_err().to_string(),
        "the window does not contain a single whole slot of 15m"
    );
}

proptest! {
    /// Whatever is left out or comes twice: slots are missed or measured, and every measurement is
    /// the first of its slot or a double.
    #[test]
    fn the_counts_add_up(
        dropped in proptest::collection::btree_set(1..2016_usize, 0..300),
        doubled in proptest::collection::btree_set(1..2016_usize, 0..300),
        shuffle in 1..2016_usize,
    ) {
        let terms = three_weeks();
        let all = regular(&terms, 2, 46);
        let mut observations: Vec<_> = Vec::new();
        for (i, observation) in all.iter().enumerate() {
            if dropped.contains(&i) {
                continue;
            }
            observations.push(*observation);
            if doubled.contains(&i) {
                let mut again = *observation;
                again.measured_at += SignedDuration::from_secs(600);
                observations.push(again);
            }
        }
        let twice = doubled.difference(&dropped).count() as u64;
        let middle = shuffle % observations.len();
        observations.rotate_left(middle);
        let evaluation = evaluate_observations(terms, observations);
        let meter = &evaluation.meters[0];
        prop_assert_eq!(meter.figures.missed, dropped.len() as u64);
        prop_assert_eq!(meter.figures.doubled, twice);
        prop_assert_eq!(meter.figures.measurements.expected, 2016);
        prop_assert_eq!(meter.figures.measurements.reached, 2016 - dropped.len() as u64 + twice);
        let silent: i64 = meter.silences.iter().map(|s| s.to.as_second() - s.from.as_second()).sum();
        prop_assert_eq!(silent, 900 * dropped.len() as i64);
        prop_assert!(meter.figures.reports.reached <= meter.figures.reports.expected);
    }
}
