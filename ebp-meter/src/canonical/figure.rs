//! A value under one of the survey's codes, and the registers that it is from.

use ebp_core::{
    model::DataPoint,
    obis::ObisCode,
    quantity::{Unit, readable},
};
use rust_decimal::Decimal;

use super::chosen::{Choice, Choices, Sum};
use crate::readout::{Correction, Entry, Protocol, Readout, Value};

/// More decimals than any meter sends are a damaged scaler.
const MOST_PLACES: i16 = 9;

/// Where a [`Figure`] is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The register under the figure's own code.
    Own,
    /// A register under another code that means the same.
    Register(ObisCode),
    /// The sum of these registers less the sum of the others.
    Sum(Vec<ObisCode>, Vec<ObisCode>),
}

impl Source {
    /// A sum in words, `sum of 1.8.1, 1.8.2`; codes of another channel or storage are in full.
    #[must_use]
    pub fn derivation(&self) -> Option<String> {
        let Self::Sum(plus, minus) = self else { return None };
        let list = |codes: &[ObisCode]| {
            let text = |code: &ObisCode| match code.0 {
                [1, 0, .., 255] => code.short(),
                _ => code.to_string(),
            };
            codes.iter().map(text).collect::<Vec<_>>().join(", ")
        };
        let mut text = format!("sum of {}", list(plus));
        if !minus.is_empty() {
            text.push_str(&format!(" less {}", list(minus)));
        }
        Some(text)
    }
}

/// One of the survey's quantities as a meter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The survey's code.
    pub obis: ObisCode,
    /// The exact value, kWh or kW.
    pub value: Decimal,
    /// With how many decimals of a kWh or kW the meter sends it, where that is believable.
    pub places: Option<u32>,
    /// What was put right in it, if anything.
    pub corrected: Option<Correction>,
    /// The registers that it is from.
    pub source: Source,
}

impl Figure {
    /// Watt-hours or watts, of which its value counts thousands.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        unit_of(self.obis)
    }

    /// Whether this sum of energies goes on from the one before. Energy never falls: where a sum
    /// does, one of its registers is damaged, and a sum has no register that could be checked.
    ///
    /// A meter that locks itself cuts each of its registers off to whole kWh, so that their sum is
    /// lower by up to one kWh for each of them: `100.9 + 200.9` becomes `100 + 200`. Such a sum is
    /// held at the one before, cut off alike (301), until it passes that. A meter with a single
    /// register shows the same. The data set takes a register for what it shows or up to one unit
    /// of its last decimal more, compares at the coarser of two resolutions, and begins anew where
    /// one is lower then: 300 behind 301.8 would break the register in two, and 301.8 would claim
    /// decimals that nobody has read.
    pub(super) fn follow(&mut self, before: Decimal, places_before: u32) -> bool {
        if self.value >= before {
            return true;
        }
        let Source::Sum(registers, _) = &self.source else { return false };
        let places = self.places.unwrap_or_default().min(places_before);
        let most = Decimal::from(registers.len()) * Decimal::new(1, places);
        let is_cut_off = before.checked_sub(self.value).is_some_and(|fallen| fallen < most);
        let held = before.trunc_with_scale(places);
        if is_cut_off && held > self.value {
            self.value = held;
            self.places = Some(places);
        }
        is_cut_off
    }

    /// As a measurement carries it.
    #[must_use]
    pub const fn point(&self) -> DataPoint {
        DataPoint { obis: self.obis, value: self.value }
    }
}

impl Choices {
    /// The values that were chosen, in the order of [`ObisCode::SURVEY`]. One that no decimal
    /// holds is left out.
    #[must_use]
    pub fn figures(&self, readout: &Readout) -> Vec<Figure> {
        ObisCode::SURVEY
            .into_iter()
            .zip(&self.0)
            .filter_map(|(obis, choice)| figure(obis, choice.as_ref()?, readout))
            .collect()
    }
}

/// The survey's unit for that code.
pub(super) const fn unit_of(obis: ObisCode) -> Unit {
    if obis.0[3] == 8 { Unit::WATT_HOUR } else { Unit::WATT }
}

/// A number in Wh or W, with its power of ten. ASCII telegrams may leave out the unit of energy,
/// which is kWh then (Pafal EC3); any other value without a unit is ignored.
pub(super) fn number(entry: &Entry, unit: Unit, protocol: Protocol) -> Option<(i128, i16)> {
    let Value::Integer(integer) = entry.value else { return None };
    match entry.unit {
        Some(own) if own == unit => Some((integer, entry.scaler.into())),
        None if protocol == Protocol::D0 && unit == Unit::WATT_HOUR => {
            Some((integer, i16::from(entry.scaler) + 3))
        }
        _ => None,
    }
}

/// The value of that choice; nothing where no decimal holds it.
fn figure(obis: ObisCode, choice: &Choice, readout: &Readout) -> Option<Figure> {
    let unit = unit_of(obis);
    let entry = |index: &usize| readout.entries.get(*index);
    let number = |index: &usize| number(entry(index)?, unit, readout.protocol);
    let code = |index: &usize| entry(index).map(|entry| entry.obis);
    let (source, (integer, scaler), corrected) = match choice {
        Choice::Own(index) => (Source::Own, number(index)?, entry(index)?.corrected),
        Choice::Other(index) => {
            (Source::Register(code(index)?), number(index)?, entry(index)?.corrected)
        }
        Choice::Sum(registers) => {
            let Sum { plus, minus } = &**registers;
            let numbers =
                |indices: &[usize]| indices.iter().map(number).collect::<Option<Vec<_>>>();
            let codes = |indices: &[usize]| indices.iter().map(code).collect::<Option<Vec<_>>>();
            let corrected = plus.iter().chain(minus).find_map(|index| entry(index)?.corrected);
            let sum = sum(&numbers(plus)?, &numbers(minus)?)?;
            (Source::Sum(codes(plus)?, codes(minus)?), sum, corrected)
        }
    };
    let value = readable(integer, scaler, unit)?;
    let places = 3 - scaler;
    let places = (0..=MOST_PLACES).contains(&places).then(|| u32::from(places.unsigned_abs()));
    Some(Figure { obis, value, places, corrected, source })
}

/// The exact sum of the first less the second, with the finest of their powers of ten.
fn sum(plus: &[(i128, i16)], minus: &[(i128, i16)]) -> Option<(i128, i16)> {
    let scaler = plus.iter().chain(minus).map(|(_, scaler)| *scaler).min()?;
    let total = |numbers: &[(i128, i16)]| {
        numbers.iter().try_fold(0_i128, |sum, (integer, own)| {
            let power = 10_i128.checked_pow(u32::try_from(own - scaler).ok()?)?;
            sum.checked_add(integer.checked_mul(power)?)
        })
    };
    Some((total(plus)?.checked_sub(total(minus)?)?, scaler))
}
