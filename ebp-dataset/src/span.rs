//! Energy over gaps: from one boundary at which the register is known to the next, where some lie
//! between at which it is not.

use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, Interval, interval},
    quarter::RegisterQuarter,
    rules::QUARTER,
};

/// Energy over a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From when, microseconds since the Unix epoch.
    pub from: i64,
    /// To when.
    pub to: i64,
    /// Over so many quarter hours.
    pub quarters: i64,
    /// The energy, which is known, and its bounds.
    pub interval: Interval,
}

/// Finds the spans of a register in its quarter hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    last: Option<Boundary>,
}

impl Spans {
    /// Takes in the next quarter hour; gives the span that ends with it.
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
