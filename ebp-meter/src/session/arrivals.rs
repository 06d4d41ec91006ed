//! Records when bytes arrived, to determine how long ago a telegram may have ended that was
//! recognised only later.

use std::{collections::VecDeque, time::Duration};

/// So many reads are remembered: at least 15 s of a line that is looked at every 60 ms.
const READS: usize = 256;
/// So many bytes behind a frame a decoder may need to see that it is over.
const LOOK_AHEAD: u64 = 16;

/// The latest reads of a port.
pub(super) struct Arrivals {
    received: u64,
    /// How many bytes had come in all after a read, and when that was.
    reads: VecDeque<(u64, Duration)>,
}

impl Arrivals {
    /// The port is open from now on.
    pub fn new(now: Duration) -> Self {
        let mut reads = VecDeque::with_capacity(READS);
        reads.push_back((0, now));
        Self { received: 0, reads }
    }

    /// So many bytes have come.
    pub fn note(&mut self, count: usize, now: Duration) {
        if self.reads.len() == READS {
            self.reads.pop_front();
        }
        self.received = self.received.saturating_add(count as u64);
        self.reads.push_back((self.received, now));
    }

    /// How many bytes have come in all.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// How long ago, at most, a frame of that length began which the last read has shown to be over.
    pub fn began_within(&self, frame: usize) -> Duration {
        let mut latest = self.reads.iter().rev();
        let (Some((_, now)), Some((before, _))) = (latest.next(), latest.next()) else {
            return Duration::MAX;
        };
        let begin = before.saturating_sub(LOOK_AHEAD).saturating_sub(frame as u64);
        // What a read gave came after the read before it.
        let earlier = self.reads.iter().rev().find(|(received, _)| *received <= begin);
        earlier.map_or(Duration::MAX, |(_, at)| now.saturating_sub(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_began_after_the_read_before_its_first_byte() {
        let mut arrivals = Arrivals::new(Duration::ZERO);
        assert_eq!(arrivals.began_within(0), Duration::MAX);
        // Three telegrams of 120 bytes every two seconds, in two reads each.
        for second in [0, 2, 4] {
            for half in [0, 60] {
                arrivals.note(60, Duration::from_millis(second * 1000 + half));
            }
        }
        arrivals.note(60, Duration::from_secs(6));
        assert_eq!(arrivals.received(), 420);
        // The last one is shown to be over by the next one's beginning.
        let within = arrivals.began_within(120);
        assert!(
            within >= Duration::from_millis(1940) && within <= Duration::from_secs(4),
            "{within:?}"
        );
        // Two that could not be distinguished.
        assert!(arrivals.began_within(240) >= Duration::from_millis(3940));
        assert_eq!(arrivals.began_within(400), Duration::from_secs(6), "since the port was opened");
    }

    #[test]
    fn what_is_long_ago_is_not_remembered() {
        let mut arrivals = Arrivals::new(Duration::ZERO);
        for read in 0..1000 {
            arrivals.note(10, Duration::from_millis(60 * read));
        }
        assert!(arrivals.began_within(100) < Duration::from_secs(1));
        assert_eq!(arrivals.began_within(5000), Duration::MAX);
        assert_eq!(arrivals.reads.len(), READS);
    }
}
