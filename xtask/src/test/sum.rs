//! What test programs count.

use std::collections::{BTreeMap, BTreeSet};

/// What one test program counted, or several.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sum {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
    /// How many tests were ignored for each reason that was told.
    pub reasons: BTreeMap<String, u64>,
    /// The tests that failed.
    pub failures: BTreeSet<String>,
    /// Whether a program ended by telling its counts.
    ended: bool,
}

impl Sum {
    /// Reads what a program printed.
    pub fn read(output: &str) -> Self {
        let mut sum = Self::default();
        output.lines().for_each(|line| sum.add_line(line));
        sum
    }

    /// Adds a line, such as a program's closing one:
    /// `test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    fn add_line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(|it| it.strip_suffix(" ... FAILED"))
        {
            let name = name.split(" - should panic").next().unwrap_or(name);
            self.failures.insert(name.to_owned());
        }
        if let Some((_, reason)) = line.split_once(" ... ignored, ")
            && line.starts_with("test ")
        {
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        self.ended = true;
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(count) = count.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// Adds what another program counted.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.failures.extend(other.failures);
        self.ended |= other.ended;
    }

    /// Whether the program failed by tests that have names: examples of the documentation have none
    /// that selects them, and a program that was ended tells neither counts nor all names.
    pub fn is_repeatable(&self) -> bool {
        let names = &self.failures;
        self.ended
            && !names.is_empty()
            && names.len() as u64 == self.failed
            && names.iter().all(|name| !name.contains(' '))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let mut sum = Sum::read(
            "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test some::test ... ok
test some::other ... ignored, needs curl",
        );
        sum.add(Sum::read(
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out
test another::one ... ignored, needs curl",
        ));
        let reasons = [("needs curl".to_owned(), 2)].into();
        assert_eq!((sum.passed, sum.failed, sum.ignored, sum.reasons), (16, 3, 1, reasons));
    }

    #[test]
    fn failures_are_repeated_by_name_where_each_has_one() {
        let names = "test some::test ... FAILED\ntest other::panics - should panic ... FAILED\n";
        let result =
            "test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        let sum = Sum::read(&format!("{names}{result}"));
        assert_eq!(sum.failures, ["other::panics".to_owned(), "some::test".to_owned()].into());
        assert!(sum.is_repeatable());
        // A program that ended itself told no counts, and an example has no name.
        assert!(!Sum::read(names).is_repeatable());
        assert!(!Sum::read(result).is_repeatable());
        assert!(!Sum::read("").is_repeatable());
        let example = "test src/lib.rs - Name (line 3) ... FAILED
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured";
        assert!(!Sum::read(example).is_repeatable());
    }
}
