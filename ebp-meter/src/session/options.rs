//! Options of reading a meter.

use crate::{d0::Address, readout::Protocol};

/// What is known of the meter; what is not is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Its protocol.
    pub protocol: Option<Protocol>,
    /// Its baud rate. For a meter that needs a request, the one of the request.
    pub baud: Option<u32>,
    /// Its address, if it is asked and answers to that alone.
    pub address: Option<Address>,
    /// At which speed it answers, if it is asked.
    pub speed: AnswerSpeed,
}

/// At which speed a meter that is asked is to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerSpeed {
    /// At the one that it offers; at that of the request where it does not.
    #[default]
    Offered,
    /// At that of the request.
    Kept,
}

impl AnswerSpeed {
    /// The speed meant by a user who gives a baud rate: 300 is the one at which meters are asked, so
    /// that whoever names it wants the answer at it, too.
    #[must_use]
    pub const fn asked(baud: Option<u32>) -> Self {
        match baud {
            Some(300) => Self::Kept,
            _ => Self::Offered,
        }
    }
}
