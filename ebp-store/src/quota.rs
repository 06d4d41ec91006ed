//! The quota of a meter: how many measurements are stored beside those of the survey's slots.
//!
//! A meter has one measurement in each slot of the survey's cycle, from its household's consent on.
//! A *regular* measurement takes such a slot. Regular measurements are limited already, since there
//! is one for each slot, and are not counted: a device's reports need no additional queries. Any
//! other measurement (with an identifier that its source chose, or in a slot of another cycle) is
//! *irregular*. These are counted for each meter, and stored only while all measurements of the
//! meter are no more than its slots and a part of them ([`Quota::percent`]). So one device cannot
//! fill a database, and no device that keeps to the cycle is ever refused, neither after weeks
//! without a network nor with a clock that is ahead or behind by what admission allows.

use ebp_core::cycle::Cycle;
use jiff::Timestamp;

use super::Place;

/// Where measurements come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// A measurement device, by its certificate.
    #[default]
    Device,
    /// Another source, by a bearer token.
    Token,
}

impl Source {
    /// Its code in the databases.
    pub(super) const fn code(self) -> i16 {
        match self {
            Self::Device => 0,
            Self::Token => 1,
        }
    }
}

/// How many measurements of a meter are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The survey's measurement cycle.
    pub devices: Cycle,
    /// The cycle by which bearer tokens' measurements are counted, apart from the devices'.
    pub tokens: Cycle,
    /// The most measurements, in percent of the slots since consent: 110 is a tenth more.
    pub percent: u32,
}

impl Quota {
    /// The default of [`percent`](Self::percent).
    pub const PERCENT: u32 = 110;

    /// The quota with the default percentage and the same cycle for devices and tokens.
    #[must_use]
    pub const fn for_cycle(cycle: Cycle) -> Self {
        Self { devices: cycle, tokens: cycle, percent: Self::PERCENT }
    }

    /// Whether a measurement at `place` is regular: in a slot of the survey's cycle since consent.
    pub(super) fn is_regular(&self, place: &Place, granted_at: Timestamp) -> bool {
        let length = microseconds(self.devices);
        place.uuid.is_none()
            && place.slot.rem_euclid(length) == 0
            && place.slot >= self.devices.slot(granted_at).start().as_microsecond()
    }

    /// How many measurements of a meter a source may store until `now`.
    pub(super) fn allowance(
        &self,
        source: Source,
        granted_at: Timestamp,
        now: Timestamp,
    ) -> Allowance {
        let cycle = match source {
            Source::Device => self.devices,
            Source::Token => self.tokens,
        };
        let length = cycle.slot(now).seconds();
        let length = length.end - length.start;
        let passed = cycle.slot(now).key() - cycle.slot(granted_at).key();
        // The slot in which consent was granted counts, too.
        let slots = u64::try_from(passed / length).unwrap_or(0) + 1;
        let most = slots.saturating_mul(self.percent.into()).div_ceil(100);
        let most = most.max(slots).max(LEAST);
        Allowance { source, slots, most }
    }
}

/// The least that a quota allows: as many measurements as a report has of a meter.
const LEAST: u64 = 4;

fn microseconds(cycle: Cycle) -> i64 {
    i64::try_from(cycle.duration().as_micros()).unwrap_or(i64::MAX)
}

/// How many measurements of a meter a source may store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// The kind of the source.
    pub source: Source,
    /// The number of slots since consent.
    slots: u64,
    /// The greatest number of measurements.
    most: u64,
}

impl Allowance {
    /// How many irregular measurements may be stored, however many slots are taken. For a device
    /// this is the part beyond the slots; a token's measurements are counted apart from slots.
    pub const fn at_once(&self) -> u64 {
        match self.source {
            Source::Device => self.most - self.slots,
            Source::Token => self.most,
        }
    }

    /// How many irregular measurements may be stored beside `regular` regular ones.
    pub const fn beside(&self, regular: u64) -> u64 {
        match self.source {
            Source::Device => self.most.saturating_sub(regular),
            Source::Token => self.most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const QUOTA: Quota = Quota { tokens: Cycle::HOUR, ..Quota::for_cycle(Cycle::QUARTER_HOUR) };

    #[test]
    fn slots_since_consent_and_a_tenth() {
        let granted = at("2026-01-01T00:07:00Z");
        let of = |source, now| {
            let allowance = QUOTA.allowance(source, granted, at(now));
            (allowance.slots, allowance.most)
        };
        assert_eq!(of(Source::Device, "2026-01-01T00:07:01Z"), (1, 4));
        assert_eq!(of(Source::Device, "2026-01-01T00:59:00Z"), (4, 5));
        assert_eq!(of(Source::Device, "2026-01-11T00:00:00Z"), (961, 1058));
        assert_eq!(of(Source::Token, "2026-01-11T00:00:00Z"), (241, 266));
        // Before the consent, as after a clock was set back, the slot of the consent counts.
        assert_eq!(of(Source::Device, "2025-12-31T00:00:00Z"), (1, 4));
        let device = QUOTA.allowance(Source::Device, granted, at("2026-01-11T00:00:00Z"));
        assert_eq!((device.at_once(), device.beside(0), device.beside(961)), (97, 1058, 97));
        let token = QUOTA.allowance(Source::Token, granted, at("2026-01-11T00:00:00Z"));
        assert_eq!((token.at_once(), token.beside(961)), (266, 266));
    }

    #[test]
    fn regular_is_a_slot_of_the_cycle_since_consent() {
        let granted = at("2026-01-01T00:07:00Z");
        let is = |slot: &str, uuid| {
            let place = Place { meter: 1, slot: at(slot).as_microsecond(), uuid };
            QUOTA.is_regular(&place, granted)
        };
        assert!(is("2026-01-01T00:00:00Z", None) && is("2026-01-05T13:45:00Z", None));
        assert!(!is("2026-01-05T13:45:01Z", None) && !is("2025-12-31T23:45:00Z", None));
        assert!(!is("2026-01-05T13:45:00Z", Some(uuid::Uuid::nil())));
    }
}
