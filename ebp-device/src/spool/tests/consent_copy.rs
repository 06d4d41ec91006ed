//! The granted consent beside the database: it helps where the database has lost it, and nowhere else.

use super::*;

const GRANTED: &str = "2026-01-31T12:00:00Z";

fn granted() -> (tempfile::TempDir, Spool) {
    let (dir, spool) = spool();
    spool.remember_consent(ConsentState::Granted, at(GRANTED)).unwrap();
    (dir, spool)
}

/// The database is gone with all that belongs to it.
fn lose_database(dir: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(open::beside(&dir.join(FILE_NAME), suffix));
    }
}

fn state(dir: &Path) -> Option<ConsentState> {
    Spool::open(dir).unwrap().consent().unwrap().map(|known| known.state)
}

#[test]
fn a_granted_consent_survives_the_loss_of_the_database() {
    let (dir, spool) = granted();
    drop(spool);
    lose_database(dir.path());
    let spool = Spool::open(dir.path()).unwrap();
    let known = KnownConsent { state: ConsentState::Granted, as_of: at(GRANTED) };
    assert_eq!(spool.consent().unwrap(), Some(known));
    // It is in the database again, and the copy stays for the next time.
    drop(spool);
    assert_eq!(state(dir.path()), Some(ConsentState::Granted));
    lose_database(dir.path());
    assert_eq!(state(dir.path()), Some(ConsentState::Granted));
}

#[test]
fn a_copy_that_was_lost_comes_back_with_the_next_answer() {
    let (dir, spool) = granted();
    fs::remove_file(dir.path().join("consent")).unwrap();
    spool.remember_consent(ConsentState::Granted, at("2026-01-31T12:15:00Z")).unwrap();
    drop(spool);
    lose_database(dir.path());
    assert_eq!(state(dir.path()), Some(ConsentState::Granted));
}

#[test]
fn consent_that_is_no_longer_granted_has_no_copy() {
    let (dir, spool) = granted();
    spool.remember_consent(ConsentState::NotGranted, at("2026-01-31T13:00:00Z")).unwrap();
    drop(spool);
    lose_database(dir.path());
    assert_eq!(state(dir.path()), None, "the server has to be asked");
}

#[test]
fn a_copy_that_cannot_be_understood_says_nothing() {
    for text in ["", "granted", "granted noon", "revoked 2026-01-31T12:00:00Z", "\0\0\0"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("consent"), text).unwrap();
        assert_eq!(state(dir.path()), None, "{text:?}");
    }
}

#[test]
fn a_revocation_wins_over_the_copy_wherever_it_stands() {
    let copy = format!("granted {GRANTED}\n");
    // In the file beside the database only.
    let (dir, spool) = granted();
    spool.purge(at("2026-01-31T14:00:00Z")).unwrap();
    assert!(!dir.path().join("consent").exists());
    drop(spool);
    lose_database(dir.path());
    fs::write(dir.path().join("consent"), &copy).unwrap();
    assert_eq!(state(dir.path()), Some(ConsentState::Revoked));
    // In a database only, each page of whose file is lost in turn but those that lead to the consent.
    let (dir, spool) = granted();
    spool.purge(at("2026-01-31T14:00:00Z")).unwrap();
    let pages = "SELECT pageno FROM dbstat WHERE name IN ('consent', 'sqlite_schema')";
    let kept: Vec<i64> = spool.rows(pages, [], |row| row.get(0)).unwrap();
    spool.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(spool);
    let whole = fs::read(dir.path().join(FILE_NAME)).unwrap();
    let size = open::PAGE_BYTES as usize;
    for page in (0..whole.len() / size).filter(|page| !kept.contains(&(*page as i64 + 1))) {
        let mut bytes = whole.clone();
        bytes[page * size..][..size].fill(0);
        lose_database(dir.path());
        let _ = fs::remove_file(dir.path().join("revoked"));
        fs::write(dir.path().join(FILE_NAME), bytes).unwrap();
        fs::write(dir.path().join("consent"), &copy).unwrap();
        assert_eq!(state(dir.path()), Some(ConsentState::Revoked), "page {}", page + 1);
    }
}
