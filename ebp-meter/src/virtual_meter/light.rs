//! Light in time, from bytes on a line.
//!
//! Enters: bytes with the time of their arrival. Leaves: light on and off with times. Absent: the
//! clock; what the light means.
//!
//! A break does not pass a pty, and a pty has no speed: what is written into it is there at once.
//! So a pty carries light as the line behind it would. Each byte lies on the line for ten bit times
//! from its arrival, or from the end of the byte before it if that is later, as in the send queue
//! of a UART. A zero byte is light, any other byte is dark (a reading head's LED shines for at most
//! half of it). 384 zero bytes at 9600 baud are a press of 400 ms, whether they were written at
//! once or one by one; the pause is measured from where they end on the line, not from when they
//! were written.

use std::time::Duration;

/// A gap between two bytes that is still one press: a scheduler's hiccup, shorter than any pause.
pub const GAP: Duration = Duration::from_millis(40);

/// Turns arrivals of bytes into light on and off.
#[derive(Debug, Clone)]
pub struct LightReceiver {
    byte: Duration,
    gap: Duration,
    /// When the line is free again.
    free: Duration,
    lit: bool,
}

/// The light went on or off at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LightEvent {
    /// On or off.
    pub on: bool,
    /// When, by the times of arrival.
    pub at: Duration,
}

impl LightReceiver {
    /// For a line of that speed, in bits per second; a byte takes ten bits (8N1 and 7E1 alike).
    #[must_use]
    pub fn new(baud: u32) -> Self {
        let byte = Duration::from_secs(10) / baud.max(1);
        Self { byte, gap: GAP, free: Duration::ZERO, lit: false }
    }

    /// Bytes have arrived. Times must not run backward.
    pub fn received(&mut self, at: Duration, bytes: &[u8]) -> Vec<LightEvent> {
        let mut events = self.poll(at);
        for &byte in bytes {
            let start = self.free.max(at);
            match (byte == 0, self.lit) {
                (true, false) => {
                    self.lit = true;
                    events.push(LightEvent { on: true, at: start });
                }
                (false, true) => {
                    self.lit = false;
                    events.push(LightEvent { on: false, at: self.free });
                }
                _ => {}
            }
            self.free = start + self.byte;
        }
        events
    }

    /// Time has passed: light whose bytes have ended is off. It comes late by the gap that is still
    /// part of a press, but with its right time.
    pub fn poll(&mut self, now: Duration) -> Vec<LightEvent> {
        if self.lit && now > self.free + self.gap {
            self.lit = false;
            vec![LightEvent { on: false, at: self.free }]
        } else {
            Vec::new()
        }
    }

    /// Whether light is on, or may go on after a short gap.
    #[must_use]
    pub const fn is_lit(&self) -> bool {
        self.lit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn all_at_once_is_as_long_as_one_by_one() {
        let zeros = [0; 384];
        let mut at_once = LightReceiver::new(9600);
        let mut events = at_once.received(ms(1000), &zeros);
        assert!(at_once.poll(ms(1300)).is_empty(), "they still lie on the line");
        events.extend(at_once.poll(ms(1500)));
        let expected =
            [LightEvent { on: true, at: ms(1000) }, LightEvent { on: false, at: ms(1400) }];
        assert_eq!(events.len(), 2);
        for (event, expected) in events.iter().zip(expected) {
            assert_eq!(event.on, expected.on);
            assert!(event.at.abs_diff(expected.at) < ms(1), "{event:?}");
        }
    }

    #[test]
    fn other_bytes_are_dark() {
        let mut light = LightReceiver::new(9600);
        assert!(light.received(ms(5), b"/?!\r\n").is_empty());
        let events = light.received(ms(100), &[0, 0, 1]);
        assert_eq!(events.iter().map(|e| e.on).collect::<Vec<_>>(), [true, false]);
    }

    proptest! {
        /// However the bytes of two presses are cut and delayed a little, there are two presses of
        /// about their length.
        #[test]
        fn pieces_do_not_matter(pieces in prop::collection::vec(1_usize..60, 1..20), late in 0_u64..30) {
            let mut light = LightReceiver::new(9600);
            let mut events = Vec::new();
            let total: usize = pieces.iter().sum();
            let length = Duration::from_secs(10) * u32::try_from(total).unwrap() / 9600;
            for start in [ms(1000), ms(20_000)] {
                let mut sent = 0;
                for (index, &count) in pieces.iter().enumerate() {
                    let due = Duration::from_secs(10) * sent / 9600;
                    let delay = ms(if index == 0 { 0 } else { late });
                    events.extend(light.received(start + due + delay, &vec![0; count]));
                    sent += u32::try_from(count).unwrap();
                }
            }
            events.extend(light.poll(ms(60_000)));
            prop_assert_eq!(events.len(), 4);
            for press in events.chunks(2) {
                prop_assert!(press[0].on && !press[1].on);
                let measured = press[1].at - press[0].at;
                // Delays fill up behind one another; never less than what was sent.
                prop_assert!(measured + ms(1) >= length && measured <= length + ms(31), "{measured:?} {length:?}");
            }
        }
    }
}
