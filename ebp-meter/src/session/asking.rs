//! Requests to meters of modes A to C, and the alternatives if a meter does not answer.
//!
//! A request that no meter answers with its name is repeated, over a line without settings with
//! parity bits and without in turn: the bridge may stand at 8N1 before a meter at 7E1. A meter that
//! sent its identification and then nothing is asked in turn to answer at the speed that it offers,
//! and to stay at the present one.

use std::borrow::Cow;

use super::{AnswerSpeed, ReadOptions};
use crate::d0::{Address, Dialogue};

/// So many answers in a row that were a name and no telegram are enough: both speeds were tried.
const IN_VAIN: u8 = 2;

/// The way in which a meter is asked.
#[derive(Debug)]
pub(super) struct Asking {
    address: Option<Address>,
    speed: AnswerSpeed,
    /// Whether the line has no settings.
    fixed: bool,
    /// Whether the next request has parity bits.
    parity: bool,
    /// Whether the next request asks the meter to stay at its speed.
    stay: bool,
    /// Whether a meter answered the last time in this way.
    proven: bool,
    /// How many answers in a row were in vain.
    vain: u8,
}

impl Asking {
    pub const fn new(options: ReadOptions) -> Self {
        Self {
            address: options.address,
            speed: options.speed,
            fixed: false,
            parity: false,
            stay: matches!(options.speed, AnswerSpeed::Kept),
            proven: false,
            vain: 0,
        }
    }

    /// The line has no settings.
    pub fn fix_line(&mut self) {
        if !std::mem::replace(&mut self.fixed, true) {
            self.stay = true;
        }
    }

    /// What opens a readout.
    pub fn request(&self) -> Vec<u8> {
        self.on_line(&Address::request(self.address.as_ref())).into_owned()
    }

    /// The dialogue that follows.
    pub const fn dialogue(&self) -> Dialogue {
        Dialogue::new(self.stay)
    }

    /// Characters as they go onto the line.
    pub fn on_line<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.parity {
            return Cow::Borrowed(text);
        }
        let even = |byte: &u8| byte | if byte.count_ones() % 2 == 1 { 0x80 } else { 0 };
        Cow::Owned(text.iter().map(even).collect())
    }

    /// A telegram came in answer.
    pub fn succeeded(&mut self) {
        (self.proven, self.vain) = (true, 0);
    }

    /// No telegram came; `named` says whether a name did. What worked before is tried once more.
    /// Returns whether to ask again at once, in another way.
    pub fn failed(&mut self, named: bool) -> bool {
        if named {
            self.vain = self.vain.saturating_add(1);
        }
        if std::mem::take(&mut self.proven) {
            return true;
        }
        match (named, self.speed) {
            (true, AnswerSpeed::Offered) => self.stay = !self.stay,
            (true, AnswerSpeed::Kept) => {}
            (false, _) => {
                self.parity = self.fixed && !self.parity;
                return self.parity;
            }
        }
        !self.is_in_vain()
    }

    /// Whether the meter has named itself and said no more in every way there is.
    pub const fn is_in_vain(&self) -> bool {
        self.vain >= IN_VAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(asking: &Asking) -> [u8; 6] {
        let turn = asking.dialogue().push(b"/PAF5EC3gr00006\r\n").unwrap();
        turn.acknowledge.unwrap()
    }

    #[test]
    fn a_name_without_registers_leads_to_the_other_speed() {
        let mut asking = Asking::new(ReadOptions::default());
        assert_eq!(acknowledged(&asking), *b"\x06050\r\n");
        asking.failed(true);
        assert_eq!(acknowledged(&asking), *b"\x06000\r\n");
        assert!(!asking.is_in_vain());
        asking.failed(true);
        assert_eq!(acknowledged(&asking), *b"\x06050\r\n");
        assert!(asking.is_in_vain());
        asking.succeeded();
        assert!(!asking.is_in_vain());
        asking.failed(true);
        assert_eq!(acknowledged(&asking), *b"\x06050\r\n", "what worked is tried once more");
        asking.failed(true);
        assert_eq!(acknowledged(&asking), *b"\x06000\r\n");
        assert_eq!(asking.request(), b"/?!\r\n", "a line with settings has its own parity");
    }

    #[test]
    fn who_wants_the_slow_answer_gets_it() {
        let options = ReadOptions { speed: AnswerSpeed::asked(Some(300)), ..Default::default() };
        let mut asking = Asking::new(options);
        for _ in 0..4 {
            assert_eq!(acknowledged(&asking), *b"\x06000\r\n");
            asking.failed(true);
        }
    }

    #[test]
    fn a_line_without_settings_is_asked_with_parity_bits_in_turn() {
        let address = "12".parse().ok();
        let mut asking = Asking::new(ReadOptions { address, ..Default::default() });
        asking.fix_line();
        assert_eq!(acknowledged(&asking), *b"\x06000\r\n", "it stays at the bridge's speed");
        assert_eq!(asking.request(), b"/?12!\r\n");
        asking.failed(false);
        assert_eq!(asking.request(), b"\xaf?\xb1\xb2!\x8d\x0a");
        asking.failed(true);
        assert_eq!(asking.request(), b"\xaf?\xb1\xb2!\x8d\x0a", "its name came in this way");
        assert_eq!(acknowledged(&asking), *b"\x06050\r\n");
        asking.failed(false);
        assert_eq!(asking.request(), b"/?12!\r\n");
    }
}
