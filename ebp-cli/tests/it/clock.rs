//! A clock that the kernel hides: no measurement is dated by it.

use std::{fs, thread};

use crate::support::{
    ebp, household::Household, meter::Meter, process::Running, run, server::Server, wait_for,
};

const MODEL: &str = "MT681";

#[test]
fn a_clock_that_the_kernel_hides_dates_no_measurement() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "1s");
    let _meter = Meter::quick(household.folder.path(), MODEL);
    household.account(&server).grant();
    let text = fs::read_to_string(&household.config).unwrap();
    fs::write(&household.config, text.replace("\"trusted\"", "\"kernel\"")).unwrap();
    // What this thread may not ask, no process that it starts may.
    thread::scope(|scope| {
        let sandboxed = scope.spawn(|| {
            ebp_testkit::sandbox::forbid_adjtimex();
            let mut command = ebp();
            command.args(["read", "--every", "--config"]).arg(&household.config);
            let mut reading = Running::start(command);
            reading.wait_for("the kernel does not say whether the clock is right");
            let unplaced = || household.spool().unplaced_len().unwrap();
            wait_for("a measurement without a time", || (unplaced() > 0).then_some(()));
            reading.kill();
            let config = household.config.as_os_str();
            let status = run(["device".as_ref(), "status".as_ref(), "--config".as_ref(), config]);
            assert!(status.done().stdout.contains("not known: the kernel does not say"));
        });
        sandboxed.join().unwrap();
    });
    assert!(household.spool().is_empty().unwrap(), "nothing has a time");
}
