//! The operating manual: what it has people type is understood, whether a machine has typed it or not
//! (`cargo xtask long manual` does).

use std::{fs, path::PathBuf, process::Command};

use super::{block, root};
use crate::support::process;

/// The manual's pages.
pub fn pages() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("docs/src/operating")).unwrap();
    let mut pages: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

/// A page without what stands before the blocks of a list.
fn unindented(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect()
}

/// The scripts that stand on the page, with their lines.
fn scripts(page: &str) -> Vec<(usize, String)> {
    let blocks = block::parse(&unindented(page));
    let scripts = blocks.iter().flat_map(block::Block::scripts);
    scripts.map(|(line, script, _)| (line, script)).collect()
}

/// The words of a line as a shell takes them; an operator is a word of its own.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')') => {
                words.extend(word.take());
                words.push(letter.to_string());
            }
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// The commands of `ebp` in a script: the words behind it.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in script.replace("\\\n", " ").lines() {
        // What a unit starts.
        let words = words(line.strip_prefix("ExecStart=").unwrap_or(line));
        // What a shell is given.
        for inner in words.iter().filter(|word| word.starts_with("ebp ")) {
            found.extend(commands(inner));
        }
        let starts = |at: usize| {
            let before = at.checked_sub(1).map(|before| words[before].as_str());
            matches!(before, None | Some("|" | "&" | ";" | "(" | "--" | "!" | "then" | "do"))
        };
        for (at, word) in words.iter().enumerate().filter(|(at, _)| starts(*at)) {
            let group = match word.rsplit('/').next() {
                Some("ebp") => None,
                Some("as-administrator" | "as-researcher") => Some(GROUP),
                _ => continue,
            };
            let is_end =
                |word: &String| matches!(word.as_str(), "|" | "&" | ";" | "<" | ">" | "(" | ")");
            let own = words[at + 1..].iter().take_while(|word| !is_end(word));
            let own = own.map(|word| match word.as_str() {
                "DEVICE" | "HOUSEHOLD" | "$household" => DEVICE.to_owned(),
                "$(date -u +%F)" => "2026-12-02".to_owned(),
                "$group" => "administrators".to_owned(),
                "SERIAL" => DEVICE.replace('-', ""),
                word => word.to_owned(),
            });
            found.push(own.chain(group.into_iter().flatten().map(str::to_owned)).collect());
        }
    }
    found
}

/// What the two shortcuts add.
const GROUP: [&str; 4] = ["--url", "https://ebp.example.org", "--secret-file", "secret"];
const DEVICE: &str = "0b1f4e0a-7a55-4c3e-9d6b-2f6f0c0f7a01";

/// Nothing of it is run: `--help` ends a command that was understood so far.
#[test]
fn what_the_manual_has_people_type_is_understood() {
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (line, script) in scripts(&text) {
            let mut bash = Command::new("bash");
            bash.args(["-n", "-c", &script]);
            let checked = process::run(bash, b"");
            assert_eq!(checked.code, Some(0), "{page:?}:{line}: {checked:#?}");
            for words in commands(&script) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let run = crate::support::run(words.iter().copied().chain(["--help"]));
                assert_eq!(run.code, Some(0), "{page:?}:{line}: {words:?}: {run:#?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 60, "only {seen} commands");
}

#[test]
fn commands_are_found_where_they_stand() {
    let script = "runuser -u ebp -- ebp ca init \\\n  --data /var/lib/ebp\ninstall -o ebp x\n\
                  as-researcher household list | grep x\nExecStart=/bin/sh -c 'ebp serve backup --output $(date)'\n\
                  ebp device wipe --config f || echo no\n";
    let found: Vec<String> = commands(script).iter().map(|words| words.join(" ")).collect();
    assert_eq!(
        found,
        [
            "ca init --data /var/lib/ebp",
            "household list --url https://ebp.example.org --secret-file secret",
            "serve backup --output $",
            "device wipe --config f",
        ]
    );
    assert!(commands("systemctl start ebp-serve\nchown ebp: /etc/ebp\n").is_empty());
}
