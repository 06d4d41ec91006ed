//! Classifies a register by its code: an identity, energy, or the maker's letters.

use ebp_core::obis::ObisCode;

/// Whether an entry with that code identifies the meter, as text or number. Where a maker puts its
/// letters is known.
pub(super) const fn identifies(obis: ObisCode) -> bool {
    obis.identifies() && !is_maker(obis)
}

/// Whether that is energy: now, in a tariff, or of the past.
pub(super) const fn is_energy(obis: ObisCode) -> bool {
    matches!(obis.0, [1, _, 1..=95, 8 | 9, ..])
}

/// Where the maker's letters stand.
pub(super) const fn is_maker(obis: ObisCode) -> bool {
    matches!(obis.0, [129, 129, 199, 130, 3, _] | [1, 0, 96, 50, 1, 1])
}
