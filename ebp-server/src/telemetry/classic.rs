//! Metrics in the text format of before OpenMetrics, for what does not read that.

/// The same in the older text format (0.0.4), in which a counter is called by its whole name.
#[must_use]
pub fn classic(open_metrics: &str) -> String {
    let counters: Vec<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::new();
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                text.push_str(&format!("# {what} {name}_total {rest}"));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use ebp_store::{AlertCounts, DeviceCounts};
    use jiff::Timestamp;

    use super::*;
    use crate::{
        machine::MachineState,
        telemetry::{Gauges, Handshake, Telemetry},
    };

    #[test]
    fn counters_are_called_by_their_whole_name_in_the_older_format() {
        let telemetry = Telemetry::default();
        telemetry.handshake(Handshake::Failed);
        let gauges = Gauges {
            devices: DeviceCounts::default(),
            connections: 2,
            jobs: Vec::new(),
            alerts: AlertCounts::default(),
            rollout: Default::default(),
            pool: None,
            oldest_job: None,
            machine: MachineState {
                disk: None,
                backup: None,
                certificates: Vec::new(),
                releases: vec![("root", Timestamp::UNIX_EPOCH)],
                errors: Vec::new(),
                newest_error: None,
            },
            now: Timestamp::UNIX_EPOCH,
        };
        let text = classic(&telemetry.text(gauges).unwrap());
        assert!(text.contains("# TYPE ebp_tls_handshakes_total counter\n"), "{text}");
        assert!(text.contains("# HELP ebp_tls_handshakes_total How TLS"), "{text}");
        assert!(text.contains("# TYPE ebp_connections gauge\nebp_connections 2\n"), "{text}");
        assert!(text.contains("ebp_tls_handshakes_total{outcome=\"failed\"} 1\n"), "{text}");
        assert!(!text.contains("EOF"), "{text}");
    }
}
