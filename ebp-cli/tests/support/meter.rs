//! Virtual meters, each a process of its own as a reader sees it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use super::{
    ebp,
    process::{Run, Running},
};

/// A running `ebp simulate`.
pub struct Meter {
    pub link: PathBuf,
    process: Running,
}

impl Meter {
    /// Starts one with these arguments beside `--link` and waits until it can be opened.
    pub fn start<A: AsRef<OsStr>>(link: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = ebp();
        command.arg("simulate").arg("--link").arg(link).args(arguments);
        let mut process = Running::start(command);
        process.wait_for("the meter is at");
        Self { link: link.to_owned(), process }
    }

    /// One of that model, with telegrams in quick succession.
    pub fn quick(folder: &Path, model: &str) -> Self {
        Self::start(&folder.join(model), ["--model", model, "--interval", "300ms"])
    }

    /// One that is there and says nothing for a day.
    pub fn silent(folder: &Path) -> Self {
        // A meter that waits to be asked, and is never.
        Self::start(&folder.join("silent"), ["--model", "MT174"])
    }

    /// Ends it as Ctrl-C does.
    pub fn end(self) -> Run {
        self.process.signal(Signal::INT);
        self.process.end()
    }

    /// Waits until it ends by itself.
    pub fn wait(self) -> Run {
        self.process.end()
    }

    /// Ends it without a chance to clean up.
    pub fn kill(self) {
        self.process.kill();
    }
}
