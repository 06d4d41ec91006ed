//! The architectures that images are made for, and whether a program is a static one of such.

use anyhow::{Context, Result, bail};

/// What a program runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    Amd64,
    Arm64,
    /// 32 bits, ARMv7.
    Arm,
}

/// An image's file format says of a program header that it names the loader of libraries.
const INTERPRETER: u32 = 3;

impl Architecture {
    pub const ALL: [Self; 3] = [Self::Amd64, Self::Arm64, Self::Arm];

    /// By the name that OCI, Debian or Rust give it, or by Rust's target.
    ///
    /// # Errors
    /// When it has another name.
    pub fn named(name: &str) -> Result<Self> {
        let is_named =
            |own: &Self| [own.name(), own.rust_name(), own.debian(), own.target()].contains(&name);
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(is_named);
        found.with_context(|| format!("there is no architecture `{name}`, only {known}"))
    }

    /// As OCI names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Arm => "arm",
        }
    }

    /// As Debian names it.
    pub const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Arm => "armhf",
        }
    }

    /// How the names of Debian's compilers and tools for it begin.
    pub const fn gnu(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
            Self::Arm => "arm-linux-gnueabihf",
        }
    }

    /// Debian's qemu that runs its programs.
    pub const fn emulator(self) -> &'static str {
        match self {
            Self::Amd64 => "qemu-x86_64-static",
            Self::Arm64 => "qemu-aarch64-static",
            Self::Arm => "qemu-arm-static",
        }
    }

    /// That of the machine that this runs on, if programs are made for it.
    pub fn own() -> Option<Self> {
        let name = if std::env::consts::ARCH == "arm" { "armv7" } else { std::env::consts::ARCH };
        Self::named(name).ok()
    }

    const fn rust_name(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
            Self::Arm => "armv7",
        }
    }

    /// OCI's variant, for those that have one.
    pub const fn variant(self) -> Option<&'static str> {
        match self {
            Self::Amd64 => None,
            Self::Arm64 => Some("v8"),
            Self::Arm => Some("v7"),
        }
    }

    /// The target that Rust builds for.
    pub const fn target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::Arm => "armv7-unknown-linux-gnueabihf",
        }
    }

    /// ELF's number of the machine.
    const fn machine(self) -> u16 {
        match self {
            Self::Amd64 => 62,
            Self::Arm64 => 183,
            Self::Arm => 40,
        }
    }

    /// That of a program.
    ///
    /// # Errors
    /// When it is no program of Linux, or one of another architecture.
    pub fn from_program(program: &[u8]) -> Result<Self> {
        if !program.starts_with(b"\x7fELF") {
            bail!("it is no program of Linux (ELF)");
        }
        let machine = Elf(program).number::<2>(18)?;
        let found = Self::ALL.into_iter().find(|own| u64::from(own.machine()) == machine);
        found.with_context(|| format!("its machine is ELF's number {machine}"))
    }

    /// Whether an empty image can run that program: it is of this architecture, and needs no loader.
    ///
    /// # Errors
    /// Says why it cannot.
    pub fn check(self, program: &[u8]) -> Result<()> {
        let elf = Elf(program);
        if !program.starts_with(b"\x7fELF") {
            bail!("it is no program of Linux (ELF)");
        }
        let machine = elf.number::<2>(18)?;
        if machine != u64::from(self.machine()) {
            bail!("it is no program for {}: its machine is ELF's number {machine}", self.name());
        }
        if elf.has_interpreter()? {
            bail!(
                "it loads libraries, and the image has none: link it statically, as \
                 `cargo xtask programs --target {}` does",
                self.name()
            );
        }
        Ok(())
    }
}

/// A program of little-endian Linux, of 64 or 32 bits.
struct Elf<'a>(&'a [u8]);

impl Elf<'_> {
    fn number<const BYTES: usize>(&self, at: u64) -> Result<u64> {
        let at = usize::try_from(at)?;
        let end = at.checked_add(BYTES).context("a place beyond all memory")?;
        let bytes = self.0.get(at..end).context("the program ends too early")?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn has_interpreter(&self) -> Result<bool> {
        let wide = self.number::<1>(4)? == 2;
        let (table, size, count) = if wide {
            (self.number::<8>(32)?, self.number::<2>(54)?, self.number::<2>(56)?)
        } else {
            (self.number::<4>(28)?, self.number::<2>(42)?, self.number::<2>(44)?)
        };
        for index in 0..count {
            let at = table.checked_add(index * size).context("a place beyond all memory")?;
            if self.number::<4>(at)? == u64::from(INTERPRETER) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of 64 bits with program headers of these kinds and nothing else.
    fn program(machine: u16, kinds: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56 * kinds.len()];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = u8::try_from(kinds.len()).unwrap();
        for (index, kind) in kinds.iter().enumerate() {
            let at = 64 + 56 * index;
            bytes[at..at + 4].copy_from_slice(&kind.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn only_a_static_program_of_the_architecture_will_do() {
        Architecture::Amd64.check(&program(62, &[1, 2])).unwrap();
        let refused = |architecture: Architecture, bytes: &[u8]| {
            architecture.check(bytes).unwrap_err().to_string()
        };
        assert!(refused(Architecture::Arm64, &program(62, &[1])).contains("number 62"));
        assert!(refused(Architecture::Amd64, &program(62, &[1, 3])).contains("libraries"));
        assert!(refused(Architecture::Amd64, b"#!/bin/sh\n").contains("ELF"));
        assert!(refused(Architecture::Amd64, &program(62, &[1, 3])[..122]).contains("early"));
    }

    #[test]
    fn a_program_tells_its_architecture() {
        assert_eq!(Architecture::from_program(&program(40, &[1, 3])).unwrap(), Architecture::Arm);
        assert!(
            Architecture::from_program(&program(8, &[1]))
                .unwrap_err()
                .to_string()
                .contains("number 8")
        );
        assert!(Architecture::from_program(b"#!/bin/sh\n").is_err());
    }

    #[test]
    fn names_are_those_of_oci_and_rust() {
        assert_eq!(Architecture::named("arm64").unwrap(), Architecture::Arm64);
        assert_eq!(Architecture::named("aarch64").unwrap(), Architecture::Arm64);
        assert_eq!(Architecture::named("armhf").unwrap(), Architecture::Arm);
        assert!(Architecture::named("mips").is_err());
    }
}
