//! A process that stores and sends is killed at any instant; what it said it had stored is there.
//!
//! The test runs itself again as a child, which works through the slots from the first on, says on
//! its standard output what it did after it was done, and is killed by SIGKILL.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use ebp_core::{
    cycle::{Cycle, Slot},
    model::{DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_device::spool::{Spool, Stored};
use jiff::Timestamp;
use uuid::Uuid;

/// The child's folder.
const FOLDER: &str = "EBP_TEST_SPOOL";
/// How often the child is killed; more with this variable.
const ROUNDS: &str = "EBP_TEST_ROUNDS";

fn slot(number: i64) -> Slot {
    Cycle::QUARTER_HOUR.slot(Timestamp::from_second(900 * number).unwrap())
}

fn measurement(number: i64) -> Measurement {
    let meter = Uuid::from_u128(1);
    let value = rust_decimal::Decimal::new(number, 4);
    Measurement {
        uuid: measurement_id(meter, slot(number)),
        meter,
        measured_at: slot(number).start(),
        data: vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }],
        flags: Vec::new(),
    }
}

/// Does nothing when run as a test; as the child it never ends by itself.
#[test]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let spool = Spool::open(Path::new(&folder)).unwrap();
    let mut out = std::io::stdout();
    let mut say = |what: &str, number: u128| {
        writeln!(out, "\n{what} {number}").unwrap();
        out.flush().unwrap();
    };
    for number in 0.. {
        let measurement = measurement(number);
        if spool.store(&measurement, slot(number)).unwrap() == Stored::Stored {
            say("stored", measurement.uuid.as_u128());
        }
        if number % 5 == 4 {
            let batch: Vec<Uuid> = spool.pending(3).unwrap().iter().map(|m| m.uuid).collect();
            // The server has them; then the child learns so.
            batch.iter().for_each(|uuid| say("sent", uuid.as_u128()));
            spool.confirm(&batch).unwrap();
        }
    }
}

#[test]
fn what_was_stored_is_there_once_whenever_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let rounds = env::var(ROUNDS).map_or(25, |rounds| rounds.parse().unwrap());
    let (mut stored, mut sent) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..rounds {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let killer = std::thread::spawn(move || {
            // Opening, migrating and storing are all hit: the times spread over 0 to 100 ms.
            std::thread::sleep(Duration::from_micros(round * 7919 % 100_000));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for line in output.lines() {
            let Ok(line) = line else { break };
            match line.split_once(' ').map(|(what, uuid)| (what, uuid.parse::<u128>())) {
                Some(("stored", Ok(uuid))) => {
                    assert!(stored.insert(Uuid::from_u128(uuid)), "stored twice in round {round}");
                }
                Some(("sent", Ok(uuid))) => {
                    sent.insert(Uuid::from_u128(uuid));
                }
                _ => {}
            }
        }
        killer.join().unwrap();

        let spool = Spool::open(dir.path()).unwrap();
        let pending = spool.pending(usize::MAX).unwrap();
        let waiting: BTreeSet<Uuid> = pending.iter().map(|m| m.uuid).collect();
        assert_eq!(waiting.len(), pending.len(), "round {round}");
        let lost: Vec<_> =
            stored.iter().filter(|u| !waiting.contains(u) && !sent.contains(u)).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        // At most the last one of each round was stored without the child having come to say so.
        let unsaid = waiting.union(&sent).filter(|uuid| !stored.contains(uuid)).count();
        assert!(unsaid as u64 <= round + 1, "round {round}: {unsaid}");
    }
    assert!(stored.len() > 50, "only {} were stored in all rounds", stored.len());
}
