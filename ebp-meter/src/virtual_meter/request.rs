//! The input of a meter that waits for requests (IEC 62056-21, modes A and C): the request, and the
//! speed at which the reader expects the answer.

/// The longest line that is listened to: a request with its 32 characters of address.
const LONGEST: usize = 40;
/// `ACK`, which begins a reader's answer to the meter's identification.
const ACK: u8 = 0x06;

/// The ear of such a meter.
#[derive(Debug, Clone, Default)]
pub(super) struct Ear {
    line: Vec<u8>,
    asked: bool,
    acknowledged: Option<u32>,
}

impl Ear {
    /// Hears light.
    pub fn hear(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'/' | ACK => self.line = vec![byte],
                b'\n' => {
                    self.understand();
                    self.line.clear();
                }
                _ if !self.line.is_empty() && self.line.len() < LONGEST => self.line.push(byte),
                _ => self.line.clear(),
            }
        }
    }

    fn understand(&mut self) {
        match self.line.as_slice() {
            // `/?` address `!` CR LF (6.3.1).
            [b'/', b'?', .., b'!', b'\r'] => {
                self.asked = true;
                self.acknowledged = None;
            }
            // `ACK`, normal procedure, speed, data readout, CR LF (6.3.3).
            &[ACK, b'0', speed @ b'0'..=b'6', b'0', b'\r'] => {
                self.acknowledged = Some(300 << (speed - b'0'));
            }
            _ => {}
        }
    }

    /// Whether it was asked since this was last called.
    pub fn take_request(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }

    /// The speed that was acknowledged since the last request, bits per second.
    pub fn take_acknowledgement(&mut self) -> Option<u32> {
        self.acknowledged.take()
    }
}

/// The speed of the answer, where a meter that began at `first` offered `offered`: what the reader
/// acknowledged, unless that is faster than the offer; without an acknowledgement the first one.
pub(super) fn answer_speed(first: u32, offered: u32, acknowledged: Option<u32>) -> u32 {
    acknowledged.filter(|speed| *speed <= offered).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_says_the_speed() {
        let heard = |bytes: &[u8]| {
            let mut ear = Ear::default();
            ear.hear(b"/?!\r\n");
            ear.hear(bytes);
            ear.take_acknowledgement()
        };
        assert_eq!(heard(b"\x06050\r\n"), Some(9_600));
        assert_eq!(heard(b"\x06000\r\n"), Some(300));
        for other in
            [&b"\x06051\r\n"[..], b"\x06150\r\n", b"\x06070\r\n", b"\x0605\r\n", b"050\r\n"]
        {
            assert_eq!(heard(other), None, "{}", other.escape_ascii());
        }
        let mut ear = Ear::default();
        ear.hear(b"\x06050\r\n/?!\r\n");
        assert_eq!(ear.take_acknowledgement(), None, "it was for an earlier answer");
    }

    #[test]
    fn the_offer_is_the_fastest() {
        assert_eq!(answer_speed(300, 9_600, Some(9_600)), 9_600);
        assert_eq!(answer_speed(300, 9_600, Some(2_400)), 2_400);
        assert_eq!(answer_speed(300, 9_600, Some(300)), 300);
        assert_eq!(answer_speed(300, 9_600, Some(19_200)), 300, "it cannot speak that fast");
        assert_eq!(answer_speed(300, 9_600, None), 300);
    }
}
