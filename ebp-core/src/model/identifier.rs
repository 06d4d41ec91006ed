//! Identifiers of measurements, which are computed from meter and slot.
//!
//! Enters: a meter and a slot, or an identifier. Leaves: the identifier, or the slot that it
//! contains. Absent: identifiers of another kind, which sources other than devices choose.

use jiff::Timestamp;
use uuid::{Builder, Uuid};

use crate::cycle::Slot;

/// The namespace of the hash in measurement identifiers (UUID version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0b_5d8e_6c5a_4b5f_9d0e_1f6a_1c1c_0e8b);

/// The version of identifiers that are computed from meter and slot (RFC 9562 section 5.8).
const VERSION: usize = 8;

/// The identifiers of one meter's measurements, one for each slot.
///
/// A UUID of version 8 (RFC 9562 section 5.8) with a time and a place, as version 1 has them: the
/// slot's start in milliseconds since 1970, then 74 bits of a hash of the meter. Recent identifiers
/// are therefore adjacent in an index. A server that knows the meter computes the slot from the
/// identifier, and need not store it: meter and slot are the measurement's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementIds {
    meter: Uuid,
    /// The identifier of the slot that begins at the Unix epoch.
    first: Uuid,
}

impl MeasurementIds {
    /// The identifiers of this meter's measurements.
    #[must_use]
    pub fn for_meter(meter: Uuid) -> Self {
        let mut bytes = Uuid::new_v5(&NAMESPACE, meter.as_bytes()).into_bytes();
        bytes[..6].fill(0);
        Self { meter, first: Builder::from_custom_bytes(bytes).into_uuid() }
    }

    /// The meter.
    #[must_use]
    pub const fn meter(&self) -> Uuid {
        self.meter
    }

    /// The identifier of the measurement in a slot. Those of slots before 1970, which only a clock
    /// without a battery shows, count down from the largest 48-bit number, beyond any timestamp:
    /// they are distinct, and no slot can be computed from them.
    #[must_use]
    pub fn id(&self, slot: Slot) -> Uuid {
        self.at(slot.start())
    }

    /// The identifier of the measurement in the slot that begins in this second.
    #[must_use]
    pub fn at(&self, start: Timestamp) -> Uuid {
        // 48 bits suffice until the year 10889.
        let milliseconds = start.as_second().wrapping_mul(1000);
        let mut bytes = self.first.into_bytes();
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        Uuid::from_bytes(bytes)
    }

    /// The start of the slot that the identifier contains, if it is an identifier of this meter.
    #[must_use]
    pub fn slot(&self, id: Uuid) -> Option<Timestamp> {
        let mut milliseconds = [0; 8];
        milliseconds[2..].copy_from_slice(&id.as_bytes()[..6]);
        let milliseconds = i64::try_from(u64::from_be_bytes(milliseconds)).ok()?;
        Timestamp::from_second(milliseconds / 1000).ok().filter(|start| self.at(*start) == id)
    }
}

/// Whether the identifier has the version of those computed from meter and slot; any other may be
/// freely chosen.
#[must_use]
pub fn says_a_slot(id: Uuid) -> bool {
    id.get_version_num() == VERSION
}

/// The identifier of a meter's measurement in a slot.
///
/// It is computed from the two, so that a slot that is measured again after the loss of a spool is
/// the same measurement to the server, never a second one. For many measurements of one meter use
/// [`MeasurementIds`].
#[must_use]
pub fn measurement_id(meter: Uuid, slot: Slot) -> Uuid {
    MeasurementIds::for_meter(meter).id(slot)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cycle::Cycle;

    const CYCLE: Cycle = Cycle::QUARTER_HOUR;

    #[test]
    fn the_identifier_follows_from_meter_and_slot() {
        let slot = |s: &str| CYCLE.slot(s.parse().unwrap());
        let meter = Uuid::from_u128(1);
        let (early, late) = (slot("2026-01-31T12:00:01Z"), slot("2026-01-31T12:14:59Z"));
        assert_eq!(measurement_id(meter, early), measurement_id(meter, late));
        // This must never change: a spool may be lost before an update, and its slots measured
        // again after it.
        let id = measurement_id(meter, early);
        assert_eq!(id.to_string(), "019c13ec-9e00-8afc-8e47-8cfa89c6b15f");
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(MeasurementIds::for_meter(meter).slot(id), Some(early.start()));
    }

    #[test]
    fn before_1970_identifiers_are_distinct_and_say_nothing() {
        let ids = MeasurementIds::for_meter(Uuid::from_u128(1));
        let of = |s: &str| ids.id(CYCLE.slot(s.parse().unwrap()));
        let (one, other) = (of("1969-12-31T23:59:59Z"), of("1969-12-31T23:44:59Z"));
        assert_ne!(one, other);
        for id in [one, other, of("1684-10-19T00:00:00Z")] {
            assert!(says_a_slot(id) && ids.slot(id).is_none(), "{id}");
        }
        assert_ne!(one, of("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn only_whole_seconds_of_the_meter_are_slots() {
        let ids = MeasurementIds::for_meter(Uuid::from_u128(1));
        let id = ids.id(CYCLE.slot("2026-01-31T12:00:01Z".parse().unwrap()));
        assert!(says_a_slot(id) && !says_a_slot(Uuid::max()) && !says_a_slot(Uuid::nil()));
        assert_eq!(MeasurementIds::for_meter(Uuid::from_u128(2)).slot(id), None);
        for bit in 0..128 {
            let other = Uuid::from_u128(id.as_u128() ^ 1 << bit);
            // The bits of the time may be those of another whole second.
            let second = other.as_u128() >> 80;
            let slot = ids.slot(other);
            assert_eq!(slot.is_some(), bit >= 80 && second.is_multiple_of(1000), "{other}");
        }
    }

    proptest! {
        #[test]
        fn identifiers_are_distinct_and_in_the_order_of_their_slots(
            meters in (any::<u128>(), any::<u128>()),
            seconds in (0..250_000_000_000_i64, 0..250_000_000_000_i64),
        ) {
            let slot = |second| CYCLE.slot(Timestamp::from_second(second).unwrap());
            let (a, b) = (Uuid::from_u128(meters.0), Uuid::from_u128(meters.1));
            let (early, late) = (slot(seconds.0.min(seconds.1)), slot(seconds.0.max(seconds.1)));
            prop_assert_eq!(measurement_id(a, early) == measurement_id(b, early), a == b);
            prop_assert_eq!(measurement_id(a, early) == measurement_id(a, late), early == late);
            if early != late {
                prop_assert!(measurement_id(a, early) < measurement_id(b, late));
            }
            for slot in [early, late] {
                prop_assert_eq!(MeasurementIds::for_meter(a).slot(measurement_id(a, slot)), Some(slot.start()));
            }
        }

        #[test]
        fn no_identifier_makes_it_panic(meter: u128, id: u128) {
            let _ = MeasurementIds::for_meter(Uuid::from_u128(meter)).slot(Uuid::from_u128(id));
        }
    }
}
