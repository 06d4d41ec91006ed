//! Warns if a survey's cycles differ from the assumed ones.

use std::time::Duration;

use ebp_core::{
    cycle::Cycle,
    evaluation::{Evaluation, Statistics},
};

/// Cycles that a survey is likely to have, for which there is an option to write.
const USUAL: [&str; 12] =
    ["1s", "2s", "10s", "1m", "5m", "10m", "15m", "30m", "1h", "6h", "12h", "24h"];
/// How far the median may be from the assumed cycle, as a share of it, before a warning.
const TOLERANCE: f64 = 0.25;

/// What is to be said of them: a line for each cycle that does not look as assumed.
pub fn doubts(evaluation: &Evaluation) -> Vec<String> {
    let Evaluation { terms, overall, .. } = evaluation;
    [
        (
            "measurements of a meter",
            "--measurement-cycle",
            terms.measurement_cycle(),
            overall.measurement_cycle_minutes(),
        ),
        (
            "reports of a meter",
            "--report-cycle",
            terms.report_cycle(),
            overall.report_cycle_minutes(),
        ),
    ]
    .into_iter()
    .filter_map(|(what, option, assumed, found)| doubt(what, option, assumed, found))
    .collect()
}

fn doubt(what: &str, option: &str, assumed: Cycle, found: Option<Statistics>) -> Option<String> {
    let median = Duration::try_from_secs_f64(found?.median * 60.0).ok()?;
    if is_near(median, assumed) {
        return None;
    }
    let usual = USUAL.iter().find(|text| text.parse().is_ok_and(|cycle| is_near(median, cycle)));
    let ask = usual.map(|cycle| format!("; is it {option} {cycle}?")).unwrap_or_default();
    let median = humantime::format_duration(Duration::from_secs(median.as_secs()));
    Some(format!("{what} are {median} apart (median), not {assumed} as assumed{ask}"))
}

fn is_near(median: Duration, cycle: Cycle) -> bool {
    let cycle = cycle.duration().as_secs_f64();
    (median.as_secs_f64() - cycle).abs() <= TOLERANCE * cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(assumed: Cycle, median: f64) -> Option<String> {
        let found = Statistics { mean: median, median, deviation: 0.0 };
        doubt("measurements of a meter", "--measurement-cycle", assumed, Some(found))
    }

    #[test]
    fn a_cycle_that_looks_otherwise_is_told() {
        assert_eq!(said(Cycle::QUARTER_HOUR, 15.1), None);
        assert_eq!(
            said(Cycle::QUARTER_HOUR, 5.0).unwrap(),
            "measurements of a meter are 5m apart (median), not 15m as assumed; is it \
             --measurement-cycle 5m?"
        );
        let text = said(Cycle::QUARTER_HOUR, 200.0).unwrap();
        assert!(text.contains("3h 20m apart") && !text.contains("is it"), "{text}");
    }
}
