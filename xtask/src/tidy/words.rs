//! Words and names that do not come back (`xtask/lists/banned_words.txt`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

const LIST: &str = "xtask/lists/banned_words.txt";
const PAGES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
const ITEMS: [&str; 5] = ["fn", "struct", "enum", "trait", "type"];

/// What must not be written, and what to write instead.
struct Banned {
    text: String,
    instead: String,
    /// A name that must not be defined, rather than a word.
    is_name: bool,
}

/// Every banned word and name in the tree.
pub fn breaches() -> Result<Vec<String>> {
    let banned = parse(&fs::read_to_string(LIST).context(LIST)?)?;
    let mut breaches = Vec::new();
    for path in files()?.into_iter().filter(|path| !path.ends_with("tidy/words.rs")) {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        breaches.extend(
            found(&text, is_rust, &banned)
                .into_iter()
                .map(|(line, breach)| format!("{}:{line}: {breach}", path.display())),
        );
    }
    Ok(breaches)
}

/// Every Rust file of the workspace and every page, but for the changes of the past.
fn files() -> Result<Vec<PathBuf>> {
    let mut files = PAGES.map(PathBuf::from).to_vec();
    for (name, _) in super::EDGES {
        files.extend(super::rust_files(Path::new(name))?);
    }
    for folder in ["xtask/src", "benches", "examples"] {
        files.extend(super::rust_files(Path::new(folder))?);
    }
    for folder in ["docs/src", "docs/src/operating", "docs/decisions"] {
        for entry in fs::read_dir(folder).context(folder)? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs" || kind == "md"));
    Ok(files)
}

fn parse(list: &str) -> Result<Vec<Banned>> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (text, instead) =
                line.split_once(" => ").with_context(|| format!("{LIST}: no arrow in `{line}`"))?;
            let first = text.split(' ').next().unwrap_or_default();
            let is_name = ITEMS.contains(&first);
            let text = if is_name { text.to_owned() } else { text.to_lowercase() };
            Ok(Banned { text, instead: instead.to_owned(), is_name })
        })
        .collect()
}

/// The lines, counted from 1, with what is banned in each.
fn found(text: &str, is_rust: bool, banned: &[Banned]) -> Vec<(usize, String)> {
    let mut breaches = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words = if is_rust { readable(line) } else { line }.to_lowercase();
        for Banned { text, instead, is_name } in banned {
            let is_there = if *is_name {
                is_rust && contains_words(line, text)
            } else {
                contains_words(&words, text)
            };
            if is_there {
                breaches.push((number + 1, format!("`{text}`: write {instead}")));
            }
        }
    }
    breaches
}

/// What a person reads of a line of Rust: from the first comment or text on. Names are left out.
fn readable(line: &str) -> &str {
    let begin = line.find("//").into_iter().chain(line.find('"')).min();
    match begin {
        Some(begin) => &line[begin..],
        // The continued line of a text has no mark; code between two of them has no banned word.
        None if line.trim_end().ends_with('\\') => line,
        None => "",
    }
}

fn contains_words(line: &str, words: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(words).any(|(begin, _)| {
        let (before, after) = (&line[..begin], &line[begin + words.len()..]);
        !before.chars().next_back().is_some_and(is_part)
            && !after.chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANNED: &str = "# a list\n\nnought => zero\nall the same => anyway\nfn of => a verb\n\
                          enum Outcome => what it is of\n";

    fn lines(text: &str, is_rust: bool) -> Vec<usize> {
        found(text, is_rust, &parse(BANNED).unwrap()).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn planted_words_are_found_in_what_people_read() {
        assert_eq!(lines("The sum.\nIt is All the same.\n", false), [2]);
        assert_eq!(lines("/// As nought.\nlet nought = 0;\n", true), [1]);
        assert_eq!(lines("    println!(\"nought\"); // fine\n", true), [1]);
        assert_eq!(lines("    fine; // all the same\n", true), [1]);
    }

    #[test]
    fn planted_names_are_found_where_they_are_defined() {
        assert_eq!(lines("    pub fn of(x: u8) -> u8 {\n", true), [1]);
        assert_eq!(lines("pub enum Outcome {\n", true), [1]);
        assert_eq!(lines("pub enum UploadOutcome {\n    pub fn of_meter() {}\n", true), [0; 0]);
        assert_eq!(lines("the fn of a file\n", false), [0; 0]);
    }

    #[test]
    fn parts_of_words_are_no_words() {
        assert_eq!(lines("// noughts and juggernought\n", true), [0; 0]);
    }

    #[test]
    fn a_line_without_an_arrow_is_refused() {
        assert!(parse("nought\n").is_err());
    }

    #[test]
    fn the_list_is_read() {
        let list = fs::read_to_string(Path::new("..").join(LIST)).unwrap();
        let banned = parse(&list).unwrap();
        assert!(banned.iter().any(|banned| banned.is_name));
        assert!(banned.iter().any(|banned| !banned.is_name));
    }
}
