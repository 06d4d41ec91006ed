//! What a day of two meters writes to the card, as the kernel counts it.
//!
//! The figures of docs/src/device.md: `cargo test -p ebp-core --all-features --test spool_writes --
//! --nocapture`. They are of a folder on a disk; a folder in memory has none. The kernel counts whole
//! pages of 4096 bytes for the whole process, so that this is a test binary of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{fs, path::Path};

use ebp_core::{
    cycle::Cycle,
    model::{ConsentState, DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_device::spool::Spool;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Bytes that this process has caused to be written to disks; nothing where that is not counted.
fn written() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/io").ok()?;
    text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.trim().parse().ok())
}

fn measurement(meter: u128, at: Timestamp) -> Measurement {
    let meter = Uuid::from_u128(meter);
    let energy = rust_decimal::Decimal::new(at.as_second(), 4);
    let power = rust_decimal::Decimal::new(at.as_second() % 5000, 3);
    let data = [
        (ObisCode::POSITIVE_ENERGY, energy),
        (ObisCode::NEGATIVE_ENERGY, energy),
        (ObisCode::SUM_POWER, power),
    ];
    Measurement {
        uuid: measurement_id(meter, Cycle::QUARTER_HOUR.slot(at)),
        meter,
        measured_at: at,
        data: data.map(|(obis, value)| DataPoint { obis, value }).to_vec(),
        flags: Vec::new(),
    }
}

/// One day: two meters in each quarter of an hour, a report in each hour; `open` is called before
/// each of them by a device that works under timers.
fn day(dir: &Path, start: Timestamp, is_daemon: bool) {
    let mut spool = Spool::open(dir).unwrap();
    for minute in (0..24 * 60).step_by(15) {
        let at = start + SignedDuration::from_mins(minute);
        if !is_daemon {
            spool = Spool::open(dir).unwrap();
        }
        spool.remember_consent(ConsentState::Granted, at).unwrap();
        for meter in 0..2 {
            let measurement = measurement(meter, at + SignedDuration::from_millis(1_234));
            spool.note_telegrams(measurement.meter, 450, 3);
            spool
                .store_with(&measurement, Cycle::QUARTER_HOUR.slot(at), Some(minute as u32))
                .unwrap();
        }
        if minute % 60 == 45 {
            let sent: Vec<Uuid> = spool.pending(1000).unwrap().iter().map(|m| m.uuid).collect();
            spool.confirm(&sent).unwrap();
            spool
                .remember("report", &format!("{{\"reported_at\":\"{at}\",\"failures\":0}}"))
                .unwrap();
        }
    }
}

#[test]
fn a_day_of_two_meters_writes_less_than_two_megabytes() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut start: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
    for (name, is_daemon) in [("as a daemon", true), ("under timers", false)] {
        let begun = written();
        let days = 4;
        for _ in 0..days {
            day(dir.path(), start, is_daemon);
            start += SignedDuration::from_hours(24);
        }
        let (Some(begun), Some(ended)) = (begun, written()) else { return };
        let daily = (ended - begun) / days;
        eprintln!("{name}: {daily} bytes a day");
        assert!(daily < 2_000_000, "{name}: {daily} bytes a day");
    }
}

#[test]
fn a_measurement_takes_so_much_room() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let spool = Spool::open(dir.path()).unwrap();
    let start: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
    let count: i64 = 4000;
    for number in 0..count {
        let at = start + SignedDuration::from_mins(15 * number);
        spool.store(&measurement(1, at), Cycle::QUARTER_HOUR.slot(at)).unwrap();
    }
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    let bytes = fs::metadata(spool.path()).unwrap().len() / count.unsigned_abs();
    eprintln!("{bytes} bytes each");
    assert!(bytes < 250, "{bytes} bytes each");
}
