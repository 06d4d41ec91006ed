//! Which dates metadata are judged by. A device without a battery starts with a wrong clock.

use jiff::{SignedDuration, Timestamp};

/// How far a clock may be behind what is known before it is taken for wrong.
const STEP_BACK: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownTime {
    /// The clock's time; `None` where the clock is not known to be right.
    pub now: Option<Timestamp>,
    /// When this program was built: it cannot be earlier.
    pub built: Timestamp,
}

/// By which instant metadata were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// By the clock.
    Clock,
    /// By the latest instant that is known, which the clock is behind by that much, at most a day: a
    /// warning.
    Behind(SignedDuration),
    /// By the latest instant that is known, since the clock is not known to be right, or is more than
    /// a day behind it. Metadata that expired after that instant are not noticed.
    Bound,
}

impl KnownTime {
    /// The instant to judge by. It is never before what is known for certain: when this program was
    /// built, and when the trusted timestamp was signed.
    #[must_use]
    pub fn judge(&self, signed_at: Option<Timestamp>) -> (Timestamp, Judged) {
        let bound = signed_at.map_or(self.built, |at| at.max(self.built));
        match self.now {
            Some(now) if now >= bound => (now, Judged::Clock),
            Some(now) if bound.duration_since(now) <= STEP_BACK => {
                (bound, Judged::Behind(bound.duration_since(now)))
            }
            _ => (bound, Judged::Bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clock_is_used_from_what_is_known_on() {
        let built = at("2026-06-01T00:00:00Z");
        let signed = at("2026-09-01T00:00:00Z");
        let judge = |now: Option<&str>, signed| KnownTime { now: now.map(at), built }.judge(signed);
        let later = "2026-10-01T00:00:00Z";
        assert_eq!(judge(Some(later), Some(signed)), (at(later), Judged::Clock));
        assert_eq!(judge(Some("1970-01-01T00:00:00Z"), None), (built, Judged::Bound));
        assert_eq!(judge(None, None), (built, Judged::Bound));
        assert_eq!(judge(None, Some(signed)), (signed, Judged::Bound));
        let hour = Judged::Behind(SignedDuration::from_hours(1));
        assert_eq!(judge(Some("2026-08-31T23:00:00Z"), Some(signed)), (signed, hour));
        assert_eq!(judge(Some("2026-08-30T23:59:59Z"), Some(signed)), (signed, Judged::Bound));
    }
}
