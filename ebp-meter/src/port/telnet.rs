//! Undoing Telnet (RFC 854): bridges such as ser2net's `telnet` accepter put commands between the
//! meter's bytes and send each `ff` twice.
//!
//! The commands are taken out and not answered: the bridge goes on without an answer, and what is
//! written to it may end up as light in the meter.

/// Begins each command.
const IAC: u8 = 0xff;
/// Ends a subnegotiation.
const SE: u8 = 0xf0;
/// Begins a subnegotiation, such as the line settings of RFC 2217.
const SB: u8 = 0xfa;
/// WILL, WON'T, DO and DON'T: one byte follows, the option.
const NEGOTIATION: std::ops::RangeInclusive<u8> = 0xfb..=0xfe;
/// A longer subnegotiation is not one: its beginning was noise.
const LONGEST_SUBNEGOTIATION: u16 = 512;

/// Takes Telnet's commands out of a stream that comes in pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct Telnet {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Data,
    /// Behind an IAC.
    Command,
    /// Before a negotiation's option.
    Option,
    /// In a subnegotiation, with its bytes so far.
    Sub(u16),
    /// Behind an IAC in a subnegotiation.
    SubCommand(u16),
}

impl Telnet {
    /// Appends to `out` what `bytes` hold beside commands.
    pub fn undo(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Data, IAC) => State::Command,
                (State::Command, SB) => State::Sub(0),
                (State::Command, byte) if NEGOTIATION.contains(&byte) => State::Option,
                // A command without an option, such as NOP or GA.
                (State::Command, SE..) if byte != IAC => State::Data,
                (State::Command, IAC) => {
                    out.push(IAC);
                    State::Data
                }
                // No command is numbered so: it was no IAC.
                (State::Command, byte) => {
                    out.extend([IAC, byte]);
                    State::Data
                }
                (State::Data, byte) => {
                    out.push(byte);
                    State::Data
                }
                (State::Option, _) | (State::SubCommand(_), SE) => State::Data,
                (State::Sub(LONGEST_SUBNEGOTIATION..), _) => State::Data,
                (State::Sub(count), IAC) => State::SubCommand(count),
                (State::Sub(count) | State::SubCommand(count), _) => State::Sub(count + 1),
            };
        }
    }
}

/// Whether a stream begins as a Telnet bridge's does: with WILL or DO. The other two negotiations are
/// answers, and `ff fe` is how text in UTF-16 begins.
///
/// ```
/// use ebp_meter::port::telnet;
/// assert!(telnet::begins(b"\xff\xfb\x03\xff\xfd\x03"));
/// assert!(!telnet::begins(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"));
/// assert!(!telnet::begins(b"\xff\xfe1\0b\0"));
/// ```
#[must_use]
pub fn begins(stream: &[u8]) -> bool {
    matches!(stream, [IAC, 0xfb | 0xfd, _, ..])
}

/// What a whole stream holds beside Telnet's commands.
#[must_use]
pub fn undo(stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stream.len());
    Telnet::default().undo(stream, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn commands_go_and_the_second_ff_of_two() {
        for (stream, data) in [
            (&b"\xff\xfb\x03\xff\xfd\x03abc"[..], &b"abc"[..]),
            (b"a\xff\xffb", b"a\xffb"),
            (b"a\xff\xf1b", b"ab"),
            (b"a\xff\xfa\x2c\x01\xff\xff\x00\xff\xf0b", b"ab"),
            (b"a\xff\x07b", b"a\xff\x07b"),
            (b"a\xff", b"a"),
        ] {
            assert_eq!(undo(stream), data, "{}", stream.escape_ascii());
        }
    }

    #[test]
    fn an_endless_subnegotiation_ends() {
        let stream = [&[IAC, SB][..], &[7; 600], b"data"].concat();
        assert!(undo(&stream).ends_with(b"data"));
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![3 => any::<u8>(), 1 => Just(IAC), 1 => 0xef_u8..], 0..300)
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same(stream in stream(), cuts in vec(0_usize..300, 0..8)) {
            let (mut telnet, mut out, mut from) = (Telnet::default(), Vec::new(), 0);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            cuts.push(stream.len());
            for cut in cuts {
                telnet.undo(&stream[from..cut], &mut out);
                from = cut;
            }
            prop_assert_eq!(&out, &undo(&stream));
            prop_assert!(out.len() <= stream.len());
        }

        #[test]
        fn what_a_bridge_does_is_undone(data in vec(prop_oneof![any::<u8>(), Just(IAC)], 0..300)) {
            let mut stream = b"\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01".to_vec();
            for byte in &data {
                stream.extend(std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 }));
            }
            prop_assert!(begins(&stream));
            prop_assert_eq!(undo(&stream), data);
        }
    }
}
