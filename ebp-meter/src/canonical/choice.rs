//! The choice of registers, by the rules of the part's head.

use std::collections::BTreeMap;

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{
    KnownRegisters,
    chosen::{Choice, Choices, EXPORT, IMPORT, NEGATIVE, POSITIVE, SUM, Sum},
    figure::{number, unit_of},
    power::{Direction, active_power},
};
use crate::{
    readout::{Entry, Readout, Value},
    sml::quirk,
};

/// What a model's profile says counts: for a code of the survey the registers whose sum it is.
pub type Pinned = BTreeMap<ObisCode, Vec<ObisCode>>;

/// Storage of the present value.
const PRESENT: u8 = 255;
/// The last channel of a meter; codes above are the operator's or maker's own (IEC 62056-61).
const LAST_CHANNEL: u8 = 64;
/// Group D of energy.
const ENERGY: u8 = 8;
/// Group D of power.
const POWER: u8 = 7;
/// 36, 56 and 76.7.0: power of a phase with its sign.
const WITH_SIGN: usize = 0;
/// 21, 41 and 61.7.0: power drawn on a phase.
const DRAWN: usize = 1;
/// 22, 42 and 62.7.0: power fed in on a phase.
const FED_IN: usize = 2;

/// The kind of a phase's power and which phase it is of.
pub(super) const fn phase_of(quantity: u8) -> Option<(usize, u8)> {
    match active_power(quantity) {
        Some((_, 0) | (Direction::Absolute, _)) | None => None,
        Some((Direction::Sign, phase)) => Some((WITH_SIGN, phase - 1)),
        Some((Direction::Drawn, phase)) => Some((DRAWN, phase - 1)),
        Some((Direction::FedIn, phase)) => Some((FED_IN, phase - 1)),
    }
}

/// Chooses the entries that count, given what the meter has shown before.
#[must_use]
pub fn choose(readout: &Readout, known: &KnownRegisters, pinned: &Pinned) -> Choices {
    let mut choices = Choices::default();
    let mut others = Others::default();
    for (index, entry) in readout.entries.iter().enumerate() {
        let [1, channel, quantity, kind @ 7..=8, tariff, storage] = entry.obis.0 else { continue };
        let is_own = (channel, tariff, storage) == (0, 0, PRESENT);
        let at = match (quantity, kind) {
            (1, ENERGY) if is_own => IMPORT,
            (2, ENERGY) if is_own => EXPORT,
            (1, POWER) if is_own => POSITIVE,
            (2, POWER) if is_own => NEGATIVE,
            (16, POWER) if is_own => SUM,
            _ => {
                others.see(quantity, kind);
                continue;
            }
        };
        if choices.0[at].is_none() && number(entry, unit_of(entry.obis), readout.protocol).is_some()
        {
            choices.0[at] = Some(Choice::Own(index));
        }
    }
    let registers = Registers { readout, known };
    for (at, quantity) in [(IMPORT, 1), (EXPORT, 2)] {
        if choices.0[at].is_none() && others.has_energy(quantity) {
            choices.0[at] = registers.energy(quantity);
        }
    }
    registers.powers(&mut choices.0, &others);
    for (obis, codes) in pinned {
        if let Some(at) = ObisCode::SURVEY.iter().position(|own| own == obis) {
            choices.0[at] = registers.pinned(*obis, codes);
        }
    }
    choices
}

/// Which quantities a readout has under other codes than their own, a bit for each group C (one for
/// all from 63 on), so that nothing is looked for that is not there.
#[derive(Default)]
struct Others {
    /// Of energy.
    energies: u64,
    /// Of power.
    powers: u64,
}

impl Others {
    fn see(&mut self, quantity: u8, kind: u8) {
        let bit = 1_u64.checked_shl(quantity.into()).unwrap_or(1 << 63);
        if kind == ENERGY {
            self.energies |= bit;
        } else {
            self.powers |= bit;
        }
    }

    const fn has_energy(&self, quantity: u8) -> bool {
        self.energies >> quantity & 1 == 1
    }

    const fn has_power(&self, quantity: u8) -> bool {
        self.powers >> quantity & 1 == 1
    }

    /// Whether there is power fed in on a phase.
    fn has_phases_fed_in(&self) -> bool {
        [22, 42, 62].into_iter().any(|quantity| self.has_power(quantity))
    }

    /// Whether there may be powers of phases.
    const fn has_phases(&self) -> bool {
        self.powers >> 21 != 0
    }
}

/// The tariffs of that energy, 1.8 or 2.8, that the readout has as present values, a bit each. One
/// whose value is absent or cannot be read is among them.
pub(super) fn tariffs_of(readout: &Readout, quantity: u8) -> u64 {
    let registers = Registers { readout, known: &KnownRegisters::default() };
    let storage = registers.present(ENERGY);
    let tariffs = readout.entries.iter().filter_map(|entry| match entry.obis.0 {
        [1, 0..=LAST_CHANNEL, own, ENERGY, tariff @ 1..=63, s]
            if own == quantity && s == storage =>
        {
            Some(tariff)
        }
        _ => None,
    });
    tariffs.fold(0, |tariffs, tariff| tariffs | 1 << tariff)
}

/// A readout's registers of energy and power, and what its meter has shown before.
struct Registers<'a> {
    readout: &'a Readout,
    known: &'a KnownRegisters,
}

impl Registers<'_> {
    /// The numbers in that unit whose code fits and is of a channel, with their places.
    fn numbers(
        &self,
        unit: Unit,
        fits: impl Fn([u8; 6]) -> bool,
    ) -> impl Iterator<Item = (usize, &Entry)> {
        let protocol = self.readout.protocol;
        self.readout.entries.iter().enumerate().filter(move |(_, entry)| {
            entry.obis.0[1] <= LAST_CHANNEL
                && fits(entry.obis.0)
                && number(entry, unit, protocol).is_some()
        })
    }

    /// The storage that present values have in this telegram: 0 only where nothing of the kind
    /// (energy or power of quantities that the survey needs) is under 255.
    fn present(&self, kind: u8) -> u8 {
        let is_present =
            |code: [u8; 6]| matches!(code, [1, _, 1 | 2 | 16, own, _, PRESENT] if own == kind);
        let unit = if kind == ENERGY { Unit::WATT_HOUR } else { Unit::WATT };
        if self.numbers(unit, is_present).next().is_some() { PRESENT } else { 0 }
    }

    /// The only register that fits, of channel 0 or else of a single other one.
    fn only(&self, unit: Unit, fits: impl Fn([u8; 6]) -> bool, storage: u8) -> Option<usize> {
        let mut of_channels: [Option<(usize, ObisCode, bool)>; 2] = [None; 2];
        for (index, entry) in self.numbers(unit, |code| fits(code) && code[5] == storage) {
            match &mut of_channels[usize::from(entry.obis.0[1] != 0)] {
                // Of a storage that may be history there must be no second.
                Some((_, first, is_only)) => *is_only &= entry.obis == *first && storage == PRESENT,
                none => *none = Some((index, entry.obis, true)),
            }
        }
        let [own, other] = of_channels;
        let (index, _, is_only) = own.or(other)?;
        is_only.then_some(index)
    }

    /// Energy of 1.8 or 2.8 from another register than its own.
    fn energy(&self, quantity: u8) -> Option<Choice> {
        let unit = Unit::WATT_HOUR;
        let total = |tariff: u8| move |code: [u8; 6]| matches!(code, [1, _, q, 8, t, _] if q == quantity && t == tariff);
        let storage = self.present(ENERGY);
        let only = self.only(unit, total(0), storage).or_else(|| {
            let hager = || self.only(unit, total(255), storage);
            (storage == PRESENT).then(hager).flatten()
        });
        only.filter(|index| self.is_only_channel(*index, quantity))
            .map(Choice::Other)
            .or_else(|| self.tariffs(quantity, storage))
    }

    /// Whether no second channel beside 0 has that energy, be it in tariffs alone: the total of a
    /// pulse input is none of the meter (EMH LZQJ).
    fn is_only_channel(&self, index: usize, quantity: u8) -> bool {
        let of = |entry: &Entry| match entry.obis.0 {
            [1, channel @ 0..=LAST_CHANNEL, own, ENERGY, _, PRESENT | 0] if own == quantity => {
                channel
            }
            _ => 0,
        };
        let Some(channel) = self.readout.entries.get(index).map(of) else { return false };
        channel == 0 || self.readout.entries.iter().map(of).all(|own| own == 0 || own == channel)
    }

    /// The sum of all tariffs of 1.8 or 2.8, if each that was ever seen is there once with a number.
    fn tariffs(&self, quantity: u8, storage: u8) -> Option<Choice> {
        let fits = |code: [u8; 6]| matches!(code, [1, _, q, 8, 1..=63, s] if q == quantity && s == storage);
        let all = || self.numbers(Unit::WATT_HOUR, fits);
        let has_own = all().any(|(_, entry)| entry.obis.0[1] == 0);
        let mut of_channel =
            all().filter(|(_, entry)| (entry.obis.0[1] == 0) == has_own).peekable();
        let channel = of_channel.peek()?.1.obis.0[1];
        let (mut seen, mut indices) = (0_u64, Vec::new());
        for (index, entry) in of_channel {
            let tariff = 1 << entry.obis.0[4];
            if entry.obis.0[1] != channel || seen & tariff != 0 {
                return None;
            }
            seen |= tariff;
            indices.push(index);
        }
        let ever = self.known.tariffs[usize::from(quantity - 1)];
        let here = self.readout.entries.iter().filter_map(|entry| match entry.obis.0 {
            code @ [_, own, .., tariff, _] if fits(code) && own == channel => Some(1 << tariff),
            _ => None,
        });
        let ever = here.fold(ever, |ever, tariff: u64| ever | tariff);
        (ever & !seen == 0).then_some(sum(indices, Vec::new()))
    }

    /// Powers: what has a sign moves to 16.7.0, and what is missing is taken from other registers.
    fn powers(&self, choices: &mut [Option<Choice>; 5], others: &Others) {
        let unit = Unit::WATT;
        let is_negative = |index: usize| {
            let entry = self.readout.entries.get(index);
            entry.is_some_and(|entry| matches!(entry.value, Value::Integer(value) if value < 0))
        };
        for (at, quantity) in [(POSITIVE, 1), (NEGATIVE, 2), (SUM, 16)] {
            if choices[at].is_none() && others.has_power(quantity) {
                let fits = |code: [u8; 6]| matches!(code, [1, _, q, 7, 0, _] if q == quantity);
                choices[at] = self.only(unit, fits, self.present(POWER)).map(Choice::Other);
            }
        }
        if choices[SUM].is_none() && others.has_power(15) && quirk::tells_direction(self.readout) {
            let fits = |code: [u8; 6]| matches!(code, [1, _, 15, 7, 0, _]);
            choices[SUM] = self.only(unit, fits, PRESENT).map(Choice::Other);
        }
        let index = |choice: &Option<Choice>| match choice {
            Some(Choice::Own(index) | Choice::Other(index)) => Some(*index),
            _ => None,
        };
        if let Some(positive) = index(&choices[POSITIVE])
            && (self.known.signed_power || is_negative(positive))
        {
            choices[POSITIVE] = None;
            choices[SUM].get_or_insert(Choice::Other(positive));
        }
        // Which way that flows, its sign does not say.
        if index(&choices[NEGATIVE]).is_some_and(is_negative) {
            choices[NEGATIVE] = None;
        }
        let is_there = |at: usize| choices[at].is_some();
        if !others.has_phases() || is_there(SUM) || is_there(POSITIVE) || is_there(NEGATIVE) {
            return;
        }
        choices[SUM] = self.phases(WITH_SIGN).map(|phases| sum(phases, Vec::new()));
        if choices[SUM].is_none()
            && let Some(drawn) = self.phases(DRAWN)
        {
            let fed_in = self.phases(FED_IN);
            let has_sign = self.known.signed_phases || drawn.iter().any(|at| is_negative(*at));
            if has_sign {
                choices[SUM] = Some(sum(drawn, Vec::new()));
            } else if let Some(fed_in) = fed_in.filter(|fed| fed.len() == drawn.len()) {
                choices[SUM] = Some(sum(drawn, fed_in));
            } else if self.known.phases[FED_IN] == 0 && !others.has_phases_fed_in() {
                choices[POSITIVE] = Some(simplified(sum(drawn, Vec::new())));
            }
        }
        choices[SUM] = choices[SUM].take().map(simplified);
    }

    /// The channel that has the registers of one kind of a phase's power, 0 or else a single other
    /// one, and which phases are there with a number or without, a bit each.
    fn channel_and_phases(&self, kind: usize) -> Option<(u8, u8)> {
        let all = || {
            self.readout.entries.iter().filter_map(|entry| match entry.obis.0 {
                [1, channel @ 0..=LAST_CHANNEL, quantity, POWER, 0, PRESENT] => {
                    match phase_of(quantity) {
                        Some((own, phase)) if own == kind => Some((channel, phase)),
                        _ => None,
                    }
                }
                _ => None,
            })
        };
        let (channel, _) = all().min()?;
        if channel != 0 && all().any(|(own, _)| own != channel) {
            return None;
        }
        let own = all().filter(|(own, _)| *own == channel);
        Some((channel, own.fold(0, |here, (_, phase)| here | 1 << phase)))
    }

    /// The registers of one kind of a phase's power, if they are those of all phases: of the only
    /// one or of three, and of no fewer than were ever seen, with a number or without.
    fn phases(&self, kind: usize) -> Option<Vec<usize>> {
        let (channel, here) = self.channel_and_phases(kind)?;
        let mut found = [None; 3];
        for (index, entry) in self.numbers(Unit::WATT, |code| code[1] == channel) {
            if let Some((own, at)) = phase_of(entry.obis.0[2])
                && own == kind
                && (entry.obis.0[3..] == [POWER, 0, PRESENT])
                && found[usize::from(at)].replace(index).is_some()
            {
                return None;
            }
        }
        match (found, (self.known.phases[kind] | here) >> 1) {
            ([Some(first), None, None], 0) => Some(vec![first]),
            ([Some(first), Some(second), Some(third)], _) => Some(vec![first, second, third]),
            _ => None,
        }
    }

    /// What a profile says counts; nothing where one of its registers is missing.
    fn pinned(&self, obis: ObisCode, codes: &[ObisCode]) -> Option<Choice> {
        let unit = unit_of(obis);
        let find = |code: &ObisCode| {
            self.numbers(unit, |own| own == code.0).next().map(|(index, _)| index)
        };
        match codes {
            [only] if *only == obis => find(only).map(Choice::Own),
            _ => {
                let indices = codes.iter().map(find).collect::<Option<Vec<_>>>()?;
                (!indices.is_empty()).then(|| simplified(sum(indices, Vec::new())))
            }
        }
    }
}

/// The sum of the first less the sum of the second.
fn sum(plus: Vec<usize>, minus: Vec<usize>) -> Choice {
    Choice::Sum(Box::new(Sum { plus, minus }))
}

/// The sum of a single register is that register.
fn simplified(choice: Choice) -> Choice {
    match choice {
        Choice::Sum(sum) if sum.minus.is_empty() && sum.plus.len() == 1 => {
            Choice::Other(sum.plus[0])
        }
        other => other,
    }
}
