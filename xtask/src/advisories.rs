//! Advisories on the libraries that the programs are built of, and which of these have newer versions.
//!
//! Enters: RustSec's database from the network, or the copy in `xtask/lists` where there is none. Leaves:
//! a failure if a library has an advisory; the date of what was looked at. Absent: licences, bans and
//! sources, which `ci.rs` has checked.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    root,
    run::{cargo, output, succeed, works},
    target,
    tool::DENY,
};

/// What the copy was made of.
#[derive(Debug, Serialize, Deserialize)]
struct Copy {
    date: String,
    commit: String,
    source: String,
}

/// Looks for advisories in the newest database, else in the copy: never in none.
pub fn check() -> Result<()> {
    DENY.ensure()?;
    let mut command = if works(DENY.command().args(["fetch", "db"])) {
        DENY.command()
    } else {
        let copy = Copy::read()?;
        eprintln!("xtask: advisories as of {}: their database cannot be fetched here", copy.date);
        copy.deny()?
    };
    succeed(command.args(["--all-features", "check", "advisories"]))
}

/// `cargo xtask advisories`: the newest database in place of the copy.
pub fn update() -> Result<()> {
    let before = Copy::read()?;
    let folder = target().join("advisories/newest");
    let _ = fs::remove_dir_all(&folder);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--depth", "1", &before.source]).arg(&folder);
    succeed(&mut clone)?;
    let git =
        |arguments: &[&str]| output(Command::new("git").arg("-C").arg(&folder).args(arguments));
    let (date, commit) = (git(&["log", "-1", "--format=%cI"])?, git(&["rev-parse", "HEAD"])?);
    let plain = target().join("advisories/advisories.tar");
    let mut archive = Command::new("git");
    archive
        .arg("-C")
        .arg(&folder)
        .args(["archive", "--prefix=advisories/", "--output"])
        .arg(&plain);
    succeed(archive.args(["HEAD", "crates", "rust", "LICENSE.txt", "LICENSES", "README.md"]))?;
    succeed(Command::new("xz").args(["-9e", "--force"]).arg(&plain))?;
    let lists = root().join("xtask/lists");
    fs::copy(plain.with_extension("tar.xz"), lists.join("advisories.tar.xz"))?;
    let text = fs::read_to_string(lists.join("advisories.txt"))?;
    let head: String =
        text.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let copy = Copy { date, commit, ..before };
    fs::write(lists.join("advisories.txt"), head + &toml::to_string(&copy)?)?;
    println!("advisories as of {}", copy.date);
    Ok(())
}

/// `cargo xtask outdated`: libraries of which there are newer versions than those that are built, and
/// those that have an advisory.
pub fn outdated() -> Result<()> {
    let mut command = cargo();
    command.args(["update", "--dry-run", "--verbose"]);
    let run = command.output().context("cargo update")?;
    let text = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() {
        bail!("{text}");
    }
    let mut count = 0;
    for line in text.lines().map(str::trim).filter(|line| is_behind(line)) {
        println!("{line}");
        count += 1;
    }
    println!("{count} libraries have a newer version");
    check()
}

/// Whether cargo's line is about a library that could be newer.
fn is_behind(line: &str) -> bool {
    line.starts_with("Updating ") && line.contains(" -> ") || line.contains("(available: ")
}

impl Copy {
    fn read() -> Result<Self> {
        let path = root().join("xtask/lists/advisories.txt");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(toml::from_str(&text)?)
    }

    /// cargo-deny with the copy, which is unpacked as it wants to have it: a repository of git.
    fn deny(&self) -> Result<Command> {
        let folder = target().join("advisories");
        let _ = fs::remove_dir_all(&folder);
        let databases = folder.join("databases");
        fs::create_dir_all(&databases)?;
        let archive = root().join("xtask/lists/advisories.tar.xz");
        succeed(Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&folder))?;
        let repository = folder.join("advisories");
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(&repository).args(arguments);
            command.env("GIT_AUTHOR_DATE", &self.date).env("GIT_COMMITTER_DATE", &self.date);
            output(&mut command).map(drop)
        };
        git(&["init", "--quiet", "--initial-branch=main"])?;
        git(&["add", "."])?;
        let who = ["-c", "user.name=copy", "-c", "user.email=copy@example.org"];
        git(&[&who[..], &["commit", "--quiet", "--message", &self.commit]].concat())?;
        let mut settings: toml::Table = fs::read_to_string(root().join("deny.toml"))?.parse()?;
        let advisories = settings
            .entry("advisories")
            .or_insert_with(|| toml::Table::new().into())
            .as_table_mut()
            .context("deny.toml: advisories")?;
        advisories.insert("db-urls".to_owned(), vec![self.source.clone()].into());
        advisories.insert("git-fetch-with-cli".to_owned(), true.into());
        advisories.insert("db-path".to_owned(), path_of(&databases)?.into());
        let path = folder.join("deny.toml");
        fs::write(&path, toml::to_string(&settings)?)?;
        let mut command = DENY.command();
        command.arg("--config").arg(path);
        // git takes the copy where it is asked for the source, which cargo-deny wants to have a host.
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_VALUE_0", &self.source);
        let instead = format!("url.file://{}.insteadOf", path_of(&repository)?);
        command.env("GIT_CONFIG_KEY_0", instead);
        Ok(command)
    }
}

/// An absolute path in words.
fn path_of(path: &Path) -> Result<String> {
    Ok(fs::canonicalize(path)?.to_str().context("a path that is no text")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_newer_versions_are_told_from_others() {
        assert!(is_behind("Updating serde v1.0.1 -> v1.0.2"));
        assert!(is_behind("Unchanged rusqlite v0.43.0 (available: v0.44.0)"));
        assert!(!is_behind("Updating crates index"));
        assert!(!is_behind("Locking 0 packages to latest compatible versions"));
    }

    #[test]
    fn the_copy_says_when_it_was_made() {
        let copy = Copy::read().unwrap();
        assert!(copy.date.starts_with("20") && copy.commit.len() == 40, "{copy:?}");
    }
}
