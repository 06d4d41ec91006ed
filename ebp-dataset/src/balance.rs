//! A household's balance: what it consumes, and how much of that it generates itself.

use ebp_core::model::GenerationRegister;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{boundary::Interval, energy::Energy, flag::Quality, role::Roles};

/// What a household drew, fed in, generated and consumed in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Drawn from the grid: I.
    pub import: Interval,
    /// Fed into the grid: X.
    pub export: Interval,
    /// Generated: G.
    pub generation: Interval,
    /// Consumed: C = I + G - X.
    pub consumption: Interval,
    /// Of what was generated: S = G - X. Where a battery is connected it includes what the battery
    /// took in and lost. It is never clipped: small negative values are the meters' accuracy.
    pub self_consumption: Interval,
    /// Whether it contradicts itself by more than the bounds and the meters' accuracy allow.
    pub balance_violated: bool,
}

/// Two hundredths: the accuracy of meters of class A.
const ACCURACY: i64 = 50;

impl Balance {
    /// Of an interval (from when to when), out of those of the household's meters (1.8.0 and
    /// 2.8.0), in the order that the roles were assigned in. A meter without one is `MISSING`.
    #[must_use]
    pub fn new(roles: &Roles, interval: (i64, i64), meters: &[(Interval, Interval)]) -> Self {
        let missing = (Interval::MISSING, Interval::MISSING);
        let get = |meter: usize| meters.get(meter).copied().unwrap_or(missing);
        let (import, export) = roles.grid_at(interval).map_or(missing, |used| get(used.meter));
        let none = Interval {
            energy: Some(Energy::ZERO),
            bounds: Some((Energy::ZERO, Energy::ZERO)),
            quality: Quality::Measured,
        };
        let mut generated = none;
        let mut net = none;
        for used in roles.generation_at(interval) {
            let (import, export) = get(used.meter);
            let (gross, drawn) = match used.register {
                GenerationRegister::Import => (import, export),
                GenerationRegister::Export => (export, import),
            };
            generated = plus(generated, gross);
            // A meter that shows one register alone draws nothing that is counted.
            let own = if used.shows_both { minus(gross, drawn) } else { gross };
            net = plus(net, own);
        }
        let generation = if roles.is_net { net } else { generated };
        let exact = minus(generation, export);
        let self_consumption = if roles.is_net { exact } else { not_negative(exact) };
        let consumption = plus(import, self_consumption);
        let accuracy = tolerance(generated) + tolerance(export);
        let below = |interval: Interval| {
            interval.energy.is_some()
                && interval.bounds.is_some_and(|(_, hi)| hi + accuracy < Energy::ZERO)
        };
        let balance_violated = (!roles.is_net && below(exact)) || below(plus(import, exact));
        Self { import, export, generation, consumption, self_consumption, balance_violated }
    }

    /// Whether all of it is known: the worst quality of its parts.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.import.quality.max(self.export.quality).max(self.generation.quality)
    }
}

fn tolerance(interval: Interval) -> Energy {
    Energy(interval.energy.map_or(0, |energy| energy.0.saturating_abs() / ACCURACY))
}

fn plus(a: Interval, b: Interval) -> Interval {
    combine(a, b, |a, b| a + b, |a, b| (a.0 + b.0, a.1 + b.1))
}

fn minus(a: Interval, b: Interval) -> Interval {
    combine(a, b, |a, b| a - b, |a, b| (a.0 - b.1, a.1 - b.0))
}

type Bounds = (Energy, Energy);

fn combine(
    a: Interval,
    b: Interval,
    energy: fn(Energy, Energy) -> Energy,
    bounds: fn(Bounds, Bounds) -> Bounds,
) -> Interval {
    Interval {
        energy: a.energy.zip(b.energy).map(|(a, b)| energy(a, b)),
        bounds: a.bounds.zip(b.bounds).map(|(a, b)| bounds(a, b)),
        quality: a.quality.max(b.quality),
    }
}

/// With the lower bound of what cannot be negative; the energy stays as it is.
fn not_negative(interval: Interval) -> Interval {
    let bounds = interval.bounds.map(|(lo, hi)| (lo.max(Energy::ZERO), hi.max(Energy::ZERO)));
    Interval { bounds, ..interval }
}

/// Why there is no ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRatio {
    /// An energy that it is made of is not known.
    NotMeasured,
    /// Fewer than 95 % of the quarter hours are measured.
    Coverage,
    /// There is less than 0.1 kWh to divide by.
    TooLittle,
}

impl NoRatio {
    /// The name in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMeasured => "not_measured",
            Self::Coverage => "coverage",
            Self::TooLittle => "too_little",
        }
    }
}

/// Ratios of a day or longer, from sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Self-sufficiency: S / C.
    pub autarky: Result<Decimal, NoRatio>,
    /// Self-consumption share: S / G.
    pub self_consumption_share: Result<Decimal, NoRatio>,
}

/// The least energy that is divided by: 0.1 kWh.
pub(crate) const LEAST: Energy = Energy(Energy::KILOWATT_HOUR.0 / 10);

/// Decimal places of ratios.
const PLACES: u32 = 6;

/// Whether so many `measured` of all `quarters` are enough for ratios.
pub(crate) fn is_covered(quarters: i64, measured: i64) -> bool {
    i128::from(measured) * 100 >= i128::from(quarters) * 95
}

/// The ratios of a balance, of whose `quarters` quarter hours so many are `measured`.
#[must_use]
pub fn figures(balance: &Balance, quarters: i64, measured: i64) -> Figures {
    let ratio = |of: Interval| {
        let (Some(part), Some(of)) = (balance.self_consumption.energy, of.energy) else {
            return Err(NoRatio::NotMeasured);
        };
        if !is_covered(quarters, measured) {
            return Err(NoRatio::Coverage);
        }
        if of < LEAST {
            return Err(NoRatio::TooLittle);
        }
        let ratio = part.to_decimal(0).checked_div(of.to_decimal(0));
        ratio.map(|ratio| ratio.round_dp(PLACES)).ok_or(NoRatio::TooLittle)
    };
    Figures {
        autarky: ratio(balance.consumption),
        self_consumption_share: ratio(balance.generation),
    }
}
