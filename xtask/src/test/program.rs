//! The programs that hold the tests.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{EVERYTHING, sum::Sum};
use crate::{
    root,
    run::{cargo, output, shown},
};

/// A program made of tests, or the examples of the documentation.
#[derive(Debug, PartialEq, Eq)]
pub enum Program {
    /// Built already.
    Built {
        /// The file of a target, from the root of the repository.
        source: PathBuf,
        executable: PathBuf,
        /// Its package's folder, which it runs in.
        package: PathBuf,
        /// Where the standard library is, which the test programs of macros load.
        libraries: String,
    },
    /// Cargo builds and runs them.
    Examples,
}

/// What cargo says of what it has built.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact(Artifact),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// What a program printed and counted.
pub struct Ran {
    /// What it printed, below a line with its name.
    pub text: String,
    pub sum: Sum,
    pub succeeded: bool,
}

impl Program {
    /// Builds all of them: those with the most tests come first, the examples of the documentation
    /// last.
    pub fn build_all() -> Result<Vec<Self>> {
        let mut command = cargo();
        command.args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
        command.args(EVERYTHING);
        eprintln!("+ {}", shown(&command));
        let mut programs = Vec::new();
        let messages = output(&mut command)?;
        let libraries = output(Command::new("rustc").args(["--print", "target-libdir"]))?;
        for program in built(&messages, &libraries)? {
            programs.push((program.count()?, program));
        }
        if programs.is_empty() {
            bail!("cargo built no test program");
        }
        programs.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        Ok(programs.into_iter().map(|(_, program)| program).chain([Self::Examples]).collect())
    }

    /// How many tests it has.
    fn count(&self) -> Result<usize> {
        let listed = output(self.command().args(["--list", "--format", "terse"]))?;
        Ok(listed.lines().filter(|line| line.ends_with(": test")).count())
    }

    fn command(&self) -> Command {
        match self {
            Self::Built { executable, package, libraries, .. } => {
                let mut command = Command::new(executable);
                command.current_dir(package).env("CARGO_MANIFEST_DIR", package);
                command.env("LD_LIBRARY_PATH", libraries);
                command
            }
            Self::Examples => {
                let mut command = cargo();
                command.args(["test", "--no-fail-fast", "--doc"]).args(EVERYTHING);
                command
            }
        }
    }

    /// Runs its tests, so many at a time: all, or those of these names alone.
    pub fn run(&self, names: &[&str], threads: usize) -> Result<Ran> {
        let mut command = self.command();
        if !names.is_empty() {
            command.arg("--exact").args(names);
        }
        command.env("RUST_TEST_THREADS", threads.to_string());
        // A snapshot that differs fails the test instead of being written for review.
        command.env("INSTA_UPDATE", "no").stdin(Stdio::null());
        eprintln!("+ {self}");
        let Output { status, stdout, stderr } =
            command.output().with_context(|| format!("cannot start {self}"))?;
        let printed = String::from_utf8_lossy(&stdout);
        let sum = Sum::read(&printed);
        let mut text =
            format!("     Running {self}\n{printed}{}", String::from_utf8_lossy(&stderr));
        if !status.success() {
            text += &format!("error: {self} failed ({status})\n");
        }
        Ok(Ran { text, sum, succeeded: status.success() })
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Built { source, executable, .. } => {
                let name = executable.file_name().unwrap_or_default();
                write!(f, "{} ({})", source.display(), name.to_string_lossy())
            }
            Self::Examples => f.write_str("the examples of the documentation"),
        }
    }
}

/// The test programs that cargo's messages tell of.
fn built(messages: &str, libraries: &str) -> Result<Vec<Program>> {
    let root = root();
    let mut programs = Vec::new();
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message = serde_json::from_str(line).context("a message of cargo's")?;
        let Message::CompilerArtifact(artifact) = message else { continue };
        let Artifact { manifest_path, target, profile, executable } = artifact;
        let (true, Some(executable)) = (profile.test, executable) else { continue };
        let source = target.src_path.strip_prefix(&root).unwrap_or(&target.src_path).to_owned();
        let package = manifest_path.parent().unwrap_or(Path::new(".")).to_owned();
        let libraries = libraries.to_owned();
        programs.push(Program::Built { source, executable, package, libraries });
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_tests_are_found_among_the_messages() {
        let artifact = |test, executable| {
            serde_json::json!({
                "reason": "compiler-artifact", "package_id": "x",
                "manifest_path": "/house/part/Cargo.toml",
                "target": {"name": "it", "src_path": "/house/part/tests/it.rs"},
                "profile": {"opt_level": "0", "test": test}, "executable": executable,
            })
        };
        let program = "/house/target/debug/deps/it-0";
        let messages = [
            artifact(false, Some(program)),
            artifact(true, None),
            serde_json::json!({"reason": "build-script-executed", "env": []}),
            artifact(true, Some(program)),
            serde_json::json!({"reason": "build-finished", "success": true}),
        ];
        let text: Vec<_> = messages.iter().map(ToString::to_string).collect();
        let programs = built(&format!("warning: words\n{}", text.join("\n")), "").unwrap();
        let [it] = programs.as_slice() else { panic!("{programs:?}") };
        assert_eq!(it.to_string(), "/house/part/tests/it.rs (it-0)");
        assert_eq!(it.command().get_current_dir(), Some(Path::new("/house/part")));
        assert!(built("{\"reason\": \"compiler-artifact\"}", "").is_err());
    }
}
