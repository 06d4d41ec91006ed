//! Stretches of time: when something could not be.
//!
//! Enters: stretches. Leaves: whether an instant lies in one, and what is left between them.
//! Absent: what they mean.

use std::time::Duration;

use jiff::Timestamp;

use crate::chance::until;

/// From an instant to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The first one after it.
    pub to: Timestamp,
}

/// Any number of stretches, in order and apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// Adds one, which may overlap others.
    pub fn add(&mut self, from: Timestamp, to: Timestamp) {
        if from >= to {
            return;
        }
        // Those that overlap or adjoin become one with it.
        let first = self.0.partition_point(|span| span.to < from);
        let behind = self.0.partition_point(|span| span.from <= to);
        let touched = &self.0[first..behind];
        let from = touched.first().map_or(from, |span| span.from.min(from));
        let to = touched.last().map_or(to, |span| span.to.max(to));
        self.0.splice(first..behind, [Span { from, to }]);
    }

    /// Adds all of the others.
    pub fn join(&mut self, others: &Self) {
        for span in &others.0 {
            self.add(span.from, span.to);
        }
    }

    /// The stretch that the instant lies in.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<Span> {
        let index = self.0.partition_point(|span| span.to <= at);
        self.0.get(index).copied().filter(|span| span.from <= at)
    }

    /// The first stretch that begins later.
    #[must_use]
    pub fn next(&self, at: Timestamp) -> Option<Span> {
        self.0.get(self.0.partition_point(|span| span.from <= at)).copied()
    }

    /// Whether any of that time lies in one.
    #[must_use]
    pub fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.0[self.0.partition_point(|span| span.to <= from)..]
            .first()
            .is_some_and(|span| from < to && span.from < to)
    }

    /// The longest stretch of that time which lies in none.
    #[must_use]
    pub fn longest_gap(&self, from: Timestamp, to: Timestamp) -> Duration {
        self.gaps(from, to).into_iter().map(|gap| until(gap.from, gap.to)).max().unwrap_or_default()
    }

    /// What lies between them in that time.
    #[must_use]
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Vec<Span> {
        let mut gaps = Vec::new();
        let mut begin = from;
        let near = self.0[self.0.partition_point(|span| span.to <= from)..].iter();
        for span in near.take_while(|span| span.from < to) {
            if begin < span.from {
                gaps.push(Span { from: begin, to: span.from });
            }
            begin = begin.max(span.to);
        }
        if begin < to {
            gaps.push(Span { from: begin, to });
        }
        gaps
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn stretches_merge_and_leave_gaps() {
        let mut spans = Spans::default();
        for (from, to) in [(50, 60), (10, 20), (15, 30), (30, 31), (5, 5)] {
            spans.add(at(from), at(to));
        }
        let all: Vec<_> = spans.iter().map(|s| (s.from.as_second(), s.to.as_second())).collect();
        assert_eq!(all, [(10, 31), (50, 60)]);
        assert!(spans.at(at(10)).is_some() && spans.at(at(31)).is_none());
        assert_eq!(spans.next(at(31)).map(|s| s.from), Some(at(50)));
        assert!(spans.touches(at(0), at(11)) && !spans.touches(at(31), at(50)));
        assert_eq!(spans.longest_gap(at(0), at(100)), Duration::from_secs(40));
        assert_eq!(spans.longest_gap(at(12), at(25)), Duration::ZERO);
        assert_eq!(spans.gaps(at(20), at(55)), [Span { from: at(31), to: at(50) }]);
    }
}
