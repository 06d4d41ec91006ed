//! Known faults of meters' values, as data.
//!
//! Enters: a meter's entries and the widths that their numbers had on the wire. Leaves: the entries
//! with the faulty values put right and marked so. Absent: faults of form, which the decoder takes
//! as they come.

use ebp_core::{obis::ObisCode, quantity::Unit};

use crate::{
    flag_id::FlagId,
    readout::{Correction, Entry, Readout, Value},
};

/// One fault: which meters have it, how it shows, how it is put right.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// How a value that was put right is marked.
    pub correction: Correction,
    /// The maker whose meters have it, by its FLAG id.
    pub manufacturer: &'static [u8; 3],
    /// The powers that have it.
    pub powers: &'static [Power],
    /// What the status word must be like for the word to mean what is assumed here: a mask, and the
    /// bits under it.
    pub status_form: (u64, u64),
    /// What is done.
    pub repair: Repair,
    /// Where it was seen.
    pub source: &'static str,
}

/// A power, and what the status word says of it.
#[derive(Debug, Clone, Copy)]
pub struct Power {
    /// Which power, in watts.
    pub obis: ObisCode,
    /// The bits of direction in the status word: set means export.
    pub direction: u64,
}

/// How a value is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// A negative number of at most so many bytes, while the meter says import, is read without a
    /// sign.
    ReadUnsigned {
        /// Bytes.
        widest: u8,
    },
    /// A positive number, while the meter says export, becomes negative.
    Negate,
}

/// Status words as the FNN's "Basiszähler" specification lays them out: bit 11 total export, bits
/// 12 to 14 export on L1 to L3.
const EXPORT: u64 = 1 << 11;
const EXPORT_L1: u64 = 1 << 12;
const EXPORT_L2: u64 = 1 << 13;
const EXPORT_L3: u64 = 1 << 14;

/// Every quirk known.
pub const QUIRKS: [Quirk; 3] = [
    Quirk {
        correction: Correction::DzgSign,
        manufacturer: b"DZG",
        powers: &[
            Power { obis: ObisCode::SUM_POWER, direction: EXPORT },
            // A phase may export while the meter as a whole imports.
            Power { obis: ObisCode([1, 0, 36, 7, 0, 255]), direction: EXPORT | EXPORT_L1 },
            Power { obis: ObisCode([1, 0, 56, 7, 0, 255]), direction: EXPORT | EXPORT_L2 },
            Power { obis: ObisCode([1, 0, 76, 7, 0, 255]), direction: EXPORT | EXPORT_L3 },
        ],
        status_form: (0xff, 0x04),
        repair: Repair::ReadUnsigned { widest: 3 },
        source: "dump DZG_DVS-7412.2_jmberg: 356.24 W arrives as 53 8b 28 with status 0x1c0104; \
                 volkszaehler/vzlogger issue 544 has it in 36.7.0 with status 0x040104. \
                 Genuine negative values of DVS-7420.2 and DWSB20 have status 0x1c6904 and 0x1c7904",
    },
    Quirk {
        correction: Correction::Ed300lDirection,
        manufacturer: b"EMH",
        powers: &[Power { obis: ObisCode::ABSOLUTE_POWER, direction: 1 << 5 }],
        // In FNN's form bit 5 is no direction.
        status_form: (0x04, 0),
        repair: Repair::Negate,
        source: "dumps EMH-ED300L_consumption (status 0x182) and EMH-ED300L_delivery (status 0x1b0): \
                 15.7.0 is positive in both",
    },
    Quirk {
        correction: Correction::HolleyDirection,
        manufacturer: b"HLY",
        powers: &[Power { obis: ObisCode::SUM_POWER, direction: EXPORT }],
        status_form: (0xff, 0x04),
        repair: Repair::Negate,
        source: "Apollon77/ioBroker.smartmeter issue 306: a DTZ541 has status 0x1c0104 while it draws \
                 and 0x1d4904 while it feeds in, 16.7.0 positive in both; tasmota/docs reads DTZ541 and \
                 EHZ541-BE so. An EHZ541-ZE sends a negative number (atc1441/\
                 OBI_Energy_Tracker_Local_Cloud issue 32), which stays",
    },
];

/// Puts right what is known to be wrong with that maker's entries. `widths` has the width in bytes
/// of each entry's number as it was on the wire, 0 for what is no number with a sign; it is taken
/// from only where a fault depends on that.
pub fn apply(maker: FlagId, entries: &mut [Entry], widths: impl Iterator<Item = u8> + Clone) {
    for quirk in QUIRKS.iter().filter(|quirk| quirk.is_of(maker)) {
        quirk.apply(entries, widths.clone());
    }
}

/// Whether the direction of 15.7.0, a magnitude by its standard, is known in that readout.
#[must_use]
pub fn tells_direction(readout: &Readout) -> bool {
    let Some(maker) = readout.manufacturer else { return false };
    QUIRKS.iter().any(|quirk| {
        quirk.is_of(maker)
            && quirk.repair == Repair::Negate
            && quirk.powers.iter().any(|power| power.obis == ObisCode::ABSOLUTE_POWER)
            && quirk.status(&readout.entries).is_some()
    })
}

impl Quirk {
    /// Whether meters of that maker have it.
    fn is_of(&self, maker: FlagId) -> bool {
        maker.bytes() == *self.manufacturer
    }

    /// The meter's status word, where it is one that this fault goes by: it stands at 1.8.0, or else
    /// at another energy.
    fn status(&self, entries: &[Entry]) -> Option<u64> {
        let (mask, form) = self.status_form;
        let of = |fits: fn(&&Entry) -> bool| entries.iter().filter(fits).find_map(|e| e.status);
        let status = of(|entry| entry.obis == ObisCode::POSITIVE_ENERGY)
            .or_else(|| of(|entry| matches!(entry.obis.0, [1, _, 1 | 2, 8, _, 255])))?;
        (status & mask == form).then_some(status)
    }

    fn apply(&self, entries: &mut [Entry], mut widths: impl Iterator<Item = u8>) {
        let Some(status) = self.status(entries) else { return };
        let mut widths_taken = 0;
        for (index, entry) in entries.iter_mut().enumerate() {
            let (Value::Integer(value), Some(Unit::WATT)) = (&mut entry.value, entry.unit) else {
                continue;
            };
            let Some(power) = self.powers.iter().find(|power| power.obis == entry.obis) else {
                continue;
            };
            let export = status & power.direction != 0;
            match self.repair {
                Repair::ReadUnsigned { widest } => {
                    if export || *value >= 0 {
                        continue;
                    }
                    let width = widths.nth(index - widths_taken).unwrap_or(0);
                    widths_taken = index + 1;
                    if !(1..=widest).contains(&width) {
                        continue;
                    }
                    *value += 1 << (8 * width);
                }
                Repair::Negate => {
                    if !export || *value <= 0 {
                        continue;
                    }
                    *value = -*value;
                }
            }
            entry.corrected = Some(self.correction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn entry(obis: ObisCode, value: i128, unit: Unit, status: Option<u64>) -> Entry {
        Entry {
            obis,
            value: Value::Integer(value),
            unit: Some(unit),
            scaler: -2,
            status,
            time: None,
            corrected: None,
        }
    }

    fn corrected(maker: &str, status: u64, power: ObisCode, value: i128, width: u8) -> i128 {
        let mut entries = [
            entry(ObisCode::POSITIVE_ENERGY, -1, Unit::WATT_HOUR, Some(status)),
            entry(power, value, Unit::WATT, None),
        ];
        let maker = FlagId::new(maker.as_bytes().try_into().unwrap()).unwrap();
        apply(maker, &mut entries, [2, width].into_iter());
        assert_eq!(entries[0].value, Value::Integer(-1), "energy is left alone");
        let Value::Integer(after) = entries[1].value else { panic!() };
        assert_eq!(entries[1].corrected.is_some(), after != value);
        after
    }

    #[test]
    fn dzg_sends_a_positive_power_as_a_negative_one() {
        let dzg = |status, width| corrected("DZG", status, ObisCode::SUM_POWER, -29_912, width);
        assert_eq!(dzg(0x1c_0104, 2), 35_624);
        assert_eq!(dzg(0x1c_0104, 3), 16_747_304);
        assert_eq!(dzg(0x1c_0104, 4), -29_912, "wide enough to be genuine");
        assert_eq!(dzg(0x1c_7904, 2), -29_912, "export");
        assert_eq!(dzg(0x182, 2), -29_912, "another form of status");
        assert_eq!(corrected("ISK", 0x1c_0104, ObisCode::SUM_POWER, -29_912, 2), -29_912);
        assert_eq!(corrected("DZG", 0x1c_0104, ObisCode::NEGATIVE_POWER, -1, 2), -1);
    }

    #[test]
    fn a_phase_may_export_while_the_meter_imports() {
        let l1 = ObisCode([1, 0, 36, 7, 0, 255]);
        assert_eq!(corrected("DZG", 0x04_0104, l1, -14_836, 2), 50_700);
        assert_eq!(corrected("DZG", 0x1c_1104, l1, -14_836, 2), -14_836);
    }

    #[test]
    fn each_value_goes_by_its_own_width() {
        let phase = |quantity| ObisCode([1, 0, quantity, 7, 0, 255]);
        let mut entries = [
            entry(phase(36), -1, Unit::WATT, None),
            entry(ObisCode::POSITIVE_ENERGY, 1, Unit::WATT_HOUR, Some(0x1c_0104)),
            entry(phase(56), 1, Unit::WATT, None),
            entry(phase(76), -1, Unit::WATT, None),
            entry(ObisCode::SUM_POWER, -1, Unit::WATT, None),
        ];
        let maker = FlagId::new(*b"DZG").unwrap();
        apply(maker, &mut entries, [1, 0, 1, 4, 2].into_iter());
        let values = entries.map(|entry| entry.value);
        assert_eq!(values, [255, 1, 1, -1, 65_535].map(Value::Integer));
    }

    #[test]
    fn holley_sends_exported_power_without_its_sign() {
        let holley = |status, value| corrected("HLY", status, ObisCode::SUM_POWER, value, 4);
        assert_eq!(holley(0x1d_4904, 425), -425);
        assert_eq!(holley(0x1c_0104, 425), 425, "import");
        assert_eq!(holley(0x1d_4904, -425), -425, "a meter that sends a sign");
        assert_eq!(holley(0x982, 425), 425, "another form of status");
    }

    /// Two-tariff meters (EFR, EMH) give tariffs alone, and meters of feed-in only 2.8.0.
    #[test]
    fn the_status_may_stand_at_another_energy() {
        let of = |maker: &[u8; 3], energy: &str, status, power| {
            let mut entries = [
                entry(energy.parse().unwrap(), 1, Unit::WATT_HOUR, Some(status)),
                entry(power, 425, Unit::WATT, None),
            ];
            apply(FlagId::new(*maker).unwrap(), &mut entries, [8, 4].into_iter());
            entries[1].value.clone()
        };
        for energy in ["1.8.1", "2.8.0"] {
            let value = of(b"HLY", energy, 0x1d_4904, ObisCode::SUM_POWER);
            assert_eq!(value, Value::Integer(-425), "{energy}");
            let value = of(b"EMH", energy, 0x1a2, ObisCode::ABSOLUTE_POWER);
            assert_eq!(value, Value::Integer(-425), "{energy}");
        }
        let past = of(b"HLY", "1.8.0*1", 0x1d_4904, ObisCode::SUM_POWER);
        assert_eq!(past, Value::Integer(425), "of the past");
    }

    #[test]
    fn ed300l_sends_exported_power_without_its_sign() {
        let emh = |status, value| corrected("EMH", status, ObisCode::ABSOLUTE_POWER, value, 0);
        assert_eq!(emh(0x182, 1371), 1371);
        assert_eq!(emh(0x1b0, 1266), -1266);
        assert_eq!(emh(0x1a2, 1266), -1266);
        assert_eq!(emh(0x1b0, -5), -5);
        assert_eq!(emh(0x1c_4924, 1266), 1266, "FNN's form, whose bit 5 is no direction");
    }
}
