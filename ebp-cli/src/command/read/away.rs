//! What is said of a port that goes away and comes back, and how long it is left alone: a bridge
//! that serves somebody else accepts each connection and hangs up, which would fill the log.
//!
//! Enters: that the port is gone, the bytes received so far, telegrams, the time. Leaves: whether
//! to say so, and the pause before it is tried. Absent: ports, waiting, words.

use std::time::Duration;

/// The first pause before a port that is gone is tried.
const FIRST: Duration = Duration::from_millis(500);
/// Pauses grow up to this while no telegram comes.
const LONGEST: Duration = Duration::from_secs(30);
/// It is said again that it is gone after this at the earliest, while no telegram comes.
const BETWEEN: Duration = Duration::from_secs(60);

/// A port that is gone, or that was and has sent no telegram since.
#[derive(Debug)]
pub struct Away {
    /// The bytes received when it went.
    received: u64,
    /// When that was said last.
    told: Duration,
    /// Whether that it is gone was said, and not yet that it is back.
    is_open: bool,
    pause: Duration,
}

impl Away {
    /// It is gone, perhaps once more since the last telegram. Returns its state, and whether to say
    /// so.
    pub fn gone(before: Option<Self>, received: u64, now: Duration) -> (Self, bool) {
        match before {
            None => (Self { received, told: now, is_open: true, pause: FIRST }, true),
            Some(Self { told, pause, is_open, .. }) => {
                let is_said = now.saturating_sub(told) >= BETWEEN;
                let told = if is_said { now } else { told };
                let pause = pause.saturating_mul(2).min(LONGEST);
                (Self { received, told, is_open: is_open || is_said, pause }, is_said)
            }
        }
    }

    /// How long it is left alone before it is tried.
    pub const fn pause(&self) -> Duration {
        self.pause
    }

    /// So many bytes came in all. Returns whether to say that it is back.
    pub fn is_back(&mut self, received: u64) -> bool {
        received != self.received && std::mem::take(&mut self.is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_that_hangs_up_at_once_is_told_once_a_minute() {
        let (mut now, mut away, mut said, mut tries) = (Duration::ZERO, None, 0, 0);
        while now < Duration::from_secs(600) {
            let (mut next, is_said) = Away::gone(away.take(), 7, now);
            said += u32::from(is_said);
            tries += 1;
            assert!(!next.is_back(7), "it sent no byte");
            now += next.pause();
            away = Some(next);
        }
        assert!((9..=11).contains(&said), "{said}");
        assert!(tries <= 26, "{tries}");
    }

    #[test]
    fn it_is_back_with_its_first_byte() {
        let (mut away, is_said) = Away::gone(None, 7, Duration::ZERO);
        assert!(is_said && away.pause() == FIRST);
        assert!(!away.is_back(7) && away.is_back(8) && !away.is_back(9), "once");
        // After several tries it is back, too.
        let (once, _) = Away::gone(None, 7, Duration::ZERO);
        let (mut twice, is_said) = Away::gone(Some(once), 7, Duration::from_secs(1));
        assert!(!is_said && !twice.is_back(7) && twice.is_back(8) && !twice.is_back(9));
        // Words instead of a telegram, and gone again: nothing new.
        let (mut again, is_said) = Away::gone(Some(away), 30, Duration::from_secs(1));
        assert!(!is_said && !again.is_back(60));
    }
}
