//! A hundred updates of healthy devices: each slot is measured in its time, and little is written.

use std::time::Duration;

use super::world::{Behaviour, Readings, SLOT, World};
use crate::limits::Limits;

const DEVICES: u64 = 100;
/// A program's size, bytes: small beside a real one, so that the state's share is larger than there.
const SIZE: u32 = 256 << 10;
/// A service has a tenth of a slot to start in, and a reading a third to end in.
const LONGEST_START: u64 = 80;
const LONGEST_READING: u64 = 280;
/// The judge looks every five seconds.
const LOOK: Duration = Duration::from_secs(5);

/// Numbers that look like chance (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn between(&mut self, least: u64, most: u64) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_secs(least + (z ^ (z >> 31)) % (most - least + 1))
    }
}

/// A device whose service starts and reads as slowly as that, some time after its first slots.
fn device(numbers: &mut Numbers) -> World {
    let world = World::new();
    let world =
        World { limits: Limits { look: LOOK, chunk: 64 << 10, ..world.limits.clone() }, ..world };
    let (start, takes) = (numbers.between(1, LONGEST_START), numbers.between(2, LONGEST_READING));
    world.facts.borrow_mut().readings = Some(Readings::new(start, takes));
    world.pass(SLOT * 2 + numbers.between(0, SLOT.as_secs() - 1));
    world
}

#[test]
fn a_hundred_updates_of_healthy_devices_miss_no_slot() {
    let (mut slots, mut most_written) = (0, 0);
    for seed in 0..DEVICES {
        let mut numbers = Numbers(seed);
        let world = device(&mut numbers);
        let version = world.release_of("1.1.0", Behaviour::good("1.1.0"), SIZE);
        let before = world.disk.0.borrow().written;
        let begun = world.clock.truth();
        world.round().unwrap();
        assert_eq!(world.committed(), Some(version), "device {seed}: {:?}", world.state());
        let took = world.clock.truth().duration_since(begun).unsigned_abs();
        assert!(took <= SLOT * 3, "device {seed}: {took:?}");
        most_written = most_written.max(world.disk.0.borrow().written - before);
        world.pass(SLOT * 2);

        let facts = world.facts.borrow();
        let measured = &facts.readings.as_ref().unwrap().measured;
        let (first, last) =
            (measured.first_key_value().unwrap(), measured.last_key_value().unwrap());
        let length = usize::try_from(SLOT.as_secs()).unwrap();
        let all: Vec<_> = (*first.0..=*last.0).step_by(length).collect();
        assert!(measured.keys().eq(&all), "device {seed} missed a slot: {measured:?}");
        assert!(all.len() >= 5, "device {seed}: {measured:?}");
        let late = measured.values().find(|late| **late > SLOT / 3);
        assert_eq!(late, None, "device {seed}: a reading was cut off or came late: {measured:?}");
        slots += all.len();
    }
    println!("{DEVICES} updates over {slots} slots; {most_written} bytes written of {SIZE}");
    assert!(most_written <= 3 * u64::from(SIZE), "{most_written}");
}
