//! Salvages messages from a damaged frame.
//!
//! Enters: the data of a frame whose checksum is wrong or lost. Leaves: the list responses in it
//! that are whole by their own checksum. Absent: guesses; a message without a right checksum stays
//! lost, and so does one that is right by a checksum of which no whole frame has shown that the meter
//! uses it: of damaged messages, one in 65,536 is.

use memchr::memchr;

use super::{
    crc::Checksum,
    message::{Message, intact_list},
};

/// How a message begins: a list of six.
const MESSAGE: u8 = 0x76;
/// Places that look like a list response and are walked through. A frame has one; hostile data may
/// have one every ten bytes.
const MOST_LOOKS: usize = 64;

/// The list responses in `data` that are intact by that checksum, wherever they begin.
pub(super) fn salvage(data: &[u8], checksum: Checksum) -> Salvage<'_> {
    Salvage { rest: data, checksum, looked: 0 }
}

/// Iterates over intact list responses.
pub(super) struct Salvage<'a> {
    rest: &'a [u8],
    checksum: Checksum,
    looked: usize,
}

impl<'a> Iterator for Salvage<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        while self.looked < MOST_LOOKS {
            self.rest = &self.rest[memchr(MESSAGE, self.rest)?..];
            if let Some((message, behind)) = intact_list(self.rest, self.checksum, &mut self.looked)
            {
                self.rest = behind;
                return Some(message);
            }
            self.rest = &self.rest[1..];
        }
        None
    }
}

/// Whether a damaged frame is a good one with the eighth bit of each byte cut off, as a line at 7
/// data bits does it: start and end survive that, but the `ff` at the end of OBIS codes becomes `7f`.
pub(super) fn is_seven_bit(raw: &[u8]) -> bool {
    raw.is_ascii()
        && raw.windows(7).any(|w| matches!(w, [0x07, 0x01, 0x00, 0..=0x63, 0..=0x63, _, 0x7f]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode};
    use ebp_core::{obis::ObisCode, quantity::Unit};

    fn telegram() -> Vec<u8> {
        let entry = |obis, value| EncodeEntry {
            obis,
            status: None,
            sec_index: None,
            unit: Some(Unit::WATT_HOUR),
            scaler: Some(-1),
            value: EncodeValue::Int(EncodeInt::signed(value, 8)),
        };
        let telegram = Telegram {
            server_id: vec![0x0a, 1, b'I', b'S', b'K', 0, 0, 0, 0, 1],
            file_id: 1,
            sec_index: Some(4711),
            list_name: None,
            entries: vec![
                entry(ObisCode::POSITIVE_ENERGY, 221_558_112),
                entry(ObisCode::NEGATIVE_ENERGY, 18_340_124),
                entry(ObisCode::SUM_POWER, 780),
            ],
        };
        encode(&telegram).unwrap()
    }

    /// Three wrong bits always change a CRC of 16 bits, but one in 65,536 of such changes makes
    /// another checksum right: a message must not be accepted by a checksum that its meter does not
    /// use.
    #[test]
    fn three_flipped_bits_never_make_another_message() {
        let telegram = telegram();
        let lists = |bytes: &[u8]| -> Vec<String> {
            salvage(bytes, Checksum::default())
                .filter_map(|message| message.list_response()?.ok())
                .map(|list| list.entries().map(|entry| format!("{entry:?}")).collect())
                .collect()
        };
        let right = lists(&telegram);
        assert_eq!(right.len(), 1);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut salvaged = 0;
        for _ in 0..300_000 {
            let mut bytes = telegram.clone();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let bit = usize::try_from(state % (8 * bytes.len() as u64)).unwrap();
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            if salvage(&bytes, Checksum::default()).next().is_some() {
                salvaged += 1;
                assert_eq!(lists(&bytes), right);
            }
        }
        assert!(salvaged > 1000, "{salvaged}");
    }
}
