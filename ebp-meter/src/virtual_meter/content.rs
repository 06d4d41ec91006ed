//! Entries that are not numbers: the meter's maker and identity.
//!
//! Enters: a profile and a [`Moment`]. Leaves: bytes. Absent: how they are written.

use ebp_core::quantity::Unit;

use super::{moment::Moment, random};
use crate::profile::{Content, Profile, Register, ServerIdForm};

/// The bytes that an entry without a number carries.
pub(super) fn octets(profile: &Profile, content: Content, moment: &Moment) -> Vec<u8> {
    match content {
        Content::Maker => profile.flag.bytes().to_vec(),
        Content::ServerId => server_id(profile, moment.number),
        Content::IdentityText => {
            format!("1{}{:02X}{:08}", profile.flag, profile.telegram.block, moment.number)
                .into_bytes()
        }
        Content::SerialNumber => format!("{:08}", moment.number).into_bytes(),
        Content::PublicKey => {
            let mut stream = random::Stream::new(random::at(moment.seed, 5, moment.number.into()));
            (0..6).flat_map(|_| stream.next().to_be_bytes()).collect()
        }
        Content::OperatingSeconds => format!("{:08X}", moment.operating_seconds).into_bytes(),
        Content::Absent => Vec::new(),
    }
}

/// The ten bytes of DIN 43863-5 and of what came before it.
pub(super) fn server_id(profile: &Profile, number: u32) -> Vec<u8> {
    let block = profile.telegram.block;
    let lead: &[u8] = match profile.telegram.server_id {
        ServerIdForm::Din43863 => &[0x0a, 0x01],
        ServerIdForm::Early => &[0x09, 0x01],
        ServerIdForm::Ehz => &[0x06],
    };
    let fill: &[u8] = match profile.telegram.server_id {
        ServerIdForm::Ehz => &[0],
        ServerIdForm::Din43863 | ServerIdForm::Early => &[],
    };
    [lead, &profile.flag.bytes(), &[block], fill, &number.to_be_bytes()].concat()
}

/// The unit in which a register counts; a mere number where it says none.
pub(super) fn unit(register: &Register) -> Unit {
    register.unit.unwrap_or(Unit::COUNT)
}
