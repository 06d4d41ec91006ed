//! `ebp self-test`: whether this program can work with a device's configuration, before services run it.

use std::{env, fs, path::PathBuf};

use ebp_core::private_file;
use ebp_device::self_test::{SelfTest, SpoolTest, self_test};

use crate::{
    exit::{CommandResult, Context, chain, device},
    output::phrase::counted,
    tell::tell,
};

/// Test whether this program works with a device's configuration, spool and server.
///
/// Reads the configuration, opens a copy of the spool and makes a secure connection to the server.
/// Nothing is changed and no meter is read. A server that cannot be reached is said, and is no failure:
/// `ebp update` runs this test before services run another version.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the test.
pub fn run(arguments: &Arguments) -> CommandResult {
    let scratch = env::temp_dir().join(format!("ebp-self-test-{}", std::process::id()));
    private_file::create_folder(&scratch)
        .or_failed(format!("cannot make {}", scratch.display()))?;
    let tested = self_test(&arguments.config, &scratch);
    // A copy of measurements does not stay there.
    let removed = fs::remove_dir_all(&scratch);
    let SelfTest { spool, unreachable } = tested.map_err(device::device)?;
    removed.or_failed(format!("cannot remove {}", scratch.display()))?;
    tell!("ebp: {} is understood", arguments.config.display());
    match spool {
        SpoolTest::Missing => tell!("ebp: there is no spool yet"),
        SpoolTest::Opened { pending } => {
            tell!(
                "ebp: a copy of the spool was opened: {} to send",
                counted(pending, "measurement")
            );
        }
        SpoolTest::TooLarge { bytes } => {
            tell!("ebp: the spool has {bytes} bytes, and was not copied");
        }
    }
    match unreachable {
        None => tell!("ebp: the server answers"),
        Some(error) => tell!("ebp: {}; that is no fault of this program", chain(&error)),
    }
    Ok(())
}
