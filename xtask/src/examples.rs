//! `cargo xtask examples`: each example that needs nothing runs to its end.

use anyhow::Result;

use crate::run::{cargo, succeed};

/// Examples with their crates. `embedded_device` needs a device's configuration: it is built.
const EXAMPLES: [(&str, &str); 6] = [
    ("ebp-core", "evaluate_instants"),
    ("ebp-anon", "mask_a_location"),
    ("ebp-meter", "decode_telegrams"),
    ("ebp-device", "spool_and_send"),
    ("ebp-store", "register_household"),
    ("ebp-server", "serve_and_upload"),
];

/// Runs them.
pub fn run() -> Result<()> {
    for (package, example) in EXAMPLES {
        let mut command = cargo();
        command.args(["run", "--quiet", "--package", package, "--all-features"]);
        succeed(command.args(["--example", example]))?;
    }
    Ok(())
}
