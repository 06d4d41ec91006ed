//! The quarter hours of several meters, side by side.

use std::iter::Peekable;

use crate::{
    boundary::Interval,
    quarter::Quarter,
    role::{Roles, Used},
    rules::QUARTER,
    slot::slot_of,
};

/// The meters of a household, each in the order of time, slot by slot: from the first slot of any
/// to the last, or [within](Self::within) a stretch; a meter without a row as `None`.
#[derive(Debug)]
pub struct Joined<I: Iterator<Item = Quarter>> {
    meters: Vec<Peekable<I>>,
    next: Option<i64>,
    end: Option<i64>,
}

impl<I: Iterator<Item = Quarter>> Joined<I> {
    /// Of these meters.
    pub fn new(meters: impl IntoIterator<Item = I>) -> Self {
        let meters = meters.into_iter().map(Iterator::peekable).collect();
        Self { meters, next: None, end: None }
    }

    /// Gives each slot of a stretch, whether a meter has a row there or not: between two meters of
    /// a household there may be months without any. No meter has a row before it.
    #[must_use]
    pub fn within(self, (from, to): (i64, i64)) -> Self {
        Self { next: Some(from), end: Some(to), ..self }
    }
}

/// A slot's start, and each meter's quarter hour.
impl<I: Iterator<Item = Quarter>> Iterator for Joined<I> {
    type Item = (i64, Vec<Option<Quarter>>);

    fn next(&mut self) -> Option<Self::Item> {
        let slot = match self.end {
            Some(end) => self.next.filter(|slot| *slot < end)?,
            None => {
                let slots = self.meters.iter_mut().filter_map(|meter| Some(meter.peek()?.slot));
                let first = slots.min()?;
                self.next.unwrap_or(first)
            }
        };
        self.next = Some(slot.saturating_add(QUARTER));
        let row = |meter: &mut Peekable<I>| meter.next_if(|quarter| quarter.slot <= slot);
        Some((slot, self.meters.iter_mut().map(row).collect()))
    }
}

/// The energies of a meter's quarter hour, as [`Balance::new`](crate::Balance::new) takes them.
#[must_use]
pub fn intervals(quarter: Option<&Quarter>) -> (Interval, Interval) {
    quarter.map_or((Interval::MISSING, Interval::MISSING), |quarter| {
        (quarter.import.interval(), quarter.export.interval())
    })
}

/// When each meter of a household has rows: from the quarter hour of its first reading to the end
/// of that of its last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretches(Vec<Option<(i64, i64)>>);

impl Stretches {
    /// Of meters that were first and last read then, microseconds since the Unix epoch, in the
    /// order that the roles were assigned in; nothing of one that was never read.
    pub fn new(read: impl IntoIterator<Item = Option<(i64, i64)>>) -> Self {
        let slots = |(first, last)| (slot_of(first), slot_of(last).saturating_add(QUARTER));
        Self(read.into_iter().map(|read| read.map(slots)).collect())
    }

    /// From the first row of any meter to the last: the household has a row for each slot of it.
    #[must_use]
    pub fn whole(&self) -> Option<(i64, i64)> {
        let meters = self.0.iter().copied().flatten();
        meters.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Whether in a slot between `from` and `to` that is one of the household's a meter that counts
    /// has no row.
    pub(crate) fn is_bare(&self, roles: &Roles, (from, to): (i64, i64)) -> bool {
        let Some(whole) = self.whole() else { return false };
        let (from, to) = (from.max(whole.0), to.min(whole.1));
        // Between the ends of rows and roles nothing changes.
        let used = roles.grid.iter().chain(&roles.generation).map(|used| used.stretch);
        let ends = self.0.iter().copied().flatten().chain(used).flat_map(|(a, b)| [a, b]);
        let near = ends.flat_map(|end| {
            let slot = slot_of(end);
            [slot.saturating_sub(QUARTER), slot, slot.saturating_add(QUARTER)]
        });
        let has = |slot: i64, meter: usize| {
            let rows = self.0.get(meter).copied().flatten();
            rows.is_some_and(|(from, to)| (from..to).contains(&slot))
        };
        std::iter::once(from)
            .chain(near)
            .filter(|slot| (from..to).contains(slot))
            .any(|slot| is_bare(roles, slot, self.0.len(), |meter| has(slot, meter)))
    }
}

/// Whether a meter that counts in a slot, of so many, has no row there, or no meter has one.
pub(crate) fn is_bare(
    roles: &Roles,
    slot: i64,
    meters: usize,
    has_row: impl Fn(usize) -> bool,
) -> bool {
    let ends = (slot, slot.saturating_add(QUARTER));
    let mut grid = roles.grid.iter().filter(|used| used.overlaps(ends)).peekable();
    let is_between = grid.peek().is_none() && !roles.grid.is_empty();
    let is_without = |used: &Used| !has_row(used.meter);
    is_between
        || grid.any(is_without)
        || roles.generation_at(ends).any(is_without)
        || !(0..meters).any(has_row)
}
