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

/// The commands of `ebp` in a script: the words behind it, as far as the command goes.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in script.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            let name = word.rsplit(['\'', '(']).next().unwrap_or(word);
            // What a service runs is named with its folder.
            let group = match name.rsplit('/').next().unwrap_or(name) {
                "ebp" if !name.starts_with("/var") => None,
                "as-administrator" | "as-researcher" => Some(()),
                _ => continue,
            };
            // `-u ebp`, `for ebp in`, `-o ebp`: a user.
            if at > 0 && ["-u", "-o", "-g", "exec"].contains(&words[at - 1]) {
                continue;
            }
            let ends = |word: &str| {
                ["|", "||", "&&", "<", ">", ">>", ";", "\"$(ls"].contains(&word)
                    || word.starts_with(['<', '>'])
            };
            let own = words[at + 1..].iter().take_while(|word| !ends(word));
            let mut own: Vec<String> = own
                .map(|word| word.trim_matches(['"', '\'', ')']).replace("DEVICE", DEVICE))
                .collect();
            if own.last().is_some_and(|word| word.starts_with("--") && word == "--input") {
                own.push("x".to_owned());
            }
            if own
                .first()
                .is_none_or(|word| !word.starts_with(|c: char| c.is_ascii_lowercase() || c == '-'))
            {
                continue;
            }
            if group.is_some() {
                own.extend(
                    ["--url", "https://ebp.example.org", "--secret-file", "x"].map(str::to_owned),
                );
            }
            found.push(own);
        }
    }
    found
}

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
            "household list --url https://ebp.example.org --secret-file x",
            "serve backup --output $(date",
            "device wipe --config f",
        ]
    );
    assert!(commands("systemctl start ebp-serve\nchown ebp: /etc/ebp\n").is_empty());
}
