//! `cargo xtask pictures [FOLDER]`: the participant's and the administrators' pages as a browser shows them.
//!
//! Enters: Chromium with its driver. Leaves: a picture (PNG) of each page and state at 320, 390 and 1280
//! CSS pixels, in German and light, in English and dark: `PAGE-LANGUAGE-THEME-WIDTH.png`. Absent: what
//! the pages are filled with, which the tests of `ebp-web` make up.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    run::{cargo, succeed, works},
    target,
};

/// Runs the browser's tests, which keep what they see.
pub fn run(arguments: &[String]) -> Result<()> {
    for program in ["chromium", "chromedriver"] {
        if !works(Command::new(program).arg("--version")) {
            bail!("`{program}` is needed (Debian: chromium, chromium-driver)");
        }
    }
    let folder = arguments.first().map_or_else(|| target().join("pictures"), PathBuf::from);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // The tests run in another folder.
    let folder = env::current_dir()?.join(folder);
    let mut command = cargo();
    command.args(["test", "--package", "ebp-web", "--all-features"]);
    command.args(["--test", "device", "--test", "cloud"]);
    succeed(command.args(["--", "browser::"]).env("EBP_PICTURES", &folder))?;
    let taken = fs::read_dir(&folder)?.count();
    println!("{taken} pictures are in {}", folder.display());
    Ok(())
}
