//! What builds for another architecture: a compiler with Rust's standard library for it, and a C
//! compiler with a static C library.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    image::Architecture,
    run::{output, works},
};

/// Debian's compiler, beside the one of rustup.
const DEBIAN: &str = "/usr/bin/rustc";

/// A compiler, and the C compiler that links.
#[derive(Debug, PartialEq, Eq)]
pub struct Toolchain {
    compiler: PathBuf,
    linker: String,
}

impl Toolchain {
    /// The one for that architecture; else what is missing, and how it is installed.
    ///
    /// # Errors
    /// When a compiler cannot be asked.
    pub fn find(architecture: Architecture) -> Result<Result<Self, String>> {
        let own = env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
        let mut compiler = None;
        for candidate in [own, PathBuf::from(DEBIAN)] {
            if compiler.is_none() && has_library(&candidate, architecture)? {
                compiler = Some(candidate);
            }
        }
        let linker = format!("{}-gcc", architecture.gnu());
        let found = |compiler: Option<PathBuf>| {
            let has_c = has_static_library(&linker)?;
            Ok::<_, anyhow::Error>(match compiler {
                Some(compiler) if has_c => Ok(Self { compiler, linker: linker.clone() }),
                _ => Err(instructions(architecture, compiler.is_some(), has_c)),
            })
        };
        found(compiler)
    }

    /// Makes cargo build statically with it.
    pub fn prepare(&self, command: &mut Command, architecture: Architecture) {
        let name = architecture.target().replace('-', "_");
        let upper = name.to_uppercase();
        command.env("RUSTC", &self.compiler);
        command.env(format!("CARGO_TARGET_{upper}_LINKER"), &self.linker);
        command.env(format!("CC_{name}"), &self.linker);
        command.env(format!("AR_{name}"), format!("{}-ar", architecture.gnu()));
        command.env("RUSTFLAGS", "-C target-feature=+crt-static");
        // This one would win over RUSTFLAGS.
        command.env_remove("CARGO_ENCODED_RUSTFLAGS");
    }
}

/// Whether Rust's standard library for it is installed with that compiler.
fn has_library(compiler: &Path, architecture: Architecture) -> Result<bool> {
    if !works(Command::new(compiler).arg("--version")) {
        return Ok(false);
    }
    let mut command = Command::new(compiler);
    let folder =
        output(command.args(["--print", "target-libdir", "--target", architecture.target()]))?;
    let Ok(files) = Path::new(&folder).read_dir() else { return Ok(false) };
    for file in files {
        let name = file.with_context(|| folder.clone())?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("libstd-") && name.ends_with(".rlib") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether that C compiler is installed with a C library to be linked statically.
fn has_static_library(linker: &str) -> Result<bool> {
    if !works(Command::new(linker).arg("--version")) {
        return Ok(false);
    }
    // The bare name where it has none.
    let path = output(Command::new(linker).arg("-print-file-name=libc.a"))?;
    Ok(Path::new(&path).is_absolute())
}

/// How what is missing is installed.
fn instructions(architecture: Architecture, has_rust: bool, has_c: bool) -> String {
    let (debian, target) = (architecture.debian(), architecture.target());
    let mut needs = Vec::new();
    if !has_rust {
        needs.push(format!(
            "Rust's standard library for {target} (`rustup target add {target}`; or Debian's: `dpkg \
             --add-architecture {debian} && apt-get update && apt-get install rustc-web \
             libstd-rust-web-dev:{debian}`)"
        ));
    }
    if !has_c {
        let packages = match architecture {
            Architecture::Amd64 => "gcc-x86-64-linux-gnu and, elsewhere, libc6-dev-amd64-cross",
            Architecture::Arm64 => "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
            Architecture::Arm => "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
        };
        needs.push(format!("a C compiler with a static C library (Debian: {packages})"));
    }
    format!("They need {}", needs.join(", and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let both = instructions(Architecture::Arm, false, false);
        for name in
            ["rustup target add armv7", "libstd-rust-web-dev:armhf", "libc6-dev-armhf-cross"]
        {
            assert!(both.contains(name), "{both}");
        }
        assert!(!instructions(Architecture::Arm64, true, false).contains("rustup"));
    }

    #[test]
    fn cargo_is_told_the_compilers_of_the_target() {
        let toolchain =
            Toolchain { compiler: DEBIAN.into(), linker: "arm-linux-gnueabihf-gcc".to_owned() };
        let mut command = Command::new("cargo");
        toolchain.prepare(&mut command, Architecture::Arm);
        let given = |wanted: &str| {
            let mut all = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
            all.find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.to_string_lossy().into_owned())
        };
        let linker = given("CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER");
        assert_eq!(linker.as_deref(), Some("arm-linux-gnueabihf-gcc"));
        assert_eq!(given("CC_armv7_unknown_linux_gnueabihf"), linker);
        assert_eq!(given("RUSTC").as_deref(), Some(DEBIAN));
    }
}
