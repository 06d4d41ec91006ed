//! Rows of energies as columns of exact numbers.

use ebp_core::contract::{EnergyBounds, ExactNumber};
use ebp_dataset::{BALANCE_VIOLATED, Flag, Flags, HouseholdPeriod, Interval, Period, QUARTER};
use rust_decimal::Decimal;

/// Decimal places of shares.
const PLACES: u32 = 4;

/// What each bit of `flags` means.
pub(super) fn flag_names() -> Vec<String> {
    let known = Flag::ALL.iter().map(|flag| flag.name());
    known.chain([BALANCE_VIOLATED]).map(str::to_owned).collect()
}

/// The flags of a household's row.
pub(crate) fn bits(flags: Flags, balance_violated: bool) -> u16 {
    flags.0 | u16::from(balance_violated) << Flag::ALL.len()
}

/// The names of these bits.
pub(super) fn names_of(bits: u16) -> Vec<String> {
    let names = flag_names().into_iter().enumerate();
    names.filter(|(place, _)| bits >> place & 1 != 0).map(|(_, name)| name).collect()
}

/// The energy, kWh.
pub(super) fn energy(interval: &Interval) -> Option<ExactNumber> {
    interval.energy.map(|energy| ExactNumber(energy.to_decimal(0)))
}

/// Its bounds, kWh.
pub(super) fn bounds(interval: &Interval) -> Option<EnergyBounds> {
    interval.bounds.map(|(lo, hi)| [lo, hi].map(|energy| ExactNumber(energy.to_decimal(0))))
}

/// The share of `measured` in `quarters`, cut off, so that it is 1 only where nothing is missing.
pub(super) fn share(measured: i64, quarters: i64) -> Option<ExactNumber> {
    let parts = measured.checked_mul(10_i64.pow(PLACES))?.checked_div(quarters)?;
    (quarters > 0).then(|| ExactNumber(Decimal::new(parts, PLACES).normalize()))
}

/// Quarter hours from `from` to `to` that have begun and ended by now.
pub(super) fn past(from: i64, to: i64, now: i64) -> i64 {
    let now = now.div_euclid(QUARTER).saturating_mul(QUARTER);
    (to.min(now) - from).max(0) / QUARTER
}

/// A household's row: what is not known of it is missing.
pub(super) const fn empty_household(from: i64, to: i64) -> HouseholdPeriod {
    let missing = Interval::MISSING;
    let balance = ebp_dataset::Balance {
        import: missing,
        export: missing,
        generation: missing,
        consumption: missing,
        self_consumption: missing,
        balance_violated: false,
    };
    let quarters = (to - from) / QUARTER;
    HouseholdPeriod { from, to, balance, flags: Flags::NONE, quarters, measured: 0 }
}

/// A meter's row of which nothing is known.
pub(super) const fn empty_meter(from: i64, to: i64) -> Period {
    Period {
        from,
        to,
        import: Interval::MISSING,
        export: Interval::MISSING,
        flags: Flags::NONE,
        quarters: (to - from) / QUARTER,
        import_measured: 0,
        export_measured: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_1_only_where_nothing_is_missing() {
        let shown = |measured, quarters| share(measured, quarters).map(|it| it.0.to_string());
        assert_eq!(shown(35_040, 35_040).as_deref(), Some("1"));
        assert_eq!(shown(35_039, 35_040).as_deref(), Some("0.9999"));
        assert_eq!(shown(48, 96).as_deref(), Some("0.5"));
        assert_eq!(shown(0, 0), None);
    }

    #[test]
    fn quarter_hours_to_come_do_not_count() {
        let hour = 4 * QUARTER;
        assert_eq!(past(0, hour, hour), 4);
        assert_eq!(past(0, hour, hour - 1), 3);
        assert_eq!(past(hour, 2 * hour, 0), 0);
    }

    #[test]
    fn flags_have_their_names() {
        let bits = bits(Flag::Late.into(), true);
        assert_eq!(names_of(bits), ["late", "balance_violated"]);
        assert_eq!(flag_names().len(), 14);
    }
}
