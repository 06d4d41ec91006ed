//! Identifies the meter that is sending, and whether it is locked.
//!
//! Enters: telegrams of one meter, the known models. Leaves: [`Identity`]: maker, models that fit,
//! lock. Absent: listening; the instructions for its owner.
//!
//! A telegram does not name the model. What it has is the maker's letters and a set of registers, so
//! that the models of that maker can be put in order by how well their registers fit.

use std::collections::BTreeSet;

use ebp_core::obis::ObisCode;
use serde::Serialize;

pub use crate::maker::maker_name;
use crate::{
    lock::{Facts, KnownMeter, Lock},
    profile::{FlagId, Profile, Profiles},
    readout::{Protocol, Readout},
};

/// Below this, of a hundred, a model's registers are those of another, and it decides nothing.
pub const FITS: u8 = 50;

/// A model that may be the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub model: String,
    /// How many of a hundred registers of model and telegram are in both.
    pub fit: u8,
}

/// What is known of the meter that sent some telegrams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The maker's FLAG id.
    pub flag: Option<String>,
    /// The maker's name.
    pub maker: Option<String>,
    /// The models that may be the one, best first. None where the maker's models are not known.
    pub models: Vec<Candidate>,
    /// Its lock.
    pub lock: Lock,
}

/// Identifies the meter that sent those telegrams; `None` without any.
///
/// Give a few telegrams: some meters put their identity and their power in every other.
#[must_use]
pub fn identify(profiles: &Profiles, readouts: &[Readout]) -> Option<Identity> {
    let protocol = readouts.first()?.protocol;
    let flag: Option<FlagId> = readouts.iter().find_map(|readout| readout.manufacturer);
    let codes: BTreeSet<ObisCode> =
        readouts.iter().flat_map(|readout| &readout.entries).map(|entry| entry.obis).collect();
    let mut fitting: Vec<(u8, &Profile)> = profiles
        .iter()
        .filter(|profile| {
            flag.as_ref().is_some_and(|flag| profile.flag.as_str().eq_ignore_ascii_case(flag))
                && profile.line.protocol.protocol() == protocol
        })
        .map(|profile| (fit(profile, &codes, protocol), profile))
        .collect();
    fitting.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
    let model = fitting.first().filter(|(fit, _)| *fit >= FITS).map(|(_, profile)| *profile);
    let is_known = |flag: &str| maker_name(flag).is_some() || !fitting.is_empty();
    let maker_is_known = flag.as_deref().is_some_and(is_known);
    let lock =
        Lock::from_facts(Facts::from_readouts(readouts), KnownMeter { maker_is_known, model });
    let known = || fitting.first().map(|(_, profile)| profile.maker.clone());
    let maker = flag.as_deref().and_then(|flag| maker_name(flag).map(str::to_owned).or_else(known));
    let models = fitting
        .into_iter()
        .map(|(fit, profile)| Candidate { model: profile.name.clone(), fit })
        .collect();
    let flag = flag.map(|flag| flag.to_string());
    Some(Identity { flag, maker, models, lock })
}

/// How well a model's registers, locked or unlocked, fit what was sent: in both, of those in either.
fn fit(profile: &Profile, sent: &BTreeSet<ObisCode>, protocol: Protocol) -> u8 {
    let of = |locked| -> u8 {
        let own: BTreeSet<ObisCode> =
            profile.registers(locked).iter().map(|r| as_decoded(r.obis, protocol)).collect();
        let (both, either) = (own.intersection(sent).count(), own.union(sent).count());
        u8::try_from(both * 100 / either.max(1)).unwrap_or(100)
    };
    of(false).max(of(true))
}

/// The ASCII decoder reads the tariff 255 of a power as 0, as EasyMeter's later versions write it.
const fn as_decoded(obis: ObisCode, protocol: Protocol) -> ObisCode {
    match (protocol, obis.0) {
        (Protocol::D0, [a, b, c, 7, 255, f]) => ObisCode([a, b, c, 7, 0, f]),
        _ => obis,
    }
}
