//! Fenced blocks of README and book: whatever a reader may type is run by a test, or says why not.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

/// The languages of blocks that a reader types.
const TYPED: [&str; 4] = ["sh", "console", "bash", "shell"];

/// Every block that is neither run nor excused.
pub fn breaches() -> Result<Vec<String>> {
    let mut pages = vec![PathBuf::from("README.md")];
    for folder in ["docs/src", "docs/src/operating"] {
        for entry in fs::read_dir(folder).context(folder)? {
            pages.push(entry?.path());
        }
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut breaches = Vec::new();
    for page in pages {
        let name = page.display().to_string();
        let text = fs::read_to_string(&page).with_context(|| name.clone())?;
        breaches.extend(blocks(&text).map(|(line, what)| format!("{name}:{line}: {what}")));
    }
    Ok(breaches)
}

/// The blocks of a page that are wrong, with their lines.
fn blocks(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = text.lines().enumerate();
    std::iter::from_fn(move || {
        loop {
            let (at, line) = lines.next()?;
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            let first = lines.next().map(|(_, line)| line.trim()).unwrap_or_default();
            if first != "```" {
                lines.by_ref().find(|(_, line)| line.trim() == "```");
            }
            if let Some(what) = fault(info, first) {
                return Some((at + 1, what));
            }
        }
    })
}

fn fault(info: &str, first: &str) -> Option<String> {
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    if !TYPED.contains(&language) {
        return (first.starts_with("$ ") || first.starts_with("cargo "))
            .then(|| "a block of commands is `sh`, or `console` with `$ `".to_owned());
    }
    if !["sh", "console"].contains(&language) {
        return Some(format!("write `sh` or `console` instead of `{language}`"));
    }
    let is_run = rest == "run" || rest.strip_prefix("run:").is_some_and(|stage| stage.trim() != "");
    let is_excused = rest.strip_prefix("norun:").is_some_and(|reason| reason.trim() != "");
    (!is_run && !is_excused).then(|| {
        "a block of commands says `run`, `run: STAGE` or `norun: REASON` behind its language \
         (ebp-cli/tests/book)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_says_neither_is_found() {
        let page = "```sh run\na\n```\n```sh\nb\n```\n```console run: meter\n$ c\n```\n\
                    ```sh norun: needs a head\nd\n```\n```text\n$ e\n```\n```sh norun:\nf\n```\n\
                    ```toml\ng = 1\n```\n```\n```\n```bash run\nh\n```\n";
        let lines: Vec<usize> = blocks(page).map(|(line, _)| line).collect();
        assert_eq!(lines, [4, 13, 16, 24]);
    }
}
