//! A household's hours, days and months: the balance of its meters, and how much of it is measured.
//!
//! They are made of quarter hours, or of kept days; both give the same digits.

use ebp_core::{contract::EnergyStep, model::GenerationRegister};
use serde::{Deserialize, Serialize};

use crate::{
    balance::{Balance, Figures, figures},
    boundary::Interval,
    calendar::{Calendar, CalendarError},
    day::Day,
    flag::{Flag, Flags, Quality},
    join::{Stretches, intervals, is_bare},
    period::{Period, Periods},
    quarter::Quarter,
    role::{Roles, Used},
    rules::QUARTER,
};

/// A household's hour, day or month, or any days in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdPeriod {
    /// From when, microseconds since the Unix epoch.
    pub from: i64,
    /// To when.
    pub to: i64,
    /// The energies.
    pub balance: Balance,
    /// Those of all its meters' quarter hours; [`Flag::NoReading`] where one that counts has none.
    pub flags: Flags,
    /// How many quarter hours it has.
    pub quarters: i64,
    /// In how many of them all parts of the balance are measured.
    pub measured: i64,
}

impl HouseholdPeriod {
    /// Self-sufficiency and self-consumption share. They are meant for days and longer.
    #[must_use]
    pub fn figures(&self) -> Figures {
        figures(&self.balance, self.quarters, self.measured)
    }

    /// Out of kept days: of each meter those from `from` to `to`, in the order that the roles were
    /// assigned in. Days may be missing: what was not measured then is not known. `stretches` says
    /// when the meters have rows.
    #[must_use]
    pub fn from_days(
        roles: &Roles,
        (from, to): (i64, i64),
        meters: &[&[Day]],
        stretches: &Stretches,
    ) -> Self {
        let energies: Vec<_> =
            meters.iter().map(|days| energies((from, to), Day::period(days).as_ref())).collect();
        let flags = meters.iter().copied().flatten().fold(Flags::NONE, |all, day| all | day.flags);
        let mut starts: Vec<_> =
            meters.iter().copied().flatten().map(|day| (day.from, day.to)).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut measured = 0;
        let mut places = vec![0; meters.len()];
        for ends in starts {
            let days: Vec<_> = meters
                .iter()
                .zip(&mut places)
                .map(|(days, place)| {
                    let day = days.get(*place).filter(|day| day.from == ends.0);
                    *place += usize::from(day.is_some());
                    day
                })
                .collect();
            measured += measured_together(roles, ends, &days);
        }
        Self {
            from,
            to,
            balance: Balance::new(roles, (from, to), &energies),
            flags: flags.with(Flag::NoReading, stretches.is_bare(roles, (from, to))),
            quarters: (to - from) / QUARTER,
            measured,
        }
    }
}

/// In how many quarter hours of a day all parts of the balance are measured.
fn measured_together(roles: &Roles, (from, to): (i64, i64), days: &[Option<&Day>]) -> i64 {
    let bits = |used: &Used, register: GenerationRegister| {
        days.get(used.meter).copied().flatten().map_or(0, |day| match register {
            GenerationRegister::Import => day.import.measured,
            GenerationRegister::Export => day.export.measured,
        })
    };
    let slots = (from..to).step_by(QUARTER.unsigned_abs() as usize);
    let is_measured = |(number, slot): (u32, i64)| {
        let has =
            |used: &Used, register| bits(used, register).checked_shr(number).unwrap_or(0) & 1 != 0;
        is_measured(roles, (slot, slot + QUARTER), has)
    };
    (0..).zip(slots).filter(|place| is_measured(*place)).map(|_| 1).sum()
}

/// Whether all registers that a balance needs are measured over an interval. Of a meter at the grid
/// that shows 1.8.0 alone no other register is needed.
fn is_measured(
    roles: &Roles,
    interval: (i64, i64),
    has: impl Fn(&Used, GenerationRegister) -> bool,
) -> bool {
    let generates = |used: &Used| {
        let other = match used.register {
            GenerationRegister::Import => GenerationRegister::Export,
            GenerationRegister::Export => GenerationRegister::Import,
        };
        has(used, used.register) && (has(used, other) || !roles.is_net || !used.shows_both)
    };
    let draws = |used: &Used| {
        has(used, GenerationRegister::Import)
            && (has(used, GenerationRegister::Export) || !used.shows_both)
    };
    roles.grid_at(interval).is_some_and(draws) && roles.generation_at(interval).all(generates)
}

/// A meter's energies, if its period is the one that is asked for.
fn energies((from, to): (i64, i64), period: Option<&Period>) -> (Interval, Interval) {
    period
        .filter(|period| (period.from, period.to) == (from, to))
        .map_or((Interval::MISSING, Interval::MISSING), |period| (period.import, period.export))
}

/// Makes a household's periods out of the quarter hours of its meters.
#[derive(Debug, Clone)]
pub struct HouseholdPeriods {
    roles: Roles,
    meters: Vec<Periods>,
    calendar: Calendar,
    step: EnergyStep,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    ends: (i64, i64),
    flags: Flags,
    measured: i64,
}

impl HouseholdPeriods {
    /// Of so many meters, whose roles these are.
    #[must_use]
    pub fn new(roles: Roles, meters: usize, calendar: Calendar, step: EnergyStep) -> Self {
        let each = Periods::new(calendar.clone(), step);
        Self { roles, meters: vec![each; meters], calendar, step, open: None }
    }

    /// Takes in the next quarter hour of all meters ([`Joined`](crate::Joined)); gives the period
    /// that ended before it.
    ///
    /// # Errors
    /// Those of the [`Calendar`].
    pub fn push(
        &mut self,
        slot: i64,
        meters: &[Option<Quarter>],
    ) -> Result<Option<HouseholdPeriod>, CalendarError> {
        let mut ended = None;
        if self.open.is_none_or(|open| slot >= open.ends.1) {
            ended = self.close();
            let ends = (self.calendar.start(self.step, slot)?, self.calendar.end(self.step, slot)?);
            self.open = Some(Open { ends, flags: Flags::NONE, measured: 0 });
        }
        let Some(open) = &mut self.open else { return Ok(ended) };
        for (periods, quarter) in self.meters.iter_mut().zip(meters) {
            if let Some(quarter) = quarter {
                periods.push(quarter)?;
                open.flags |= quarter.flags;
            }
        }
        let has_row = |meter: usize| meters.get(meter).is_some_and(Option::is_some);
        let is_bare = is_bare(&self.roles, slot, meters.len(), has_row);
        open.flags = open.flags.with(Flag::NoReading, is_bare);
        let energies: Vec<_> = meters.iter().map(|quarter| intervals(quarter.as_ref())).collect();
        let has = |used: &Used, register| {
            energies.get(used.meter).is_some_and(|(import, export): &(Interval, Interval)| {
                let of = match register {
                    GenerationRegister::Import => import,
                    GenerationRegister::Export => export,
                };
                of.quality == Quality::Measured
            })
        };
        open.measured += i64::from(is_measured(&self.roles, (slot, slot + QUARTER), has));
        Ok(ended)
    }

    /// The last period.
    #[must_use]
    pub fn finish(mut self) -> Option<HouseholdPeriod> {
        self.close()
    }

    fn close(&mut self) -> Option<HouseholdPeriod> {
        let open = self.open.take()?;
        let periods = self.meters.iter_mut().map(Periods::close);
        let energies: Vec<_> = periods.map(|period| energies(open.ends, period.as_ref())).collect();
        Some(HouseholdPeriod {
            from: open.ends.0,
            to: open.ends.1,
            balance: Balance::new(&self.roles, open.ends, &energies),
            flags: open.flags,
            quarters: (open.ends.1 - open.ends.0) / QUARTER,
            measured: open.measured,
        })
    }
}
