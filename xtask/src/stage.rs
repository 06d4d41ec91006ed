//! How long each stage of CI takes: on the clock, and of processors.

use std::{fmt::Write, fs, time::Instant};

use anyhow::{Context, Result, bail};

/// A stage's name and what it runs.
pub type Stage = (&'static str, fn() -> Result<()>);

/// What a stage took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Took {
    wall: f64,
    /// Of the processes that it started and waited for; none where the kernel does not tell it.
    processors: Option<f64>,
}

/// Measures from here on.
pub struct Watch {
    begun: Instant,
    before: Option<f64>,
}

impl Watch {
    pub fn start() -> Self {
        Self { begun: Instant::now(), before: children_seconds() }
    }

    pub fn took(&self) -> Took {
        let used = || Some(children_seconds()? - self.before?);
        Took { wall: self.begun.elapsed().as_secs_f64(), processors: used() }
    }
}

impl Took {
    fn add(&mut self, other: Self) {
        self.wall += other.wall;
        self.processors = self.processors.zip(other.processors).map(|(own, more)| own + more);
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let processors =
            self.processors.map_or_else(|| "?".to_owned(), |used| format!("{used:.0}"));
        write!(f, "{:6.0} s {processors:>6} s", self.wall)
    }
}

/// Those of that name; all of them for no name.
///
/// # Errors
/// When there is no stage of a name.
pub fn named(stages: &[Stage], names: &[String]) -> Result<Vec<Stage>> {
    if let Some(unknown) = names.iter().find(|name| stages.iter().all(|(own, _)| own != name)) {
        let known: Vec<_> = stages.iter().map(|(name, _)| *name).collect();
        bail!("there is no stage `{unknown}`, only {}", known.join(", "));
    }
    let asked = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
    Ok(stages.iter().copied().filter(|(name, _)| asked(name)).collect())
}

/// Runs the stages one after the other. Before `last` begins, and after all others, it shows a table
/// of what was run until then, so that the output ends with what the last one says.
///
/// # Errors
/// Those of the first stage that fails; the table is shown nevertheless.
pub fn run(stages: &[Stage], last: &str) -> Result<()> {
    let mut rows: Vec<(&str, Took)> = Vec::new();
    for (name, stage) in stages {
        if *name == last {
            eprint!("{}", table(&rows));
        }
        eprintln!("== {name}");
        let watch = Watch::start();
        let result = stage();
        rows.push((name, watch.took()));
        if result.is_err() || *name != last {
            eprintln!("== {name}: {}", watch.took());
        }
        if let Err(error) = result {
            eprint!("{}", table(&rows));
            return Err(error.context(format!("stage `{name}`")));
        }
    }
    if rows.last().is_some_and(|(name, _)| *name != last) {
        eprint!("{}", table(&rows));
    }
    Ok(())
}

/// A line a stage, and their sum.
fn table(rows: &[(&str, Took)]) -> String {
    let Some(((_, first), others)) = rows.split_first() else { return String::new() };
    let mut sum = *first;
    others.iter().for_each(|(_, took)| sum.add(*took));
    let mut text = format!("\n{:<12} {:>8} {:>8}\n", "stage", "clock", "CPU");
    for (name, took) in rows.iter().copied().chain([("together", sum)]) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<12} {took}");
    }
    text + "\n"
}

/// What the processes took that this one started, directly or not, and that were waited for.
fn children_seconds() -> Option<f64> {
    seconds_in(&fs::read_to_string("/proc/self/stat").ok()?).ok()
}

/// The two counts of a line of `/proc/PID/stat`: user and system time of children, in ticks of which
/// Linux shows a hundred a second on every usual processor.
fn seconds_in(stat: &str) -> Result<f64> {
    // The name in parentheses may hold anything.
    let (_, fields) = stat.rsplit_once(") ").context("no name")?;
    let mut fields = fields.split(' ').skip(13);
    let mut ticks = || fields.next().context("too short")?.parse::<f64>().context("no number");
    Ok((ticks()? + ticks()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_read() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 100 2000 0 0 1 2 150 250 20 0 1 0 99 1000 50";
        assert_eq!(seconds_in(line).unwrap(), 4.0);
        assert!(seconds_in("7 (a) S 1 7").is_err());
    }

    #[test]
    fn rows_add_up() {
        let took = |wall, processors| Took { wall, processors };
        let rows = [("tidy", took(2.0, Some(1.0))), ("clippy", took(60.4, Some(90.0)))];
        assert_eq!(
            table(&rows),
            "\nstage           clock      CPU\n\
             tidy              2 s      1 s\n\
             clippy           60 s     90 s\n\
             together         62 s     91 s\n\n"
        );
        let unknown = [("tidy", took(2.0, None)), ("clippy", took(60.0, Some(90.0)))];
        assert!(table(&unknown).ends_with("together         62 s      ? s\n\n"));
    }

    #[test]
    fn stages_are_named_in_their_order() {
        let nothing: fn() -> Result<()> = || Ok(());
        let stages = [("one", nothing), ("two", nothing), ("three", nothing)];
        let names = |asked: &[&str]| -> Result<Vec<&str>> {
            let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
            Ok(named(&stages, &asked)?.into_iter().map(|(name, _)| name).collect())
        };
        assert_eq!(names(&[]).unwrap(), ["one", "two", "three"]);
        assert_eq!(names(&["three", "one"]).unwrap(), ["one", "three"]);
        assert!(names(&["four"]).unwrap_err().to_string().contains("one, two, three"));
    }
}
