//! Whatever is stored in whatever order, with whatever cycle: a meter's slots never overlap.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::collections::BTreeMap;

use ebp_core::{
    cycle::Cycle,
    model::{Measurement, measurement_id},
};
use ebp_device::spool::{Spool, Stored};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

/// A folder in memory where there is one: what these cases wait for otherwise is the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_slot_is_free_or_taken_as_a_plain_list_of_them_says(
        steps in prop::collection::vec((0..2_u128, 0..3_usize, -7200..7200_i64, any::<bool>()), 1..80)
    ) {
        let dir = folder();
        let mut spool = Spool::open(dir.path()).unwrap();
        let mut taken: Vec<(Uuid, std::ops::Range<i64>)> = Vec::new();
        let mut waiting = BTreeMap::new();
        for (meter, cycle, second, restart) in steps {
            let meter = Uuid::from_u128(meter);
            let cycle: Cycle = ["1m", "15m", "6m"][cycle].parse().unwrap();
            let slot = cycle.slot(Timestamp::from_second(second).unwrap());
            let (start, end) = (slot.seconds().start, slot.seconds().end);
            let free =
                !taken.iter().any(|(m, time)| *m == meter && time.start < end && start < time.end);
            prop_assert_eq!(spool.has_slot(meter, slot).unwrap(), !free);
            let uuid = measurement_id(meter, slot);
            let measured_at = slot.start();
            let measurement = Measurement { uuid, meter, measured_at, data: Vec::new(), flags: Vec::new() };
            let stored = spool.store(&measurement, slot).unwrap();
            prop_assert_eq!(stored == Stored::Stored, free);
            if free {
                taken.push((meter, start..end));
                waiting.insert(uuid, measurement);
            }
            if restart {
                let gone: Vec<Uuid> = waiting.keys().copied().step_by(3).collect();
                spool.confirm(&gone).unwrap();
                gone.iter().for_each(|uuid| drop(waiting.remove(uuid)));
                spool = Spool::open(dir.path()).unwrap();
            }
            prop_assert_eq!(spool.len().unwrap(), waiting.len() as u64);
        }
        let left = spool.pending(usize::MAX).unwrap();
        prop_assert!(left.iter().all(|m| waiting.get(&m.uuid) == Some(m)));
    }
}
