//! `cargo xtask test`: every test of the workspace, and one line that sums them up.
//!
//! Two programs run at a time: many tests start servers, kill them and wait for what follows. Of a few
//! that fail each is run once more with nothing beside it: one that passes then is named as unsteady
//! above the last line, and one that fails again has failed.

mod program;
mod sum;

use std::{
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use anyhow::{Context, Result, bail};

use self::{
    program::{Program, Ran},
    sum::Sum,
};
use crate::{
    run::{cargo, succeed},
    stage::Watch,
};

/// More failures than this are no matter of what ran beside them.
const MOST_REPEATED: usize = 5;

/// Programs that run at the same time.
const PROGRAMS: usize = 2;

/// What is built for all tests: every target with all features, so that whatever else runs the
/// program or an example builds nothing anew.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// Builds the tests, the program that they run and the examples.
pub fn build() -> Result<()> {
    succeed(cargo().args(["test", "--no-run"]).args(EVERYTHING))
}

/// Builds the program and the examples as [`build`] does: with the features of everything.
pub fn build_program() -> Result<()> {
    let mut command = cargo();
    succeed(command.arg("build").args(EVERYTHING).args(["--bin", "ebp", "--examples"]))
}

/// Runs all tests, even after one has failed, and ends with `N passed, N failed, N skipped`.
pub fn run() -> Result<()> {
    let watch = Watch::start();
    let programs = Program::build_all()?;
    let (mut sum, failed) = run_beside_each_other(&programs, threads()?)?;
    let mut unsteady = Vec::new();
    let repeatable = sum.failures.len() <= MOST_REPEATED
        && failed.iter().all(|(_, ran)| ran.sum.is_repeatable());
    let mut succeeded = failed.is_empty();
    if !succeeded && repeatable {
        succeeded = true;
        for (program, ran) in &failed {
            if passes_alone(program, ran)? {
                sum.passed += ran.sum.failed;
                sum.failed -= ran.sum.failed;
                unsteady.extend(&ran.sum.failures);
            } else {
                succeeded = false;
            }
        }
    }
    println!("\ntests, on the clock and of processors: {}", watch.took());
    for (reason, count) in &sum.reasons {
        println!("{count} skipped: {reason}");
    }
    for name in unsteady {
        println!("*** UNSTEADY: {name} failed beside other tests and passed by itself. ***");
    }
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.ignored);
    if !succeeded {
        bail!("the tests failed");
    }
    Ok(())
}

/// How many tests of one program run at a time.
fn threads() -> Result<usize> {
    if let Ok(threads) = std::env::var("RUST_TEST_THREADS") {
        return threads.parse().with_context(|| format!("RUST_TEST_THREADS={threads}"));
    }
    // Many tests wait for a meter, a server or a deadline: twice as many as processors together.
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Ok((2 * processors).div_ceil(PROGRAMS))
}

/// Runs the programs and shows what each printed when it has ended: what they counted, and those that
/// failed.
fn run_beside_each_other(
    programs: &[Program],
    threads: usize,
) -> Result<(Sum, Vec<(&Program, Ran)>)> {
    let queue = Mutex::new(programs.iter());
    let (sender, ended) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..PROGRAMS {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(program) = next else { return };
                    if sender.send((program, program.run(&[], threads))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut sum = Sum::default();
        let mut failed = Vec::new();
        for (program, ran) in ended {
            let mut ran = ran?;
            print!("{}", std::mem::take(&mut ran.text));
            sum.add(ran.sum.clone());
            if !ran.succeeded {
                failed.push((program, ran));
            }
        }
        Ok((sum, failed))
    })
}

/// Whether each test that failed passes with nothing beside it.
fn passes_alone(program: &Program, ran: &Ran) -> Result<bool> {
    let names: Vec<&str> = ran.sum.failures.iter().map(String::as_str).collect();
    let again = program.run(&names, 1)?;
    print!("{}", again.text);
    // Each of them once: a name that selects none has not passed.
    Ok(again.succeeded && again.sum.passed == ran.sum.failed)
}
