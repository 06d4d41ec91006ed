//! Whether a file is a program for Linux on an architecture, by its ELF header.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The length of the longer header, of 64 bits.
const HEADER: u64 = 64;

/// What an architecture's programs have in their headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    /// As devices call it ([`std::env::consts::ARCH`]).
    name: &'static str,
    /// ELF's number of it (`e_machine`).
    number: u16,
    /// Bits of an address: `None` where both are in use.
    bits: Option<u8>,
}

const fn machine(name: &'static str, number: u16, bits: Option<u8>) -> Machine {
    Machine { name, number, bits }
}

/// The architectures for which Rust builds programs of Linux.
const MACHINES: [Machine; 12] = [
    machine("aarch64", 183, Some(64)),
    machine("arm", 40, Some(32)),
    machine("x86_64", 62, Some(64)),
    machine("x86", 3, Some(32)),
    machine("riscv64", 243, Some(64)),
    machine("riscv32", 243, Some(32)),
    machine("loongarch64", 258, Some(64)),
    machine("powerpc64", 21, Some(64)),
    machine("powerpc", 20, Some(32)),
    machine("s390x", 22, Some(64)),
    machine("mips64", 8, Some(64)),
    machine("mips", 8, Some(32)),
];

/// Why a file is no program for an architecture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It begins otherwise than programs of Linux do, or ends within its header.
    #[error("it is no program of Linux: it has no ELF header")]
    NoElf,
    /// It is an object file, a shared library or a core dump.
    #[error("it is no program that can be started (ELF type {0})")]
    NotExecutable(u16),
    /// It is built for another architecture.
    #[error("it is built for {found}, not for {wanted}")]
    OtherMachine {
        /// What it is built for.
        found: String,
        /// What it was to be built for.
        wanted: String,
    },
    /// No device calls an architecture so.
    #[error("no device has an architecture `{0}`")]
    Unknown(String),
}

/// Checks that a file is a program that machines of that architecture can start, by its header.
///
/// # Errors
/// Returns a [`ProgramError`] if it is not, if the architecture is unknown, or if the file cannot be read.
pub fn check_program(program: &Path, architecture: &str) -> Result<(), ProgramError> {
    let mut header = Vec::new();
    File::open(program)?.take(HEADER).read_to_end(&mut header)?;
    check_header(&header, architecture)
}

fn check_header(header: &[u8], architecture: &str) -> Result<(), ProgramError> {
    let wanted = MACHINES.iter().find(|machine| machine.name == architecture);
    let wanted = wanted.ok_or_else(|| ProgramError::Unknown(architecture.to_owned()))?;
    let [0x7f, b'E', b'L', b'F', class, order, 1, ..] = *header else {
        return Err(ProgramError::NoElf);
    };
    let is_little = match order {
        1 => true,
        2 => false,
        _ => return Err(ProgramError::NoElf),
    };
    let (bits, length) = match class {
        1 => (32, 4),
        2 => (64, 8),
        _ => return Err(ProgramError::NoElf),
    };
    let number = |at: usize| {
        let octets = header.get(at..at + 2)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(octets) } else { u16::from_be_bytes(octets) })
    };
    let (kind, machine) = number(16).zip(number(18)).ok_or(ProgramError::NoElf)?;
    let entry = header.get(24..24 + length).ok_or(ProgramError::NoElf)?;
    if machine != wanted.number || wanted.bits.is_some_and(|wanted| wanted != bits) {
        let is_it =
            |own: &&Machine| own.number == machine && own.bits.is_none_or(|own| own == bits);
        let found = MACHINES.iter().find(is_it).map(|own| own.name.to_owned());
        let found = found.unwrap_or_else(|| format!("ELF's machine {machine} of {bits} bits"));
        return Err(ProgramError::OtherMachine { found, wanted: architecture.to_owned() });
    }
    // A program at a fixed or any address; a library has no instruction to begin with.
    let is_program = matches!(kind, 2 | 3) && entry.iter().any(|octet| *octet != 0);
    if is_program { Ok(()) } else { Err(ProgramError::NotExecutable(kind)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of 64 bits, little-endian.
    fn header(kind: u16, machine: u16, entry: u64) -> Vec<u8> {
        let mut header = [&b"\x7fELF\x02\x01\x01"[..], &[0; 57]].concat();
        header[16..18].copy_from_slice(&kind.to_le_bytes());
        header[18..20].copy_from_slice(&machine.to_le_bytes());
        header[24..32].copy_from_slice(&entry.to_le_bytes());
        header
    }

    fn refused(header: &[u8], architecture: &str) -> String {
        check_header(header, architecture).unwrap_err().to_string()
    }

    #[test]
    fn a_program_of_that_architecture_is_taken_and_nothing_else() {
        for kind in [2, 3] {
            check_header(&header(kind, 183, 0x1000), "aarch64").unwrap();
        }
        let other = refused(&header(3, 62, 0x1000), "aarch64");
        assert_eq!(other, "it is built for x86_64, not for aarch64");
        let rare = refused(&header(3, 190, 0x1000), "aarch64");
        assert_eq!(rare, "it is built for ELF's machine 190 of 64 bits, not for aarch64");
        for (kind, entry) in [(1, 0), (3, 0), (4, 0)] {
            let found = refused(&header(kind, 183, entry), "aarch64");
            assert!(found.contains("no program that can be started"), "{found}");
        }
        // The same machine with shorter addresses.
        let mut short = header(2, 62, 0x1000);
        short[4] = 1;
        assert!(refused(&short, "x86_64").contains("machine 62 of 32 bits"));
        let mut big = header(2, 22, 0x1000);
        big[5] = 2;
        big[16..20].copy_from_slice(&[0, 2, 0, 22]);
        check_header(&big, "s390x").unwrap();
        for wrong in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &header(2, 62, 1)[..26]] {
            assert!(refused(wrong, "x86_64").contains("ELF"), "{wrong:?}");
        }
        assert!(refused(&header(2, 183, 1), "arm64").contains("`arm64`"));
    }

    #[test]
    fn this_program_is_one_of_this_machine() {
        let own = std::env::current_exe().unwrap();
        check_program(&own, std::env::consts::ARCH).unwrap();
        assert!(check_program(&own, "s390x").is_err());
        assert!(matches!(check_program(Path::new("none"), "arm"), Err(ProgramError::Read(_))));
    }
}
