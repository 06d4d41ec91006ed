//! The quarter hours of several meters, side by side.

use std::iter::Peekable;

use crate::{boundary::Interval, quarter::Quarter, rules::QUARTER};

/// The meters of a household, each in the order of time, slot by slot: from the first slot of any to
/// the last, a meter without a row as `None`.
#[derive(Debug)]
pub struct Joined<I: Iterator<Item = Quarter>> {
    meters: Vec<Peekable<I>>,
    next: Option<i64>,
}

impl<I: Iterator<Item = Quarter>> Joined<I> {
    /// Of these meters.
    pub fn new(meters: impl IntoIterator<Item = I>) -> Self {
        Self { meters: meters.into_iter().map(Iterator::peekable).collect(), next: None }
    }
}

/// A slot's start, and each meter's quarter hour.
impl<I: Iterator<Item = Quarter>> Iterator for Joined<I> {
    type Item = (i64, Vec<Option<Quarter>>);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.meters.iter_mut().filter_map(|meter| Some(meter.peek()?.slot)).min()?;
        let slot = self.next.unwrap_or(first);
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
