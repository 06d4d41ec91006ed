//! The demo's progress: lines that change on a terminal, nothing in a pipe.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::tell::tell;

/// The demo's progress.
pub struct Progress {
    all: MultiProgress,
    step: ProgressBar,
    cycles: ProgressBar,
}

impl Progress {
    /// Nothing is in progress yet.
    pub fn new() -> Self {
        let all = MultiProgress::new();
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_spinner())
        };
        let step = all.add(ProgressBar::new_spinner().with_style(style("{spinner} {msg}")));
        let cycles = all.add(
            ProgressBar::no_length().with_style(style("  {pos} measured, {msg} sent  {elapsed}")),
        );
        step.enable_steady_tick(Duration::from_millis(120));
        cycles.set_message("0");
        Self { all, step, cycles }
    }

    /// Something was done.
    pub fn step(&self, done: &str) {
        self.step.set_message(done.to_owned());
        tracing::info!("{done}");
    }

    /// So many meters were measured.
    pub fn measured(&self, count: usize) {
        self.cycles.inc(count as u64);
    }

    /// So many measurements were sent.
    pub fn sent(&self, count: u64) {
        let before: u64 = self.cycles.message().parse().unwrap_or(0);
        self.cycles.set_message((before + count).to_string());
    }

    /// A bar for what has so many parts; it is cleared when it is dropped.
    pub fn bar(&self, parts: u64, what: &'static str) -> Bar {
        let style = ProgressStyle::with_template("  {bar:40} {percent} % {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.all.add(ProgressBar::new(parts).with_style(style).with_message(what));
        Bar(bar)
    }

    /// A line on standard error beside the progress.
    pub fn tell(&self, text: &str) {
        self.all.suspend(|| tell!("{text}"));
    }

    /// Does something with the progress out of the way.
    pub fn hidden<T>(&self, what: impl FnOnce() -> T) -> T {
        self.all.suspend(what)
    }

    /// It is over.
    pub fn clear(&self) {
        self.step.finish_and_clear();
        self.cycles.finish_and_clear();
    }
}

/// A bar of the progress.
pub struct Bar(ProgressBar);

impl Bar {
    /// So many parts are done.
    pub fn reach(&self, part: u64) {
        self.0.set_position(part);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
