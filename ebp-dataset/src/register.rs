//! One register's readings in the order of time: segments, outliers, boundaries.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, boundary},
    flag::Flag,
    rules::Rules,
    segment::{Past, Point},
    slot::{SlotFacts, Slots},
};

/// Why a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Opening {
    /// There was none before, or none for so long that it had ended.
    Begin,
    /// The register ran backwards, jumped, or is another meter's.
    Reset,
}

/// A reading that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    point: Point,
    segment: u32,
    /// What its segment's readings before it say; nothing of the first.
    before: Option<Past>,
    opening: Opening,
}

/// A reading that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Incoming {
    pub point: Point,
    /// Whether another value of the same instant was dropped.
    pub conflict: bool,
    /// Whether the device sees another meter than the first one.
    pub another_meter: bool,
}

/// What is known of a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Known {
    /// The register there.
    At(Boundary),
    /// It lies before the first reading, behind the last one, or where there were none for too long.
    Outside,
    /// It lies between two segments.
    Reset,
}

impl Known {
    pub const fn boundary(&self) -> Option<&Boundary> {
        match self {
            Self::At(boundary) => Some(boundary),
            Self::Outside | Self::Reset => None,
        }
    }
}

/// A register of a meter, as far as its readings have come in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisterSeries {
    /// The last reading used before the next boundary, and those behind it.
    used: VecDeque<Used>,
    /// What the open segment's readings say; nothing before the first and where it has ended.
    past: Option<Past>,
    segments: u32,
    /// Whether the last reading that was used is of another meter than the first one.
    of_another: bool,
    /// One that does not fit and waits for the next.
    waiting: Option<Incoming>,
    /// The first reading of the meter since the last one that was used of this register.
    unused_since: Option<i64>,
    slots: Slots,
    /// When its first reading was.
    pub begun: Option<i64>,
    finished: bool,
}

impl RegisterSeries {
    /// Takes in a reading of the meter, which may lack this register.
    pub fn push(&mut self, rules: Rules, at: i64, incoming: Option<Incoming>) {
        let is_used = incoming.is_some_and(|incoming| self.take(rules, incoming));
        if is_used {
            self.unused_since = None;
            return;
        }
        let since = *self.unused_since.get_or_insert(at);
        if self.past.is_some() && at.saturating_sub(since) > Rules::LOOK_AHEAD {
            self.drop_waiting(Flag::Outlier);
            self.past = None;
        }
    }

    /// Whether it is used, at once.
    fn take(&mut self, rules: Rules, incoming: Incoming) -> bool {
        // Each of another meter's readings says so: a change is an exchange, or the end of one.
        let is_exchanged = incoming.another_meter != self.of_another;
        let Some(past) = self.past else {
            self.open(incoming, Opening::Begin);
            return true;
        };
        if is_exchanged {
            self.drop_waiting(Flag::Outlier);
            self.open(incoming, Opening::Reset);
            return true;
        }
        let waiting = self.waiting.take();
        if past.fits(rules, &incoming.point) {
            if let Some(waiting) = waiting {
                self.note(&waiting, Some(Flag::Outlier));
            }
            self.go_on(rules, past, incoming);
            return true;
        }
        match waiting {
            Some(waiting) if Past::begin(&waiting.point).fits(rules, &incoming.point) => {
                let past = self.open(waiting, Opening::Reset);
                self.go_on(rules, past, incoming);
                return true;
            }
            Some(waiting) => self.note(&waiting, Some(Flag::Outlier)),
            None => {}
        }
        self.waiting = Some(incoming);
        false
    }

    fn open(&mut self, incoming: Incoming, opening: Opening) -> Past {
        self.of_another = incoming.another_meter;
        self.segments = self.segments.saturating_add(1);
        self.begun.get_or_insert(incoming.point.at);
        self.note(&incoming, None);
        let (point, segment) = (incoming.point, self.segments);
        self.used.push_back(Used { point, segment, before: None, opening });
        *self.past.insert(Past::begin(&point))
    }

    fn go_on(&mut self, rules: Rules, past: Past, incoming: Incoming) {
        self.note(&incoming, None);
        let (point, segment) = (incoming.point, self.segments);
        let before = Some(past);
        self.used.push_back(Used { point, segment, before, opening: Opening::Begin });
        self.past = Some(past.and(rules, &point));
    }

    fn drop_waiting(&mut self, because: Flag) {
        if let Some(waiting) = self.waiting.take() {
            self.note(&waiting, Some(because));
        }
    }

    fn note(&mut self, incoming: &Incoming, unused: Option<Flag>) {
        let facts = self.slots.facts_at(incoming.point.at);
        facts.flags = facts.flags.with(Flag::Conflict, incoming.conflict);
        match unused {
            Some(flag) => facts.flags |= flag.into(),
            None => _ = facts.first.get_or_insert(incoming.point.at),
        }
    }

    /// No more readings come.
    pub fn finish(&mut self) {
        self.drop_waiting(Flag::Unconfirmed);
        self.finished = true;
    }

    /// What is known of the readings in a slot; earlier ones are forgotten.
    pub fn slot(&mut self, slot: i64) -> SlotFacts {
        self.slots.take(slot)
    }

    /// The register at a boundary which is not before one that was asked for, and not behind the
    /// last reading of the meter. Nothing where readings to come can still say more.
    pub fn at(&mut self, rules: Rules, at: i64) -> Option<Known> {
        while self.used.get(1).is_some_and(|second| second.point.at < at) {
            self.used.pop_front();
        }
        let Some(first) = self.used.front() else { return Some(Known::Outside) };
        let second = self.used.get(1);
        let (place, previous) = match second {
            // A segment that begins right there.
            _ if first.point.at == at => (0, first),
            Some(second) if second.segment != first.segment && second.point.at == at => (1, second),
            _ if first.point.at > at => return Some(first.outside()),
            Some(second) if second.segment != first.segment => return Some(second.outside()),
            Some(_) => (1, first),
            None if self.finished || self.past.is_none() => return Some(Known::Outside),
            None => return None,
        };
        let segment = previous.segment;
        let following = self.used.range(place..).take_while(|used| used.segment == segment);
        let is_last = segment == self.segments && self.past.is_some();
        let ended = self.finished || !is_last;
        boundary(
            rules,
            (at, segment),
            previous.before.as_ref(),
            &previous.point,
            following.map(|used| &used.point),
            ended,
        )
        .map(Known::At)
    }
}

impl Used {
    /// What a boundary before this one, a segment's first, is.
    const fn outside(&self) -> Known {
        match self.opening {
            Opening::Begin => Known::Outside,
            Opening::Reset => Known::Reset,
        }
    }
}
