//! A meter's readings in the order of time, and its quarter hours.

use serde::{Deserialize, Serialize};

use crate::{
    flag::Flag,
    quarter::{Quarter, RegisterQuarter},
    reading::{Reading, Register},
    register::{Incoming, Known, RegisterSeries},
    rules::{QUARTER, Rules},
    segment::Point,
    slot::{Slots, slot_of},
};

/// Which quarter hours are wanted: those that begin from `from` on and before `to`, microseconds
/// since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From then on.
    pub from: i64,
    /// Before then.
    pub to: i64,
}

impl Window {
    /// All time.
    pub const ALL: Self = Self { from: i64::MIN, to: i64::MAX };
}

/// A reading is not where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a reading at {at} µs follows one at {last} µs: give a meter's readings in the order of time"
)]
pub struct OutOfOrder {
    /// When it was measured.
    pub at: i64,
    /// When the one before was.
    pub last: i64,
}

/// A value, and which reading it is of: the least was received first.
type Ranked<T> = ((i64, u128), T);

/// What an instant's readings say of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    kept: Ranked<(Register, i64, bool)>,
    conflict: bool,
}

/// The readings of one instant, of which the first received counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Instant {
    at: i64,
    import: Option<Shown>,
    export: Option<Shown>,
    power: Option<Ranked<i64>>,
    power_out_of_range: bool,
    another_meter: bool,
}

impl Instant {
    fn new(at: i64) -> Self {
        let (power_out_of_range, another_meter) = (false, false);
        Self { at, import: None, export: None, power: None, power_out_of_range, another_meter }
    }

    fn add(&mut self, reading: &Reading) {
        let show = |shown: &mut Option<Shown>, register: Option<Register>| {
            // One whose instant is known no better than to minutes bounds nothing.
            let is_usable = (0..=Rules::UNCERTAIN).contains(&reading.uncertainty);
            let Some(register) = register.filter(|_| is_usable) else { return };
            let new = (reading.rank, (register, reading.uncertainty, reading.clock_corrected));
            let kept = shown.get_or_insert(Shown { kept: new, conflict: false });
            kept.conflict |= kept.kept.1.0.value() != register.value();
            kept.kept = kept.kept.min(new);
        };
        show(&mut self.import, reading.import);
        show(&mut self.export, reading.export);
        if let Some(power) = reading.power {
            let new = (reading.rank, power);
            self.power = Some(self.power.map_or(new, |old| old.min(new)));
        }
        self.power_out_of_range |= reading.power_out_of_range;
        self.another_meter |= reading.another_meter;
    }

    fn incoming(&self, shown: Option<Shown>) -> Option<Incoming> {
        let Shown { kept: (_, (register, uncertainty, corrected)), conflict } = shown?;
        let point = Point {
            at: self.at,
            value: register.value().0,
            resolution: register.resolution().0,
            uncertainty,
            corrected,
        };
        Some(Incoming { point, conflict, another_meter: self.another_meter })
    }
}

/// A meter's readings as far as they have come in: give each to [`push`](Self::push), and take the
/// quarter hours that are complete with it.
///
/// It holds what the rows to come need, whatever has gone by: some readings, and of a meter that is
/// locked and counts nothing those of a month. It can be written down (serde) between two readings
/// and read in again: a series in parts is the series at once.
///
/// A copy of it that is [finished](Self::finish) says what is known so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterSeries {
    rules: Rules,
    window: Window,
    /// The last instant, of which more readings may come.
    open: Option<Instant>,
    /// The instant before that.
    closed: Option<i64>,
    import: RegisterSeries,
    export: RegisterSeries,
    slots: Slots,
    /// The next row's start, and the registers there if they are known.
    next: Option<i64>,
    start: Option<(Known, Known)>,
}

impl MeterSeries {
    /// Before the first reading.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            window: Window::ALL,
            open: None,
            closed: None,
            import: RegisterSeries::default(),
            export: RegisterSeries::default(),
            slots: Slots::default(),
            next: None,
            start: None,
        }
    }

    /// Leaves out the quarter hours outside of a window. Readings outside of it still count. What has
    /// left already does not come again.
    #[must_use]
    pub const fn within(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// When the last reading was that has come in.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.open.map(|open| open.at).or(self.closed)
    }

    /// Takes in the next reading, and gives `row` the quarter hours that are complete now, in the
    /// order of time. Readings of one instant may come in any order.
    ///
    /// # Errors
    /// [`OutOfOrder`] where a later one came before; it is left out.
    pub fn push(
        &mut self,
        reading: &Reading,
        row: &mut impl FnMut(Quarter),
    ) -> Result<(), OutOfOrder> {
        if let Some(open) = self.open.as_mut().filter(|open| open.at >= reading.at) {
            if open.at > reading.at {
                return Err(OutOfOrder { at: reading.at, last: open.at });
            }
            open.add(reading);
            return Ok(());
        }
        let mut instant = Instant::new(reading.at);
        instant.add(reading);
        if let Some(before) = self.open.replace(instant) {
            self.close(before);
            self.leave(false, row);
        }
        Ok(())
    }

    /// Gives `row` the quarter hours that are left, up to that of the last reading: no readings come
    /// any more.
    pub fn finish(mut self, row: &mut impl FnMut(Quarter)) {
        if let Some(before) = self.open.take() {
            self.close(before);
        }
        self.import.finish();
        self.export.finish();
        self.leave(true, row);
    }

    /// All readings of an instant have come in.
    fn close(&mut self, instant: Instant) {
        self.closed = Some(instant.at);
        self.next.get_or_insert(slot_of(instant.at));
        let facts = self.slots.facts_at(instant.at);
        facts.flags = facts.flags.with(Flag::PowerOutOfRange, instant.power_out_of_range);
        facts.power = facts.power.or(instant.power.map(|(_, power)| power));
        let (import, export) = (instant.incoming(instant.import), instant.incoming(instant.export));
        self.import.push(self.rules, instant.at, import);
        self.export.push(self.rules, instant.at, export);
    }

    fn leave(&mut self, finished: bool, row: &mut impl FnMut(Quarter)) {
        let (Some(mut slot), Some(closed)) = (self.next, self.closed) else { return };
        if slot < self.window.from {
            slot = slot_of(self.window.from.saturating_sub(1)).saturating_add(QUARTER);
            self.start = None;
        }
        while slot < self.window.to {
            let end = slot.saturating_add(QUARTER);
            let is_past = if finished { slot <= closed } else { end <= closed };
            if !is_past {
                break;
            }
            let Some(start) = self.start.or_else(|| self.known(slot)) else { break };
            self.start = Some(start);
            let Some(at_end) = self.known(end) else { break };
            row(self.quarter(slot, start, at_end));
            self.start = Some(at_end);
            slot = end;
        }
        self.next = Some(slot);
    }

    fn known(&mut self, at: i64) -> Option<(Known, Known)> {
        Some((self.import.at(self.rules, at)?, self.export.at(self.rules, at)?))
    }

    fn quarter(&mut self, slot: i64, start: (Known, Known), end: (Known, Known)) -> Quarter {
        let facts = self.slots.take(slot);
        let of_import = self.import.slot(slot);
        let of_export = self.export.slot(slot);
        let import = RegisterQuarter::new(slot, (start.0, end.0), of_import, self.import.begun);
        let export = RegisterQuarter::new(slot, (start.1, end.1), of_export, self.export.begun);
        let begun = [self.import.begun, self.export.begun].into_iter().flatten().min();
        let is_bare = begun.is_none_or(|begun| begun >= slot.saturating_add(QUARTER));
        let flags = facts.flags.with(Flag::NoReading, is_bare) | import.flags | export.flags;
        Quarter { slot, import, export, flags, power: facts.power }
    }
}
