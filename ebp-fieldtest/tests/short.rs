//! Three days with every kind of fault; `cargo xtask fieldtest` lasts three weeks.

use ebp_fieldtest::{
    account::{Account, Fault},
    faults::Kinds,
    fieldtest, hold, tables,
    world::Options,
};

/// Holds it on so many threads; it has to pass. Returns what it printed.
fn passes(options: Options, threads: usize) -> anyhow::Result<String> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let mut told = Vec::new();
    let options = Options { threads: threads.try_into()?, ..options };
    let passed = fieldtest(options, folder.path(), &mut told)?;
    let told = String::from_utf8(told)?;
    assert!(passed, "{told}");
    assert!(told.contains("measurement target ┆         100.00"), "{told}");
    Ok(told)
}

#[test]
fn three_days_with_every_fault() -> anyhow::Result<()> {
    let told = passes(Options { days: 3, ..Options::new(1) }, 2)?;
    assert!(told.starts_with("10 meters on 9 devices in 8 households, 3 days"), "{told}");
    Ok(())
}

#[test]
fn three_days_with_every_fault_of_another_seed() -> anyhow::Result<()> {
    passes(Options { days: 3, ..Options::new(2) }, 2)?;
    Ok(())
}

#[test]
fn a_day_of_more_devices_is_the_same_on_any_number_of_threads() -> anyhow::Result<()> {
    let told = passes(Options { days: 1, devices: 12, ..Options::new(4) }, 1)?;
    assert!(told.starts_with("13 meters on 12 devices in 11 households, 1 day"), "{told}");
    assert_eq!(passes(Options { days: 1, devices: 12, ..Options::new(4) }, 3)?, told);
    Ok(())
}

#[test]
fn a_day_without_any_and_a_failure_is_said_first() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let options = Options { days: 1, faults: Kinds::none(), ..Options::new(3) };
    let start = options.start;
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
