//! The decoders that read a stream until one of them decodes it.
//!
//! Enters: bytes. Leaves: events of the decoder that understands, or of the one that came nearest.
//! Absent: ports and time.

use std::collections::VecDeque;

use super::wrapping::{Unwrap, Way, Wrapping};
use crate::{
    d0,
    decoder::{Decode, Event, Noise},
    readout::Protocol,
    sml,
};

/// How much noise is kept before any decoder has succeeded.
const KEPT: usize = 32;

struct Listener {
    protocol: Protocol,
    unwrap: Unwrap,
    decoder: Box<dyn Decode>,
    noise: VecDeque<Noise>,
}

/// One decoder for each protocol that is still possible, for the bytes as they come and for what may
/// be wrapped in them.
pub(super) struct Listeners {
    listeners: Vec<Listener>,
}

impl Listeners {
    /// Decoders for the protocol, or for all. With `wrapped` also for what is wrapped in the bytes.
    pub fn new(protocol: Option<Protocol>, wrapped: bool) -> Self {
        let protocols = match protocol {
            Some(protocol @ (Protocol::Sml | Protocol::D0)) => vec![protocol],
            // A driver's own language has no decoder here.
            None | Some(Protocol::Own) => vec![Protocol::Sml, Protocol::D0],
        };
        let ways = Way::all().take(if wrapped { usize::MAX } else { 1 });
        let listener = |protocol, way: Way| Listener {
            protocol,
            unwrap: Unwrap::new(way),
            decoder: match protocol {
                Protocol::Sml | Protocol::Own => Box::new(sml::Decoder::new()),
                Protocol::D0 => Box::new(d0::Decoder::new()),
            },
            noise: VecDeque::new(),
        };
        let listeners = ways.flat_map(|way| {
            // No character of ASCII is doubled: Telnet leaves those telegrams as they are.
            let hears =
                move |protocol: &&Protocol| way != Way::Telnet || **protocol != Protocol::D0;
            protocols.iter().filter(hears).map(move |protocol| listener(*protocol, way))
        });
        Self { listeners: listeners.collect() }
    }

    /// The given decoders.
    #[cfg(test)]
    fn from_decoders(decoders: impl IntoIterator<Item = (Protocol, Box<dyn Decode>)>) -> Self {
        let listener = |(protocol, decoder)| Listener {
            protocol,
            unwrap: Unwrap::new(Way::Bare),
            decoder,
            noise: VecDeque::new(),
        };
        Self { listeners: decoders.into_iter().map(listener).collect() }
    }

    /// The protocol, once decoders of one alone are left.
    pub fn settled(&self) -> Option<Protocol> {
        let (first, others) = self.listeners.split_first()?;
        others.iter().all(|other| other.protocol == first.protocol).then_some(first.protocol)
    }

    /// What the bytes were wrapped in, once a decoder has understood them.
    pub fn wrapping(&self) -> Option<Wrapping> {
        match self.listeners.as_slice() {
            [only] => only.unwrap.wrapping(),
            _ => None,
        }
    }

    /// Passes the bytes to all decoders.
    pub fn push(&mut self, bytes: &[u8], out: &mut VecDeque<Event>) {
        for listener in &mut self.listeners {
            listener.decoder.push(listener.unwrap.undo(bytes));
        }
        self.collect(out);
    }

    /// The stream has ended.
    pub fn finish(&mut self, out: &mut VecDeque<Event>) {
        for listener in &mut self.listeners {
            listener.decoder.push(listener.unwrap.finish());
            listener.decoder.finish();
        }
        self.collect(out);
        self.give_noise(out);
    }

    /// Hands on the noise of the decoder that came nearest to a telegram, and forgets the others'.
    pub fn give_noise(&mut self, out: &mut VecDeque<Event>) {
        let nearness = |listener: &&mut Listener| {
            let telling = |noise: &Noise| !matches!(noise, Noise::Garbage { .. });
            (listener.noise.iter().any(telling), !listener.noise.is_empty())
        };
        // Of equals the last, hence the first: SML, which nearly all meters send.
        if let Some(nearest) = self.listeners.iter_mut().rev().max_by_key(nearness) {
            out.extend(nearest.noise.drain(..).map(Event::Noise));
        }
        for listener in &mut self.listeners {
            listener.noise.clear();
        }
    }

    fn collect(&mut self, out: &mut VecDeque<Event>) {
        if self.listeners.len() > 1 {
            let first = self.listeners.iter_mut().position(|listener| {
                while let Some(event) = listener.decoder.next_event() {
                    match event {
                        Event::Readout(readout) => {
                            out.extend(listener.noise.drain(..).map(Event::Noise));
                            out.push_back(Event::Readout(readout));
                            return true;
                        }
                        Event::Noise(noise) => {
                            if listener.noise.len() == KEPT {
                                listener.noise.pop_front();
                            }
                            listener.noise.push_back(noise);
                        }
                    }
                }
                false
            });
            match first {
                Some(first) => self.listeners = vec![self.listeners.swap_remove(first)],
                None => return,
            }
        }
        for listener in &mut self.listeners {
            while let Some(event) = listener.decoder.next_event() {
                out.push_back(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Understands telegrams that are one given byte; all else is garbage.
    struct Byte(u8, VecDeque<Event>);

    impl Decode for Byte {
        fn push(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.1.push_back(match byte {
                    byte if *byte == self.0 => {
                        let mut d0 = d0::Decoder::new();
                        d0.push(b"/ABC5\r\n1.8.0(1*kWh)\r\n!\r\n");
                        d0.next_event().unwrap()
                    }
                    b'?' if self.0 == b'b' => Event::Noise(Noise::WrongChecksum { bytes: 1 }),
                    _ => Event::Noise(Noise::Garbage { bytes: self.0.into() }),
                });
            }
        }
        fn next_event(&mut self) -> Option<Event> {
            self.1.pop_front()
        }
        fn finish(&mut self) {}
    }

    fn pair() -> Listeners {
        Listeners::from_decoders([(Protocol::Sml, b'a'), (Protocol::D0, b'b')].map(
            |(protocol, byte)| -> (Protocol, Box<dyn Decode>) {
                (protocol, Box::new(Byte(byte, VecDeque::new())))
            },
        ))
    }

    fn shorthand(events: VecDeque<Event>) -> String {
        let letter = |event| match event {
            Event::Readout(_) => 'R',
            Event::Noise(Noise::Garbage { bytes }) => char::from(u8::try_from(bytes).unwrap()),
            Event::Noise(_) => '!',
        };
        events.into_iter().map(letter).collect()
    }

    #[test]
    fn who_understands_first_is_alone_and_its_noise_comes_first() {
        for (bytes, expected, protocol) in
            [("xxaxa", "aaRaR", Protocol::Sml), ("xb?a", "bR!b", Protocol::D0)]
        {
            let (mut listeners, mut out) = (pair(), VecDeque::new());
            for byte in bytes.bytes() {
                listeners.push(&[byte], &mut out);
            }
            assert_eq!(shorthand(out), expected);
            assert_eq!(listeners.settled(), Some(protocol));
        }
    }

    #[test]
    fn of_noise_alone_the_most_telling_is_given() {
        for (bytes, expected) in [("xx", "aa"), ("x?", "b!"), ("", "")] {
            let (mut listeners, mut out) = (pair(), VecDeque::new());
            listeners.push(bytes.as_bytes(), &mut out);
            assert!(out.is_empty());
            listeners.finish(&mut out);
            assert_eq!(shorthand(out), expected);
            assert_eq!(listeners.settled(), None);
        }
    }

    #[test]
    fn noise_does_not_pile_up() {
        let (mut listeners, mut out) = (pair(), VecDeque::new());
        listeners.push(&[b'x'; 10_000], &mut out);
        listeners.give_noise(&mut out);
        assert_eq!(out.len(), KEPT);
    }
}
