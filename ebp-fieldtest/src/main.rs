//! `cargo xtask fieldtest`: the command that runs the simulated field test.
//!
//! Enters: arguments. Leaves: tables on standard output, and an exit code. Absent: the field test,
//! which is the library.

use std::{
    fmt::Write as _,
    io,
    num::NonZeroUsize,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Parser;
use ebp_fieldtest::{
    faults::Kinds,
    fieldtest,
    many::Many,
    usage,
    world::{DEVICES, Options},
};
use jiff::Timestamp;

/// Ten meters in eight households or more of the same, weeks of simulated time, the faults of a
/// real field test.
#[derive(Parser)]
struct Arguments {
    /// Whose faults, households and rhythms; several seeds are one field test after the other.
    #[arg(long, value_name = "N", default_value = "1", num_args = 1..)]
    seed: Vec<u64>,

    /// Many seeds from the first to before the second, a line for each; failures are told in full.
    #[arg(long, value_name = "FROM..TO", value_parser = range, conflicts_with = "seed")]
    seeds: Option<Range<u64>>,

    /// With --seeds: so many field tests at once.
    #[arg(long, value_name = "N", default_value = "1", requires = "seeds")]
    jobs: NonZeroUsize,

    /// With --seeds: begin no further field test after so many minutes.
    #[arg(long, value_name = "MINUTES", requires = "seeds")]
    minutes: Option<u64>,

    /// How many weeks pass.
    #[arg(long, value_name = "WEEKS", default_value_t = 3)]
    weeks: u32,

    /// How many days pass, instead.
    #[arg(long, value_name = "DAYS", conflicts_with = "weeks")]
    days: Option<u32>,

    /// So many devices, or one more: the eight households of the thesis, over and over.
    #[arg(long, value_name = "N", default_value_t = DEVICES)]
    devices: usize,

    /// On so many threads, without --seeds; the result is the same for any number. As many as the
    /// machine has processors, if absent.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// What goes wrong: all, none, or some of power, daemon, network, server, answers, head, lock,
    /// clock, damage, spool, certificate, consent, separated by commas.
    #[arg(long, value_name = "KINDS", default_value = "all")]
    faults: Kinds,

    /// When it begins, UTC.
    #[arg(long, value_name = "TIME", default_value = "2026-03-02T00:00:00Z")]
    start: Timestamp,

    /// Keep spools and database in this folder.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fieldtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("two numbers with `..` between them")?;
    let number = |text: &str| text.trim().parse().map_err(|_| format!("`{text}` is no number"));
    let range: Range<u64> = number(from)?..number(to)?;
    if range.is_empty() { Err("there are none".to_owned()) } else { Ok(range) }
}

fn run(arguments: &Arguments) -> Result<bool> {
    if let Some(seeds) = &arguments.seeds {
        let many = Many {
            seeds: seeds.clone(),
            jobs: arguments.jobs,
            limit: arguments.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
            keep: arguments.keep.clone(),
        };
        return many.hold(&|seed| options(arguments, seed), &scratch, &mut io::stdout().lock());
    }
    let mut all = true;
    for &seed in &arguments.seed {
        let begun = Instant::now();
        let scratch = scratch()?;
        let folder = match &arguments.keep {
            Some(folder) => folder.join(seed.to_string()),
            None => scratch.path().to_owned(),
        };
        let passed = fieldtest(options(arguments, seed), &folder, &mut io::stdout().lock())
            .with_context(|| format!("seed {seed}"))?;
        println!("It took {:.1} s{}.\n", begun.elapsed().as_secs_f64(), used(&folder));
        all &= passed;
    }
    Ok(all)
}

fn options(arguments: &Arguments, seed: u64) -> Options {
    Options {
        seed,
        days: arguments.days.unwrap_or(arguments.weeks * 7),
        faults: arguments.faults.clone(),
        start: arguments.start,
        devices: arguments.devices,
        threads: match (arguments.threads, &arguments.seeds) {
            (Some(threads), _) => threads,
            (None, Some(_)) => NonZeroUsize::MIN,
            (None, None) => thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        },
    }
}

/// What it took besides, as far as the machine says so.
fn used(folder: &Path) -> String {
    let mut text = String::new();
    if let Some(time) = usage::processor_time() {
        let _ = write!(text, ", {:.1} s of processors", time.as_secs_f64());
    }
    if let Some(bytes) = usage::peak_memory() {
        let _ = write!(text, ", at most {} MB of memory", bytes / 1_000_000);
    }
    let kept = usage::folder_bytes(folder);
    let _ = write!(text, ", and {} MB of spools and database", kept / 1_000_000);
    text
}

/// In memory where there is such a place: ten devices flush their cards with every measurement.
fn scratch() -> Result<tempfile::TempDir> {
    let memory = PathBuf::from("/dev/shm");
    let made = tempfile::tempdir_in(&memory).or_else(|_| tempfile::tempdir());
    made.context("a folder for spools and database")
}
