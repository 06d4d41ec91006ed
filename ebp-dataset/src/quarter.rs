//! A meter's quarter hour.

use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, Interval, interval},
    flag::{Flag, Flags},
    register::Known,
    rules::{QUARTER, Rules},
    slot::SlotFacts,
};

/// A register over a quarter hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterQuarter {
    /// The register at its start; nothing where there is no such boundary.
    pub start: Option<Boundary>,
    /// The register at its end.
    pub end: Option<Boundary>,
    /// What there is to know besides.
    pub flags: Flags,
}

impl RegisterQuarter {
    /// The energy.
    #[must_use]
    pub fn interval(&self) -> Interval {
        interval(self.start.as_ref(), self.end.as_ref())
    }

    /// Out of what is known of the boundaries and the readings between them. `begun` is when the
    /// register was first read.
    pub(crate) fn new(
        slot: i64,
        (start, end): (Known, Known),
        facts: SlotFacts,
        begun: Option<i64>,
    ) -> Self {
        let (at_start, at_end) = (start.boundary(), end.boundary());
        let mut flags = facts.flags;
        if begun.is_some_and(|begun| begun < slot.saturating_add(QUARTER)) {
            let late = facts.first.is_some_and(|first| first - slot > Rules::NEAR);
            let at_ends =
                |is: fn(&Boundary) -> bool| at_start.is_some_and(is) || at_end.is_some_and(is);
            let other = at_start.zip(at_end).is_some_and(|(a, b)| a.segment != b.segment);
            flags = flags
                .with(Flag::NoReading, facts.first.is_none())
                .with(Flag::Late, late)
                .with(Flag::EndOpen, at_end.is_some_and(|end| !end.near))
                .with(Flag::ClockCorrected, at_ends(|boundary| boundary.corrected))
                .with(Flag::Coarse, at_ends(|boundary| boundary.coarse))
                .with(Flag::RegisterReset, other || start == Known::Reset || end == Known::Reset)
                .with(Flag::NoBracket, start == Known::Outside || end == Known::Outside);
        }
        Self { start: at_start.copied(), end: at_end.copied(), flags }
    }
}

/// A meter's quarter hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarter {
    /// When it begins, microseconds since the Unix epoch.
    pub slot: i64,
    /// 1.8.0.
    pub import: RegisterQuarter,
    /// 2.8.0.
    pub export: RegisterQuarter,
    /// Of both registers together, and of the readings.
    pub flags: Flags,
    /// The power of the slot's first reading that has one, 10^-8 kW.
    pub power: Option<i64>,
}

impl Quarter {
    /// When it ends.
    #[must_use]
    pub const fn end(&self) -> i64 {
        self.slot.saturating_add(QUARTER)
    }
}
