//! The options of a task: `--NAME VALUE`, each of a list that the task knows.

use anyhow::{Result, bail};

/// What was given, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// When one is unknown, has no value, or is no option; the message ends with `usage`.
    pub fn parse(arguments: &[String], known: &[&str], usage: &str) -> Result<Self> {
        let mut given = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let name = argument.strip_prefix("--").filter(|name| known.contains(name));
            let Some(name) = name else { bail!("what is `{argument}`?\n{usage}") };
            let Some(value) = rest.next() else { bail!("{argument} needs a value\n{usage}") };
            given.push((name.to_owned(), value.clone()));
        }
        Ok(Self(given))
    }

    /// All values of that name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The last value of that name.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_others_refused() {
        let parse = |text: &str| {
            let arguments: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            Options::parse(&arguments, &["program", "output"], "usage")
        };
        let options = parse("--program a=b --output c --program d=e").unwrap();
        assert_eq!(options.all("program").collect::<Vec<_>>(), ["a=b", "d=e"]);
        assert_eq!(options.last("output"), Some("c"));
        assert_eq!(options.last("other"), None);
        assert!(parse("--other a").is_err() && parse("--output").is_err() && parse("c").is_err());
    }
}
