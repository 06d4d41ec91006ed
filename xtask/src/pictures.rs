//! `cargo xtask pictures [FOLDER] [--book]`: all pages as a browser shows them.
//!
//! Enters: Chromium with its driver. Leaves: a picture (PNG) of each page and state at 320, 390 and 1280
//! CSS pixels, in German and light, in English and dark: `PAGE-LANGUAGE-THEME-WIDTH.png`; with `--book`
//! those of them that stand in README and book. Absent: what the pages are filled with, which the tests
//! of `ebp-web` make up.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    root,
    run::{cargo, succeed, works},
    target, tool,
};

/// The pictures in `docs/src/images`.
const IN_THE_BOOK: [&str; 24] = [
    "today-en-dark-1280",
    "sign-in-de-light-390",
    "today-de-light-390",
    "day-de-light-390",
    "month-de-light-390",
    "live-de-light-390",
    "devices-de-light-390",
    "registration-de-light-390",
    "remote-access-de-light-390",
    "consent-de-light-390",
    "data-de-light-390",
    "registration-households-de-light-1280",
    "registration-household-de-light-1280",
    "registration-edit-de-light-1280",
    "registration-import-de-light-1280",
    "registration-messages-de-light-1280",
    "registration-consents-de-light-1280",
    "registration-sheet-de-light-1280",
    "status-overview-de-light-1280",
    "status-device-de-light-1280",
    "status-alerts-de-light-1280",
    "status-rules-de-light-1280",
    "status-rollout-de-light-1280",
    "status-server-de-light-1280",
];

/// Bytes of each of those, at most.
const AT_MOST: u64 = 150_000;

/// What reduces them to few colours.
const PILLOW: &str = "pillow==13.0.0";

/// Runs the browser's tests, which keep what they see.
pub fn run(arguments: &[String]) -> Result<()> {
    for program in ["chromium", "chromedriver"] {
        if !works(Command::new(program).arg("--version")) {
            bail!("`{program}` is needed (Debian: chromium, chromium-driver)");
        }
    }
    let folder = arguments.iter().find(|argument| *argument != "--book");
    let folder = folder.map_or_else(|| target().join("pictures"), PathBuf::from);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // The tests run in another folder.
    let folder = env::current_dir()?.join(folder);
    let mut command = cargo();
    command.args(["test", "--package", "ebp-web", "--all-features"]);
    command.args(["--test", "device", "--test", "cloud"]);
    succeed(command.args(["--", "browser::"]).env("EBP_PICTURES", &folder))?;
    let taken = fs::read_dir(&folder)?.count();
    println!("{taken} pictures are in {}", folder.display());
    if arguments.iter().any(|argument| argument == "--book") {
        put_into_the_book(&folder)?;
    }
    Ok(())
}

fn put_into_the_book(folder: &Path) -> Result<()> {
    let Some(python) = tool::python_with("pictures", &[PILLOW])? else {
        bail!("pictures are reduced by {PILLOW}, which needs Python 3 with venv, and PyPI");
    };
    let book = root().join("docs/src/images");
    fs::create_dir_all(&book)?;
    let mut reduce = Command::new(python);
    reduce.arg(root().join("xtask/pictures/reduce.py")).args([folder, &book]);
    succeed(reduce.args(IN_THE_BOOK))?;
    let mut all = 0;
    for name in IN_THE_BOOK {
        let picture = book.join(format!("{name}.png"));
        let bytes = picture.metadata().with_context(|| picture.display().to_string())?.len();
        if bytes > AT_MOST {
            bail!("{} has {bytes} bytes, more than {AT_MOST}", picture.display());
        }
        all += bytes;
    }
    println!("{} of them, {all} bytes, are in {}", IN_THE_BOOK.len(), book.display());
    Ok(())
}
