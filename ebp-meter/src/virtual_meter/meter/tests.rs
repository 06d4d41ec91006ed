//! A virtual meter without a port.

use proptest::prelude::*;

use super::*;
use crate::profile::Profiles;

fn options(kind: MeterType) -> MeterOptions {
    MeterOptions {
        kind,
        number: 12_345_678,
        household: HouseholdOptions { seed: 7, pv_peak_watts: 9_000, battery_watt_hours: 0 },
        locked: false,
        start: "2026-06-21T09:00:00Z".parse().unwrap(),
        energies: Energies::from_watt_hours(1_000_000, 2_000_000).unwrap(),
    }
}

fn meter(kind: MeterType) -> VirtualMeter {
    VirtualMeter::new(Profiles::embedded().get("MT175").unwrap(), options(kind)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn registers_are_the_sum_of_power_times_time(
        pieces in proptest::collection::vec(0_u64..2_000_000_000, 1..12),
    ) {
        let mut cut = meter(MeterType::Electricity);
        let mut whole = cut.clone();
        let mut last = cut.energies();
        for piece in &pieces {
            cut.advance(Duration::from_nanos(*piece));
            let now = cut.energies();
            prop_assert!(now.import_microjoules >= last.import_microjoules);
            prop_assert!(now.export_microjoules >= last.export_microjoules);
            last = now;
        }
        let total: u64 = pieces.iter().sum();
        whole.advance(Duration::from_nanos(total));
        prop_assert_eq!(cut.state(), whole.state());

        // The sum, taken another way: millisecond by millisecond.
        let mut clock = meter(MeterType::Electricity);
        let mut sum = clock.energies();
        for ms in 0..total / 1_000_000 {
            clock.state.time_ms = options(MeterType::Electricity).start.as_millisecond()
                + i64::try_from(ms).unwrap();
            let power = clock.power();
            if power < 0 {
                sum.export_microjoules += power.unsigned_abs();
            } else {
                sum.import_microjoules += power.unsigned_abs();
            }
        }
        prop_assert_eq!(sum, cut.energies());
    }
}

#[test]
fn a_generation_meter_only_feeds_in() {
    let mut generation = meter(MeterType::PvGeneration);
    let before = generation.energies();
    generation.advance(Duration::from_secs(3_600));
    let after = generation.energies();
    assert_eq!(after.import_microjoules, before.import_microjoules);
    assert!(after.export_microjoules > before.export_microjoules);
}

#[test]
fn a_restored_meter_goes_on() {
    let mut one = meter(MeterType::Electricity);
    one.advance(Duration::from_millis(123_456));
    one.telegram().unwrap();
    let text = serde_json::to_string(&one.state()).unwrap();
    let mut other = meter(MeterType::Electricity);
    other.restore(serde_json::from_str(&text).unwrap());
    one.advance(Duration::from_millis(10));
    other.advance(Duration::from_millis(10));
    assert_eq!(one.telegram().unwrap(), other.telegram().unwrap());
}

#[test]
fn what_cannot_be_is_refused() {
    let profiles = Profiles::embedded();
    let new = |model: &str, change: &dyn Fn(&mut MeterOptions)| {
        let mut options = options(MeterType::Electricity);
        change(&mut options);
        VirtualMeter::new(profiles.get(model).unwrap(), options).err()
    };
    assert!(matches!(
        new("MT175", &|options| options.number = 100_000_000),
        Some(VirtualMeterError::Number)
    ));
    let error = new("Q3D", &|options| options.locked = true).unwrap();
    assert_eq!(error.to_string(), "the model Q3D knows no lock");
    assert!(new("MT175", &|options| options.locked = true).is_none());
    assert_eq!(Energies::from_watt_hours(u64::MAX, 0), None);
}

#[test]
fn only_a_meter_that_waits_takes_requests() {
    let profiles = Profiles::embedded();
    let mut mt174 =
        VirtualMeter::new(profiles.get("MT174").unwrap(), options(MeterType::Electricity)).unwrap();
    for (piece, asked) in [
        (&b"/?!\r\n"[..], true),
        (b"", false),
        (b"\0\0/?", false),
        (b"12345678!\r\n", true),
        (b"/?!\n/!\r\n?!\r\n", false),
        (&[b'x'; 5_000], false),
    ] {
        mt174.light(Duration::ZERO, piece);
        assert_eq!(mt174.take_request(), asked, "{piece:?}");
    }
    let mut mt175 = meter(MeterType::Electricity);
    mt175.light(Duration::ZERO, b"/?!\r\n");
    assert!(!mt175.take_request());
}
