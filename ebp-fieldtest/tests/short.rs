//! Three days with every kind of fault; `cargo xtask fieldtest` lasts three weeks.

use ebp_fieldtest::{
    account::{Account, Fault},
    faults::Kinds,
    fieldtest, hold, tables,
    world::Options,
};

fn passes(seed: u64, days: u32, faults: Kinds) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let start = "2026-03-02T00:00:00Z".parse()?;
    let mut told = Vec::new();
    let options = Options { seed, days, faults, start };
    let passed = fieldtest(options, folder.path(), &mut told)?;
    let told = String::from_utf8(told)?;
    assert!(passed, "{told}");
    assert!(told.contains("measurement target ┆         100.00"), "{told}");
    Ok(())
}

#[test]
fn three_days_with_every_fault() -> anyhow::Result<()> {
    passes(1, 3, Kinds::all())
}

#[test]
fn three_days_with_every_fault_of_another_seed() -> anyhow::Result<()> {
    passes(2, 3, Kinds::all())
}

#[test]
fn a_day_without_any_and_a_failure_is_said_first() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let start = "2026-03-02T00:00:00Z".parse()?;
    let options = Options { seed: 3, days: 1, faults: Kinds::none(), start };
    let (survey, mut account) = hold(options, folder.path())?;
    let told = |account: &Account| -> anyhow::Result<String> {
        let mut told = Vec::new();
        tables::print(&survey, account, &mut told)?;
        Ok(String::from_utf8(told)?)
    };
    let passed = told(&account)?;
    assert!(account.faults.is_empty() && passed.starts_with("10 meters"), "{passed}");
    account.faults.push(Fault { device: 4, at: start, what: "a slot is missing".to_owned() });
    let failed = told(&account)?;
    assert!(failed.starts_with("FAILED: 1 fault, seed 3"), "{failed}");
    assert!(failed.contains("FAULT at device 4") && failed.contains("FAILS"), "{failed}");
    Ok(())
}
