//! A card that loses pages of the spool's file, each in turn: what is on the others comes back.

use std::collections::BTreeMap;

use super::*;

const PAGE: usize = open::PAGE_BYTES as usize;
const COUNT: i64 = 31;

/// A spool with consent and measurements, all of it in the file, and what each of its pages holds.
fn filled() -> (tempfile::TempDir, Vec<u8>, BTreeMap<usize, (String, String)>) {
    let (dir, spool) = spool();
    let start = slot("2026-01-31T12:00:00Z").start();
    spool.remember_consent(ConsentState::Granted, start).unwrap();
    for number in 0..COUNT {
        let slot = Cycle::QUARTER_HOUR.slot(start + jiff::SignedDuration::from_secs(900 * number));
        spool.store(&measurement(slot), slot).unwrap();
    }
    spool.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut statement =
        spool.connection.prepare("SELECT pageno, name, pagetype FROM dbstat").unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)? as usize, (row.get(1)?, row.get(2)?))));
    let pages = rows.unwrap().map(Result::unwrap).collect();
    let bytes = fs::read(&spool.path).unwrap();
    (dir, bytes, pages)
}

/// What is left of the spool when pages read as zeros.
fn without(dir: &Path, bytes: &[u8], lost: &[usize]) -> Spool {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        // What lies beside the database is not lost with it.
        if path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(FILE_NAME)) {
            fs::remove_file(path).unwrap();
        }
    }
    let mut bytes = bytes.to_vec();
    for page in lost {
        bytes.iter_mut().skip((page - 1) * PAGE).take(PAGE).for_each(|byte| *byte = 0);
    }
    fs::write(dir.join(FILE_NAME), bytes).unwrap();
    Spool::open(dir).unwrap()
}

/// The least that must come back of the measurements when these pages are lost.
fn least(pages: &BTreeMap<usize, (String, String)>, lost: &[usize]) -> u64 {
    let of = |page| pages.get(page).map(|(name, kind)| (name.as_str(), kind.as_str()));
    let leaves = lost.iter().filter(|page| of(page) == Some(("measurement", "leaf"))).count();
    let is_rootless = lost.iter().any(|page| of(page) == Some(("measurement", "internal")));
    // At most five rows of one value are on a page.
    if is_rootless { 0 } else { COUNT.unsigned_abs() - 5 * leaves as u64 }
}

fn is_as_it_was(spool: &Spool, least: u64, lost: &[usize]) {
    let consent = spool.consent().unwrap().map(|known| known.state);
    assert_eq!(consent, Some(ConsentState::Granted), "consent without {lost:?}");
    assert!(spool.len().unwrap() >= least, "{} of {least} without {lost:?}", spool.len().unwrap());
    let mut uuids = std::collections::BTreeSet::new();
    for measurement in spool.pending(100).unwrap() {
        assert!(uuids.insert(measurement.uuid), "one appears twice without {lost:?}");
        let slot = Cycle::QUARTER_HOUR.slot(measurement.measured_at);
        assert_eq!(measurement, super::measurement(slot));
        assert!(spool.has_slot(METER, slot).unwrap(), "a slot is measured again without {lost:?}");
    }
}

#[test]
fn consent_and_what_is_on_other_pages_survives_the_loss_of_any() {
    let (dir, bytes, pages) = filled();
    assert!(pages.values().filter(|(name, _)| name == "sqlite_schema").count() > 3);
    for page in 1..=bytes.len() / PAGE {
        let lost = [page];
        is_as_it_was(&without(dir.path(), &bytes, &lost), least(&pages, &lost), &lost);
    }
}

#[test]
fn consent_and_what_is_on_other_pages_survives_the_loss_of_any_two() {
    let (dir, bytes, pages) = filled();
    let count = bytes.len() / PAGE;
    for page in 1..count {
        // Of one block of the card, and far apart.
        for other in [page + 1, (page * 7) % count + 1] {
            let lost = [page, other];
            let spool = without(dir.path(), &bytes, &lost);
            is_as_it_was(&spool, least(&pages, &lost), &lost);
        }
    }
}
