//! Asking a meter of modes A to C for its registers.
//!
//! Enters: what the meter answers. Leaves: what to send and at which baud rate to listen then.
//! Absent: ports, waiting, and the registers themselves, which the decoder reads from the same
//! bytes.

use std::time::Duration;

use super::identification::{Identification, LONGEST, Mode};

/// The reader's turn after the meter's identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// How long to wait first, at least.
    pub pause: Duration,
    /// What to send, if anything.
    pub acknowledge: Option<[u8; 6]>,
    /// The baud rate to listen at afterwards, if it changes.
    pub baud: Option<u32>,
}

/// One request: from the opening to the reader's turn.
#[derive(Debug, Default)]
pub struct Dialogue {
    stay: bool,
    line: Option<Vec<u8>>,
    done: bool,
}

impl Dialogue {
    /// Begins after a request was sent. With `stay` the meter is asked to stay at the speed it
    /// began with, whatever it offers: some offer a speed at which they then do not answer (Pafal
    /// 5EC3gr, Landis+Gyr E350).
    #[must_use]
    pub const fn new(stay: bool) -> Self {
        Self { stay, line: None, done: false }
    }

    /// Takes what came; gives the reader's turn once, when the identification is whole. The echo of
    /// the opening, which a head may receive, and noise before the identification are skipped.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Turn> {
        bytes.iter().find_map(|byte| self.push_one(byte & 0x7f))
    }

    fn push_one(&mut self, byte: u8) -> Option<Turn> {
        if self.done {
            return None;
        }
        match (byte, &mut self.line) {
            (b'/', line) => *line = Some(Vec::new()),
            (b'\n', line) => {
                let identification = Identification::parse(line.take()?.trim_ascii_end())?;
                self.done = true;
                return Some(self.turn(&identification));
            }
            (_, Some(line)) if line.len() > LONGEST => self.line = None,
            (_, Some(line)) => line.push(byte),
            (_, None) => {}
        }
        None
    }

    fn turn(&self, identification: &Identification) -> Turn {
        let pause = identification.reaction;
        let acknowledge = |character| Some([0x06, b'0', character, b'0', b'\r', b'\n']);
        match identification.mode {
            Mode::C { .. } if self.stay => {
                Turn { pause, acknowledge: acknowledge(b'0'), baud: None }
            }
            Mode::C { baud, character } => {
                Turn { pause, acknowledge: acknowledge(character), baud: Some(baud) }
            }
            Mode::B { baud } => Turn { pause: Duration::ZERO, acknowledge: None, baud: Some(baud) },
            Mode::A => Turn { pause: Duration::ZERO, acknowledge: None, baud: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mt174_is_told_to_speak_at_9600_baud() {
        let mut dialogue = Dialogue::new(false);
        assert_eq!(dialogue.push(b"\x7f/?!\r\n/ISk5MT1"), None);
        let turn = dialogue.push(b"74-0001\r\n").unwrap();
        assert_eq!(turn.acknowledge.unwrap(), *b"\x06050\r\n");
        assert_eq!((turn.baud, turn.pause), (Some(9600), Duration::from_millis(20)));
        assert_eq!(dialogue.push(b"/ISk5MT174-0001\r\n"), None, "only once");
    }

    #[test]
    fn a_meter_can_be_told_to_stay_at_its_speed() {
        let turn = Dialogue::new(true).push(b"/ISK5MT174-0001\r\n").unwrap();
        assert_eq!(turn.acknowledge.unwrap(), *b"\x06000\r\n");
        assert_eq!((turn.baud, turn.pause), (None, Duration::from_millis(200)));
    }

    #[test]
    fn modes_a_and_b_are_not_acknowledged() {
        let turn = Dialogue::new(false).push(b"/ABC@x\r\n").unwrap();
        assert_eq!((turn.acknowledge, turn.baud), (None, None));
        for stay in [false, true] {
            let turn = Dialogue::new(stay).push(b"/ABCEx\r\n").unwrap();
            assert_eq!((turn.acknowledge, turn.baud), (None, Some(9600)), "nobody asks it");
        }
    }

    #[test]
    fn noise_is_no_answer_and_takes_no_memory() {
        let mut dialogue = Dialogue::new(false);
        assert_eq!(dialogue.push(&[b'/'; 10]), None);
        assert_eq!(dialogue.push(&vec![b'x'; 100_000]), None);
        assert!(dialogue.line.as_ref().is_none_or(|line| line.len() <= LONGEST + 1));
        // With the parity bit in place.
        let answer: Vec<u8> = b"\n/ISk5MT174-0001\r\n"
            .iter()
            .map(|b| if b.count_ones() % 2 == 1 { b | 0x80 } else { *b })
            .collect();
        assert!(dialogue.push(&answer).is_some());
    }
}
