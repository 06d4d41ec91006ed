//! Small phrases that messages are made of: instants to come, values of a measurement.

use std::time::Duration;

pub use ebp_core::phrase::counted;
#[cfg(feature = "server")]
pub use ebp_core::phrase::counted_as;
use ebp_core::{model::DataPoint, obis::ObisCode};
use jiff::{SignedDuration, Timestamp};

/// `at 2026-03-01T12:15:00Z, in 7m 12s`: whole seconds, rounded up.
pub fn instant_to_come(now: Timestamp, wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let at = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
    let at = at.and_then(|at| Timestamp::from_second(at.as_second()).ok()).unwrap_or(now);
    format!("at {at}, in {}", humantime::format_duration(Duration::from_secs(seconds)))
}

/// `1.8.0 12345.6789 kWh, 16.7.0 0.015 kW`.
pub fn values(data: &[DataPoint]) -> String {
    let value = |DataPoint { obis, value }: &DataPoint| {
        let ObisCode([_, _, c, d, e, _]) = obis;
        let unit = if *d == 8 { "kWh" } else { "kW" };
        format!("{c}.{d}.{e} {value} {unit}")
    };
    data.iter().map(value).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_whole_seconds() {
        let now: Timestamp = "2026-03-01T12:07:48.25Z".parse().unwrap();
        let text = instant_to_come(now, Duration::from_millis(431_750));
        assert_eq!(text, "at 2026-03-01T12:15:00Z, in 7m 12s");
    }

    #[test]
    fn a_measurement_on_a_line() {
        let point = |obis, value: &str| DataPoint { obis, value: value.parse().unwrap() };
        let data =
            [point(ObisCode::POSITIVE_ENERGY, "12345.6789"), point(ObisCode::SUM_POWER, "-0.015")];
        assert_eq!(values(&data), "1.8.0 12345.6789 kWh, 16.7.0 -0.015 kW");
    }
}
