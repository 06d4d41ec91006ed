//! Energy over gaps: from one boundary at which the register's value is known to the next such
//! boundary, if at least one boundary between them has no known value.

use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, Interval, interval},
    quarter::RegisterQuarter,
    rules::QUARTER,
};

/// Energy over a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The gap's beginning, microseconds since the Unix epoch.
    pub from: i64,
    /// The gap's end, microseconds since the Unix epoch.
    pub to: i64,
    /// The number of quarter hours in the gap.
    pub quarters: i64,
    /// The energy over the whole gap, and its bounds.
    pub interval: Interval,
}

/// Finds the spans of a register in its quarter hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    last: Option<Boundary>,
}

impl Spans {
    /// Adds the next quarter hour; returns the span that ends with it, if one does.
    pub fn push(&mut self, quarter: &RegisterQuarter) -> Option<Span> {
        if let Some(start) = quarter.start.filter(Boundary::is_resolved) {
            self.last.get_or_insert(start);
        }
        let end = quarter.end.filter(Boundary::is_resolved)?;
        let start = self.last.replace(end)?;
        let quarters = (end.at - start.at) / QUARTER;
        (quarters > 1 && start.segment == end.segment).then(|| Span {
            from: start.at,
            to: end.at,
            quarters,
            interval: interval(Some(&start), Some(&end)),
        })
    }
}
