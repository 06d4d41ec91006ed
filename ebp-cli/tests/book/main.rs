//! README and book: whatever a reader may type from them works as it stands there.
//!
//! Each fenced `sh` or `console` block says in its info string whether it is run here: `run`,
//! `run: STAGE` where something has to be there first ([`stage::Stage`]), or `norun: REASON`.
//! `cargo xtask tidy` refuses a block that says neither. The blocks of a page run one after the
//! other in one folder, as a reader would type them.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod block;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use block::Kind;
use stage::Stage;
use support::process;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// README and the book's pages.
fn pages() -> Vec<PathBuf> {
    let book = fs::read_dir(root().join("docs/src")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> =
        book.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// Runs a page's blocks, and says what is wrong with them.
fn run_page(page: &Path, stage: &Stage) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display();
    let mut faults = Vec::new();
    for block in block::parse(&text).into_iter().filter(|block| block.runs.is_some()) {
        stage.prepare(block.runs.as_deref().unwrap_or_default());
        for (line, script, expected) in block.scripts() {
            let mut command = Command::new("bash");
            command.args(["-euo", "pipefail", "-c", &stage.at_home(&script)]);
            stage.surround(&mut command);
            let run = process::run(command, b"");
            if run.code != Some(0) {
                faults.push(format!("{name}:{line}: `{script}`: {run:#?}"));
                continue;
            }
            if block.kind == Kind::Console && !expected.is_empty() {
                let printed = stage.as_written(&(run.stdout + &run.stderr));
                if !block::alike(&expected, &printed) {
                    faults.push(format!("{name}:{line}: `{script}` prints\n{printed}"));
                }
            }
        }
    }
    faults
}

#[test]
fn what_the_book_has_readers_type_works() {
    let mut blocks = 0;
    let mut faults = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let runs = block::parse(&text).iter().filter(|block| block.runs.is_some()).count();
        if runs > 0 {
            faults.extend(run_page(&page, &Stage::new()));
            blocks += runs;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(blocks >= 10, "only {blocks} blocks say that they are run");
}
