//! Many field tests, one seed after the other or several at once.
//!
//! Enters: seeds. Leaves: a line for each, all of what failed, and sums. Absent: a field test.

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    ops::Range,
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{Summary, summarised, world::Options};

/// Which field tests.
pub struct Many {
    /// Of which seeds.
    pub seeds: Range<u64>,
    /// So many at once.
    pub jobs: NonZeroUsize,
    /// None is begun after so long.
    pub limit: Option<Duration>,
    /// Where spools and databases are kept, if they are.
    pub keep: Option<PathBuf>,
}

/// What came of one.
struct Done {
    seed: u64,
    took: Duration,
    /// Its text, for a failure.
    text: Vec<u8>,
    summary: Result<Summary>,
}

impl Many {
    /// Holds them, prints a line for each and what failed in full, and says whether all passed.
    ///
    /// # Errors
    /// Of the output. A field test that fails by itself has failed, and the others go on.
    pub fn hold(
        &self,
        options: &(dyn Fn(u64) -> Options + Sync),
        scratch: &(dyn Fn() -> Result<TempDir> + Sync),
        out: &mut impl Write,
    ) -> Result<bool> {
        let begun = Instant::now();
        let next = AtomicU64::new(self.seeds.start);
        let (sender, done) = mpsc::channel();
        let work = |sender: mpsc::Sender<Done>| {
            while self.limit.is_none_or(|limit| begun.elapsed() < limit) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !self.seeds.contains(&seed)
                    || sender.send(self.one(seed, options, scratch)).is_err()
                {
                    break;
                }
            }
        };
        writeln!(
            out,
            "| seed | | slots that count | rows | off, s | with a bound | off, s | lost | took, s |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
        thread::scope(|scope| {
            for _ in 0..self.jobs.get() {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            tell(&done, begun, out)
        })
    }

    fn one(
        &self,
        seed: u64,
        options: &(dyn Fn(u64) -> Options + Sync),
        scratch: &(dyn Fn() -> Result<TempDir> + Sync),
    ) -> Done {
        let begun = Instant::now();
        let mut text = Vec::new();
        let summary = scratch().and_then(|scratch| {
            let folder = match &self.keep {
                Some(folder) => folder.join(seed.to_string()),
                None => scratch.path().to_owned(),
            };
            summarised(options(seed), &folder, &mut text).with_context(|| format!("seed {seed}"))
        });
        Done { seed, took: begun.elapsed(), text, summary }
    }
}

fn tell(done: &mpsc::Receiver<Done>, begun: Instant, out: &mut impl Write) -> Result<bool> {
    let mut all = Summary::default();
    let (mut held, mut failed) = (0, Vec::new());
    for Done { seed, took, text, summary } in done {
        held += 1;
        match summary {
            Ok(summary) => {
                let verdict = if summary.faults == 0 { "passed" } else { "FAILED" };
                line(out, &seed.to_string(), verdict, &summary, took)?;
                all = sum(&all, &summary);
                if summary.faults > 0 {
                    failed.push(seed);
                    out.write_all(&text)?;
                }
            }
            Err(error) => {
                writeln!(out, "| {seed} | FAILED | {error:#} |")?;
                failed.push(seed);
            }
        }
        out.flush()?;
    }
    failed.sort_unstable();
    let verdict = if failed.is_empty() { "passed" } else { "FAILED" };
    line(out, &format!("{held} seeds"), verdict, &all, begun.elapsed())?;
    match failed[..] {
        [] => writeln!(out, "\nAll {held} field tests are passed.")?,
        _ => writeln!(out, "\nFAILED: {} of {held} field tests: {failed:?}", failed.len())?,
    }
    Ok(failed.is_empty())
}

fn line(
    out: &mut impl Write,
    name: &str,
    verdict: &str,
    of: &Summary,
    took: Duration,
) -> io::Result<()> {
    writeln!(
        out,
        "| {name} | {verdict} | {} | {} | {:.3} | {} | {:.2} | {} | {:.1} |",
        of.slots,
        of.rows,
        of.furthest.as_secs_f64(),
        of.bounded,
        of.furthest_bounded.as_secs_f64(),
        of.lost,
        took.as_secs_f64(),
    )
}

fn sum(one: &Summary, other: &Summary) -> Summary {
    Summary {
        faults: one.faults + other.faults,
        slots: one.slots + other.slots,
        rows: one.rows + other.rows,
        bounded: one.bounded + other.bounded,
        furthest: one.furthest.max(other.furthest),
        furthest_bounded: one.furthest_bounded.max(other.furthest_bounded),
        lost: one.lost + other.lost,
    }
}
