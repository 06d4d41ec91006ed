//! Remedies for the errors of a device's updates.

use ebp_update::{SupplyError, UpdateError};

use super::{Failure, chain};

/// The failure, with its remedy.
pub fn explain(error: UpdateError) -> Failure {
    let failure = Failure::failed(chain(&error));
    match error {
        UpdateError::NoRoom { .. } => failure
            .remedy("make room on the disk (`df -h`); the version that runs is not concerned"),
        UpdateError::Locked => {
            failure.remedy("wait for it: `ebp update status` shows what it does")
        }
        UpdateError::OtherFileSystem => {
            failure.remedy("mount nothing there: versions are switched by one rename")
        }
        UpdateError::Damaged(_) => failure
            .remedy("it is fetched anew in the next round; if that persists, check the source"),
        UpdateError::Supply(SupplyError::Unavailable { .. }) => {
            failure.remedy("check `source` under [update]; the next round goes on")
        }
        UpdateError::Supply(SupplyError::NotForArchitecture { .. }) => {
            failure.remedy("build it for this machine, too")
        }
        // That of the operating system.
        _ => failure,
    }
}
