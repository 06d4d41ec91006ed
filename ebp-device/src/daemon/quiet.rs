//! A server that asks not to be called is not asked for consent meanwhile.

use std::time::Duration;

use ebp_client::ClientError;
use ebp_core::contract::Consent;

/// It is asked after this time at the latest, so that a revocation is heard of.
const LONGEST: Duration = Duration::from_secs(3600);

/// Until when the server asked not to be called, since the machine's start.
#[derive(Debug, Default)]
pub struct Quiet(Duration);

impl Quiet {
    /// What the server answered at that time.
    pub fn hear(&mut self, answer: &Result<Consent, ClientError>, now: Duration) {
        let asked = answer.as_ref().err().and_then(ClientError::retry_after);
        self.0 = now.saturating_add(asked.unwrap_or_default().min(LONGEST));
    }

    /// Whether it is not to be called at that time.
    pub fn holds(&self, now: Duration) -> bool {
        now < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks_and_an_hour_at_most() {
        let busy = |seconds: Option<u64>| {
            Err(ClientError::Problem {
                server: "https://api.example".into(),
                status: 502,
                kind: "about:blank".into(),
                title: "busy".into(),
                faults: Box::default(),
                household: None,
                retry_after: seconds.map(Duration::from_secs),
                trace_id: None,
            })
        };
        let at = Duration::from_secs;
        let mut quiet = Quiet::default();
        assert!(!quiet.holds(at(0)));
        quiet.hear(&busy(Some(1200)), at(100));
        assert!(quiet.holds(at(100)) && quiet.holds(at(1299)) && !quiet.holds(at(1300)));
        quiet.hear(&busy(Some(24 * 3600)), at(2000));
        assert!(quiet.holds(at(5599)) && !quiet.holds(at(5600)));
        quiet.hear(&busy(None), at(5600));
        assert!(!quiet.holds(at(5600)));
    }
}
