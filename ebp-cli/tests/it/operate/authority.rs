//! `ebp ca` where the authority is not beside the database.

use crate::run;

/// An authority on a machine of its own has no database, and needs none.
#[test]
fn an_authority_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    run!("ca", "init", "--data", data).done();
    assert_eq!(run!("ca", "list", "--data", data, "--format", "json").done().stdout, "");
    run!("ca", "crl", "--data", data).done();
    run!("ca", "revoke", "00ff".repeat(8), "--data", data).refused(1, &["`ebp ca list` shows"]);
    assert!(!data.join("ebp.sqlite").exists(), "asking makes none");
}
