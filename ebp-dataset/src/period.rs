//! Hours, days and months out of quarter hours: from boundary to boundary, never a sum of rows.

use ebp_core::contract::EnergyStep;
use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, Interval, interval},
    calendar::{Calendar, CalendarError},
    flag::{Flags, Quality},
    quarter::{Quarter, RegisterQuarter},
    rules::QUARTER,
};

/// A meter's hour, day or month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// From when, microseconds since the Unix epoch.
    pub from: i64,
    /// To when.
    pub to: i64,
    /// What 1.8.0 grew by; known where its ends are, whatever is missing between them.
    pub import: Interval,
    /// What 2.8.0 grew by.
    pub export: Interval,
    /// Those of all its quarter hours.
    pub flags: Flags,
    /// How many quarter hours it has.
    pub quarters: i64,
    /// In how many of them the energy of 1.8.0 is measured,
    pub import_measured: i64,
    /// and of 2.8.0.
    pub export_measured: i64,
}

/// What becomes a register's period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Register {
    start: Option<Boundary>,
    end: Option<Boundary>,
    measured: i64,
}

impl Register {
    fn add(&mut self, (from, to): (i64, i64), quarter: &RegisterQuarter) {
        self.start = self.start.or(quarter.start.filter(|start| start.at == from));
        self.end = quarter.end.filter(|end| end.at == to);
        self.measured += i64::from(quarter.interval().quality == Quality::Measured);
    }

    fn interval(&self) -> Interval {
        interval(self.start.as_ref(), self.end.as_ref())
    }
}

/// Makes a meter's periods out of its quarter hours.
#[derive(Debug, Clone)]
pub struct Periods {
    calendar: Calendar,
    step: EnergyStep,
    /// From and to, and what came of it.
    open: Option<((i64, i64), Register, Register, Flags)>,
}

impl Periods {
    /// Of such length.
    #[must_use]
    pub const fn new(calendar: Calendar, step: EnergyStep) -> Self {
        Self { calendar, step, open: None }
    }

    /// Takes in the next quarter hour; gives the period that ended before it.
    ///
    /// # Errors
    /// Those of the [`Calendar`].
    pub fn push(&mut self, quarter: &Quarter) -> Result<Option<Period>, CalendarError> {
        let mut done = None;
        if self.open.is_none_or(|((_, to), ..)| quarter.slot >= to) {
            let from = self.calendar.start(self.step, quarter.slot)?;
            let to = self.calendar.end(self.step, quarter.slot)?;
            let next = ((from, to), Register::default(), Register::default(), Flags::NONE);
            done = self.open.replace(next);
        }
        if let Some((ends, import, export, flags)) = &mut self.open {
            import.add(*ends, &quarter.import);
            export.add(*ends, &quarter.export);
            *flags |= quarter.flags;
        }
        Ok(done.map(period))
    }

    /// The last period.
    #[must_use]
    pub fn finish(mut self) -> Option<Period> {
        self.close()
    }

    /// Ends the open period.
    pub(crate) fn close(&mut self) -> Option<Period> {
        self.open.take().map(period)
    }
}

fn period(((from, to), import, export, flags): ((i64, i64), Register, Register, Flags)) -> Period {
    Period {
        from,
        to,
        import: import.interval(),
        export: export.interval(),
        flags,
        quarters: (to - from) / QUARTER,
        import_measured: import.measured,
        export_measured: export.measured,
    }
}
