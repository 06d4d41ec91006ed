//! Whether energies and gaps add up to what the registers show.
//!
//! Energies and gaps in a row say how far a register grew from the first boundary to each later
//! one. A reading between two boundaries shows at least the register at the one and at most that at
//! the other. So each reading bounds what the register was at the first boundary, and all of them
//! have to leave something possible.

use std::collections::HashMap;

use super::{cells::Cells, row::units, verdict::Verdict};
use crate::{
    files::{column::Table, read::Value},
    flag::{Flag, Flags},
    rules::QUARTER,
};

/// Readings are used that show hundredths of a kilowatt hour at least.
pub(super) const LEAST_DECIMALS: i64 = 2;
/// The last decimal of such a reading: the register is that much above it at most.
const SLACK: i64 = 1_000_000;

/// In slots with these, readings may be there that no energy rests on.
const UNUSED: [Flag; 4] = [Flag::Outlier, Flag::Unconfirmed, Flag::Conflict, Flag::RegisterReset];

/// Energy over a gap.
#[derive(Debug)]
struct Gap {
    from: i64,
    to: i64,
    energy: Option<i64>,
    row: u64,
    is_used: bool,
}

/// A meter's gaps of 1.8.0 and 2.8.0.
type Gaps = [Vec<Gap>; 2];

/// A register that is followed from boundary to boundary.
#[derive(Debug, Clone, Copy)]
struct Followed {
    /// The last boundary at which it is known, or that the gap goes to.
    end: i64,
    /// What it grew by before the last quarter hour or gap, and with it.
    grown: (i64, i64),
    /// What it was at the first boundary: at least, and at most.
    first: (i64, i64),
}

/// A quarter hour of a meter.
#[derive(Debug, Clone, Copy)]
pub(super) struct EnergyRow {
    pub row: u64,
    pub slot: i64,
    /// Of 1.8.0 and 2.8.0, where it is measured, 10^-8 kWh.
    pub energies: [Option<i64>; 2],
    pub flags: Flags,
    pub segment: Option<i64>,
}

/// The last boundary at which a register is known, by energies and gaps.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// The boundary, and the segment that it lies in.
    at: Option<(i64, i64)>,
    /// The segment in which energy is missing since then, without a gap of `spans`.
    lacking: Option<i64>,
}

/// A reading: when, and both registers, 10^-8 kWh.
pub(super) type ReadingRow = (i64, [Option<i64>; 2]);

/// All meters' registers.
#[derive(Debug, Default)]
pub(super) struct Growth {
    gaps: HashMap<String, Gaps>,
    rows: u64,
    followed: HashMap<String, [(Option<Followed>, Reached); 2]>,
}

const REGISTERS: [&str; 2] = ["import", "export"];

impl Growth {
    /// Notes a row of `spans`.
    pub fn note(&mut self, table: &Table, values: &[Value]) {
        if table.name != "spans" {
            return;
        }
        self.rows += 1;
        let row = Cells { table, values };
        let register = REGISTERS.iter().position(|it| row.text("register") == Some(*it));
        let (Some(meter), Some(register)) = (row.text("meter"), register) else { return };
        let (Some(from), Some(to)) = (row.int("from"), row.int("to")) else { return };
        let energy = row.double("energy_kwh").map(units);
        let gaps = self.gaps.entry(meter.to_owned()).or_default();
        gaps[register].push(Gap { from, to, energy, row: self.rows, is_used: false });
    }

    /// Follows a meter's registers over the rows of a file.
    pub fn follow(
        &mut self,
        (file, meter): (&str, &str),
        rows: &[EnergyRow],
        readings: &[ReadingRow],
        verdict: &mut Verdict,
    ) {
        let followed = self.followed.entry(meter.to_owned()).or_default();
        let mut gaps = self.gaps.get_mut(meter);
        for row in rows {
            let first = readings.partition_point(|(at, _)| *at < row.slot);
            let last = readings.partition_point(|(at, _)| *at < row.slot.saturating_add(QUARTER));
            if first == last && !row.flags.has(Flag::NoReading) {
                let what = "its flags do not say no_reading, but readings has none";
                verdict.add(file, Some(row.row), what);
            }
            let is_usable = UNUSED.iter().all(|flag| !row.flags.has(*flag));
            let shown = if is_usable { readings.get(first..last).unwrap_or(&[]) } else { &[] };
            for (place, ((followed, reached), name)) in
                followed.iter_mut().zip(REGISTERS).enumerate()
            {
                let gap = gaps.as_mut().and_then(|gaps| gap_at(&mut gaps[place], row.slot));
                let end = gap.as_ref().map(|gap| gap.to);
                if reached.go(row, row.energies[place].is_some(), end) {
                    let what = format!("{name} is missing before it, and spans has no gap there");
                    verdict.add(file, Some(row.row), what);
                }
                if let Err(what) = step(followed, row.slot, row.energies[place], gap) {
                    verdict.add(file, Some(row.row), format!("{name} {what}"));
                }
                let Some(followed) = followed else { continue };
                for value in shown.iter().filter_map(|(_, registers)| registers[place]) {
                    if !followed.allows(value) {
                        let what = format!(
                            "energies and spans of {name} do not add up to what readings show"
                        );
                        verdict.add(file, Some(row.row), what);
                    }
                }
            }
        }
    }

    /// Gaps that begin where no energy is missing.
    pub fn finish(&self, file: &str, verdict: &mut Verdict) {
        let gaps = self.gaps.values().flatten().flatten().filter(|gap| !gap.is_used);
        let mut rows: Vec<u64> = gaps.map(|gap| gap.row).collect();
        rows.sort_unstable();
        for row in rows {
            verdict.add(file, Some(row), "no energy is missing where it begins");
        }
    }
}

impl Reached {
    /// Goes on by a quarter hour. Whether the register is known before it and behind it, in one
    /// segment, without a gap of `spans` in between.
    fn go(&mut self, row: &EnergyRow, is_measured: bool, gap: Option<i64>) -> bool {
        if row.flags.has(Flag::RegisterReset) {
            *self = Self::default();
            return false;
        }
        if is_measured {
            let end = row.slot.saturating_add(QUARTER);
            self.at = row.segment.map(|segment| (end, segment));
            return self.lacking.take().is_some_and(|segment| row.segment == Some(segment));
        }
        if let Some((_, segment)) = self.at.filter(|(at, _)| *at == row.slot) {
            match gap {
                Some(end) => self.at = Some((end, segment)),
                None => self.lacking = Some(segment),
            }
        }
        false
    }
}

fn gap_at(gaps: &mut [Gap], slot: i64) -> Option<&mut Gap> {
    let place = gaps.partition_point(|gap| gap.from < slot);
    gaps.get_mut(place).filter(|gap| gap.from == slot)
}

/// Goes on by a quarter hour, or by the gap that begins with it.
fn step(
    followed: &mut Option<Followed>,
    slot: i64,
    energy: Option<i64>,
    gap: Option<&mut Gap>,
) -> Result<(), &'static str> {
    let is_within = followed.is_some_and(|it| it.end > slot);
    let (end, energy) = match (energy, gap) {
        (Some(_), _) if is_within => return Err("is measured within a gap of spans"),
        (Some(energy), _) => (slot.saturating_add(QUARTER), energy),
        (None, Some(gap)) => {
            gap.is_used = true;
            let Some(energy) = gap.energy else {
                *followed = None;
                return Ok(());
            };
            (gap.to, energy)
        }
        (None, None) => {
            if !is_within {
                *followed = None;
            }
            return Ok(());
        }
    };
    let before = followed.filter(|it| it.end == slot);
    let grown = before.map_or(0, |it| it.grown.1);
    let first = before.map_or((i64::MIN, i64::MAX), |it| it.first);
    *followed = Some(Followed { end, grown: (grown, grown.saturating_add(energy)), first });
    Ok(())
}

impl Followed {
    /// Whether a reading within the last quarter hour or gap is possible beside those before.
    fn allows(&mut self, value: i64) -> bool {
        let least = value.saturating_sub(self.grown.1).saturating_sub(SLACK);
        let most = value.saturating_sub(self.grown.0).saturating_add(SLACK);
        let both = (self.first.0.max(least), self.first.1.min(most));
        let is_possible = both.0 <= both.1;
        self.first = if is_possible { both } else { (least, most) };
        is_possible
    }
}
