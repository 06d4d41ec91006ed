//! `cargo xtask programs`: static programs for each architecture.
//!
//! Enters: Rust's standard library for the architecture (rustup's, or Debian's `rustc-web`), Debian's C
//! compiler for it. Leaves: `target/programs/device/ebp-ARCHITECTURE` and
//! `target/programs/whole/ebp-ARCHITECTURE`, which load no library. Absent: packages (`deb.rs`), images
//! (`image.rs`); whether the programs work (`programs/check.rs`).

mod check;
mod toolchain;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use self::toolchain::Toolchain;
use crate::{
    device::SQLITE_WITHOUT,
    image::Architecture,
    options::Options,
    run::{cargo, commit, source_date, succeed, works},
    symbols, target, test,
};

const USAGE: &str = "cargo xtask programs [--target ARCHITECTURE ...] [--kind device|whole ...] \
    [--profile PROFILE] | check [PROGRAM]";

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A measurement device's program with all its parts, as `ebp update` has it.
    Device,
    /// Everything, as packages and images have it.
    Whole,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Device, Self::Whole];

    fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|own| own.name() == name);
        found.with_context(|| format!("there is no kind `{name}` of programs\n{USAGE}"))
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Whole => "whole",
        }
    }

    /// Cargo's profile, unless another one is asked for.
    const fn profile(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Whole => "release",
        }
    }

    const fn features(self) -> &'static [&'static str] {
        match self {
            Self::Device => &["--no-default-features", "--features", "device,device-web"],
            Self::Whole => &[],
        }
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    architectures: Vec<Architecture>,
    kinds: Vec<Kind>,
    profile: Option<String>,
}

impl Request {
    /// All architectures and both kinds, unless options say otherwise.
    fn parse(arguments: &[String]) -> Result<Self> {
        let options = Options::parse(arguments, &["target", "kind", "profile"], USAGE)?;
        let mut architectures: Vec<_> =
            options.all("target").map(Architecture::named).collect::<Result<_>>()?;
        if architectures.is_empty() {
            architectures = Architecture::ALL.to_vec();
        }
        let mut kinds: Vec<_> = options.all("kind").map(Kind::named).collect::<Result<_>>()?;
        if kinds.is_empty() {
            kinds = Kind::ALL.to_vec();
        }
        Ok(Self { architectures, kinds, profile: options.last("profile").map(str::to_owned) })
    }
}

/// Builds them and prints their sizes. An architecture that cannot be built for here is skipped,
/// loudly; it is a failure if it was asked for by name.
pub fn run(arguments: &[String]) -> Result<()> {
    if let Some(("check", program)) =
        arguments.split_first().map(|(own, rest)| (own.as_str(), rest))
    {
        return check_built(program);
    }
    let request = Request::parse(arguments)?;
    let is_named = arguments.iter().any(|argument| argument == "--target");
    for (kind, architecture) in build_all(&request, is_named)? {
        let path = path(kind, architecture);
        let bytes = fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        println!("{}: {bytes} bytes ({})", path.display(), commit()?);
    }
    Ok(())
}

/// Uses those that were built; the server is the program as tests have it, or a PROGRAM.
pub fn check_built(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {
            test::build_program()?;
            check::run(&target().join("debug/ebp"))
        }
        [program] => check::run(Path::new(program)),
        _ => bail!(USAGE),
    }
}

/// What was built.
fn build_all(request: &Request, is_named: bool) -> Result<Vec<(Kind, Architecture)>> {
    let mut built = Vec::new();
    for &architecture in &request.architectures {
        let toolchain = match Toolchain::find(architecture)? {
            Ok(toolchain) => toolchain,
            Err(missing) if is_named => bail!("for {}: {missing}", architecture.name()),
            Err(missing) => {
                let name = architecture.name();
                eprintln!("\n*** SKIPPED: programs for {name}. {missing}. ***\n");
                continue;
            }
        };
        for &kind in &request.kinds {
            build(kind, architecture, &toolchain, request.profile.as_deref())?;
            built.push((kind, architecture));
        }
    }
    Ok(built)
}

/// Builds one, and checks that it loads no library.
fn build(
    kind: Kind,
    architecture: Architecture,
    toolchain: &Toolchain,
    profile: Option<&str>,
) -> Result<()> {
    let profile = profile.unwrap_or(kind.profile());
    // Apart from other builds: Debian's compiler is another version, for which everything is built anew.
    let folder = target().join("programs/build");
    let mut command = cargo();
    command.args(["build", "--locked", "--profile", profile, "--package", "ebp-cli"]);
    command.args(["--bin", "ebp", "--target", architecture.target()]).args(kind.features());
    command.env("CARGO_TARGET_DIR", &folder).env("SOURCE_DATE_EPOCH", source_date()?);
    toolchain.prepare(&mut command, architecture);
    if kind == Kind::Device {
        command.env("LIBSQLITE3_FLAGS", SQLITE_WITHOUT);
    }
    succeed(&mut command)?;
    let name = if profile == "dev" { "debug" } else { profile };
    let program = folder.join(architecture.target()).join(name).join("ebp");
    let bytes = fs::read(&program).with_context(|| program.display().to_string())?;
    architecture.check(&bytes).with_context(|| program.display().to_string())?;
    let path = path(kind, architecture);
    let parent = path.parent().context("a file without a folder")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    fs::copy(&program, &path).with_context(|| path.display().to_string())?;
    symbols::keep_own(&path, architecture)
}

/// Where one lies once it is built.
pub fn path(kind: Kind, architecture: Architecture) -> PathBuf {
    target().join("programs").join(kind.name()).join(format!("ebp-{}", architecture.name()))
}

/// Those of that kind that were built.
pub fn built(kind: Kind) -> BTreeMap<Architecture, PathBuf> {
    let all = Architecture::ALL.into_iter().map(|own| (own, path(kind, own)));
    all.filter(|(_, path)| path.exists()).collect()
}

/// A command that runs that program here: by itself, or emulated.
pub fn command(program: &Path, architecture: Architecture) -> Command {
    if Architecture::own() == Some(architecture) {
        return Command::new(program);
    }
    let mut command = Command::new(architecture.emulator());
    command.arg(program);
    command
}

/// What is missing to run programs of that architecture.
pub fn missing_emulator(architecture: Architecture) -> Option<&'static str> {
    let is_own = Architecture::own() == Some(architecture);
    let has = || works(Command::new(architecture.emulator()).arg("--version"));
    (!is_own && !has()).then_some("an emulator (Debian: qemu-user-static)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request> {
        Request::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_built_unless_something_is_named() {
        let all = parse("").unwrap();
        assert_eq!((all.architectures.len(), all.kinds.len()), (3, 2));
        let one = parse("--target armhf --kind device --profile try").unwrap();
        assert_eq!(one.architectures, [Architecture::Arm]);
        assert_eq!(one.kinds, [Kind::Device]);
        assert_eq!(one.profile.as_deref(), Some("try"));
        for wrong in ["--target mips", "--kind server", "device"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
