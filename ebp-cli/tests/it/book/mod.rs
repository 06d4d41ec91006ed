//! README and book: whatever a reader may type from them works as it stands there.
//!
//! Each fenced `sh` or `console` block says in its info string whether it is run here: `run`,
//! `run: STAGE` where something has to be there first ([`stage::Stage`]), or `norun: REASON`.
//! `cargo xtask tidy` refuses a block that says neither. The blocks of a page run one after the
//! other in one folder, as a reader would type them. Those of the operating manual run in machines
//! (`cargo xtask long manual`); here it is looked whether they are understood.

mod block;
mod manual;
mod stage;
mod unit;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::process;
use block::Kind;
use ebp_needs::needs;
use stage::Stage;

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
    for page in pages().into_iter().filter(|page| !page.ends_with(DATA_API)) {
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

/// The chapter that needs curl.
const DATA_API: &str = "docs/src/data-api.md";

/// What the chapter on the Data API shows is what a server answers to each kind of user.
#[needs(curl)]
#[test]
fn the_data_api_answers_as_its_chapter_says() {
    let page = root().join(DATA_API);
    let blocks = block::parse(&fs::read_to_string(&page).unwrap());
    let commands: usize = blocks.iter().map(|block| block.scripts().len()).sum();
    assert!(commands >= 15, "only {commands} commands");
    let faults = run_page(&page, &Stage::new());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each page with its text.
fn texts() -> Vec<(String, String)> {
    let name = |page: &Path| page.strip_prefix(root()).unwrap().display().to_string();
    let pages = [pages(), manual::pages()].concat();
    pages.iter().map(|page| (name(page), fs::read_to_string(page).unwrap())).collect()
}

/// systemd takes the units as they stand there, but for the place of the program.
#[needs(systemd_analyze)]
#[test]
fn the_books_units_are_verified() {
    let mut verified = 0;
    for (page, text) in texts() {
        for group in unit::groups(&text) {
            let folder = tempfile::tempdir().unwrap();
            let mut command = Command::new("systemd-analyze");
            command.args(["verify", "--man=no"]);
            // Beside those that the machine has, such as timers.target.
            command.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()));
            for unit in &group {
                let text = unit.text.replace(unit::PROGRAM, env!("CARGO_BIN_EXE_ebp"));
                let file = folder.path().join(&unit.name);
                fs::write(&file, text).unwrap();
                command.arg(file);
                verified += 1;
            }
            let run = process::run(command, b"");
            let names: Vec<&str> = group.iter().map(|unit| unit.name.as_str()).collect();
            let about_them = |line: &&str| names.iter().any(|name| line.contains(name));
            let told: Vec<&str> = run.stderr.lines().filter(about_them).collect();
            assert!(run.code == Some(0) && told.is_empty(), "{page}: {names:?}: {run:#?}");
        }
    }
    assert!(verified >= 9, "only {verified} units");
}

/// What units and crontabs start is understood by the program, and a timer has its line of cron.
#[test]
fn the_books_units_and_crontabs_start_what_there_is() {
    let mut timers = 0;
    for (page, text) in texts() {
        let jobs: Vec<unit::Job> = unit::crontab(&text)
            .iter()
            .map(|line| unit::job(line).unwrap_or_else(|wrong| panic!("{page}: {line}: {wrong}")))
            .collect();
        let units: Vec<unit::Unit> = unit::groups(&text).concat();
        let starts = |unit: &unit::Unit| {
            let line = unit.text.lines().find_map(|line| line.strip_prefix("ExecStart="));
            line.unwrap_or_else(|| panic!("{page}: {} starts nothing", unit.name)).to_owned()
        };
        let services = units.iter().filter(|unit| unit.name.ends_with(".service"));
        let commands = services.map(starts).chain(jobs.iter().map(|job| job.command.clone()));
        for command in commands {
            // A shell's line begins or ends with another program.
            let own =
                command.split(unit::PROGRAM).nth(1).unwrap_or_else(|| panic!("{page}: {command}"));
            let words = own.split_whitespace().take_while(|word| *word != ">");
            let run = crate::support::run(words.chain(["--help"]));
            assert_eq!(run.code, Some(0), "{page}: {command}: {run:#?}");
        }
        for timer in units.iter().filter(|unit| unit.name.ends_with(".timer")) {
            assert!(timer.text.contains("\nAccuracySec=1s\n"), "{page}: {}", timer.name);
            let minutes: Vec<u32> =
                match timer.text.lines().find(|line| line.starts_with("OnCalendar=")) {
                    Some("OnCalendar=*:0/15") => vec![0, 15, 30, 45],
                    Some("OnCalendar=*:*") => (0..60).collect(),
                    other => panic!("{page}: {}: {other:?}", timer.name),
                };
            let service = timer.name.replace(".timer", ".service");
            let service = units.iter().find(|unit| unit.name == service);
            let service =
                service.unwrap_or_else(|| panic!("{page}: {} has no service", timer.name));
            let started = starts(service);
            let beside =
                jobs.iter().any(|job| job.minutes == minutes && started.contains(&*job.command));
            assert!(beside, "{page}: no line of cron does as {}: {jobs:?}", timer.name);
            timers += 1;
        }
    }
    assert!(timers >= 3, "only {timers} timers");
}

/// The book's table of contents has every page, and the version of Rust is the one that is needed.
#[test]
fn every_page_is_in_the_book() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let rust = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    let mut told = 0;
    for (page, text) in texts() {
        if let Some(name) = page.strip_prefix("docs/src/").filter(|name| *name != "SUMMARY.md") {
            assert!(summary.contains(&format!("]({name})")), "{name} is not in SUMMARY.md");
        }
        for said in text.split("[Rust](https://rustup.rs) ").skip(1) {
            let version = said.split(' ').next().unwrap();
            assert_eq!((version, said.contains(" or later")), (rust, true), "{page}");
            told += 1;
        }
    }
    assert!(summary.starts_with("# Summary\n\n[Introduction](introduction.md)\n"));
    assert!(told >= 3, "only {told} pages say which version of Rust is needed");
}
