//! Evaluates a meter's instants as `ebp report` does: measurement and report target fulfilment.
//!
//! `cargo run -p ebp-core --example evaluate_instants`

use std::error::Error;

use ebp_core::{
    cycle::Cycle,
    evaluation::{Evaluation, MeterRecord, Observation, Terms},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let start: Timestamp = "2026-01-31T00:00:00Z".parse()?;
    let end = start + SignedDuration::from_hours(24);
    let terms = Terms::new(start, end, Cycle::QUARTER_HOUR, Cycle::HOUR)?;
    // A day in quarter hours, without those from 6 to 7 o'clock, sent at each full hour.
    let observations = (0..96).filter(|quarter| !(24..28).contains(quarter)).map(|quarter| {
        let measured_at = start + SignedDuration::from_mins(15 * quarter);
        let received_at = start + SignedDuration::from_hours(quarter / 4 + 1);
        Observation { measured_at, received_at }
    });
    let mut evaluation = Evaluation::new(terms);
    evaluation.add(MeterRecord {
        meter: Uuid::from_u128(1),
        model: "MT175".to_owned(),
        observations: observations.collect(),
        ..MeterRecord::default()
    });
    for (name, target) in evaluation.overall.targets() {
        let percent = target.fulfilment().unwrap_or_default();
        println!("{name}: {percent:.2} % ({} of {})", target.reached, target.expected);
    }
    for silence in &evaluation.meters[0].silences {
        println!("silent from {} to {}", silence.from, silence.to);
    }
    Ok(())
}
