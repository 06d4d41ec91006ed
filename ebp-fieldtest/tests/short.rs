//! Three days with every kind of fault; `cargo xtask fieldtest` lasts three weeks.

use ebp_fieldtest::{faults::Kinds, fieldtest, world::Options};

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
fn a_day_without_any() -> anyhow::Result<()> {
    passes(3, 1, Kinds::none())
}
