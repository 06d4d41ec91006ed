//! Checks whether a meter sends detailed values.
//!
//! Enters: a model's profile, a readout. Leaves: yes or no. Absent: what to do about it.

use crate::{
    profile::{Profile, Quantity},
    readout::Readout,
};

/// Whether a meter of that model shows its details: one of the powers that its profile names for
/// the unlocked meter (or the survey's), and energy in steps finer than whole kWh. A locked meter
/// sends neither.
#[must_use]
pub fn is_detailed(profile: &Profile, readout: &Readout) -> bool {
    let own_power = profile.unlocked.registers.iter().any(|register| {
        register.is_power()
            && readout.entry(register.obis).is_some_and(|entry| entry.exact().is_some())
    });
    let fine = readout.entries.iter().any(|entry| {
        matches!(
            Quantity::of_any_channel(entry.obis),
            Some(Quantity::ImportEnergy { .. } | Quantity::ExportEnergy { .. })
        ) && entry.exact().is_some()
            && entry.scaler < 3
    });
    (own_power || readout.is_detailed()) && fine
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::Profiles,
        readout::{Entry, Integrity, Protocol, Value},
    };

    fn readout(entries: &[(&str, i8)]) -> Readout {
        let entries = entries
            .iter()
            .map(|&(obis, scaler)| Entry {
                obis: obis.parse().unwrap(),
                value: Value::Integer(12),
                unit: None,
                scaler,
                status: None,
                time: None,
                corrected: None,
            })
            .collect();
        Readout {
            protocol: Protocol::Sml,
            server_id: None,
            manufacturer: None,
            meter_time: None,
            entries,
            unaddressed: Vec::new(),
            integrity: Integrity::Ok,
            bytes: 0,
        }
    }

    #[test]
    fn power_and_decimals_both() {
        let profiles = Profiles::embedded();
        let mt175 = profiles.get("MT175").unwrap();
        assert!(is_detailed(mt175, &readout(&[("1.8.0", -1), ("16.7.0", 0)])));
        assert!(!is_detailed(mt175, &readout(&[("1.8.0", 3), ("16.7.0", 0)])));
        assert!(!is_detailed(mt175, &readout(&[("1.8.0", -1)])));
        assert!(!is_detailed(mt175, &readout(&[])));
        let q3d = profiles.get("Q3D").unwrap();
        assert!(is_detailed(q3d, &readout(&[("1.8.0", -4), ("1-0:1.7.255*255", -2)])));
    }
}
