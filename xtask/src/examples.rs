//! `cargo xtask examples`: each example that needs nothing runs to its end.

use std::process::Command;

use anyhow::Result;

use crate::{run::succeed, target, test};

/// The examples. `embedded_device` needs a device's configuration: it is built.
const EXAMPLES: [&str; 9] = [
    "evaluate_instants",
    "quarter_hours",
    "mask_a_location",
    "decode_telegrams",
    "spool_and_send",
    "own_driver",
    "register_household",
    "operate_survey",
    "serve_and_upload",
];

/// Builds all and runs them.
pub fn run() -> Result<()> {
    test::build_program()?;
    EXAMPLES.iter().try_for_each(|example| {
        succeed(&mut Command::new(target().join("debug/examples").join(example)))
    })
}
