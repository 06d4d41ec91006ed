//! Remedies for the errors of making a repository of releases.

use std::path::Path;

use ebp_release::{
    TrustError,
    author::{AuthorError, ProgramError},
};

use super::{Failure, chain};

/// The failure, with its remedy.
pub fn explain(error: AuthorError) -> Failure {
    let failure = Failure::failed(chain(&error));
    let wrong = Failure::usage(chain(&error));
    match &error {
        AuthorError::Exists(_) => {
            wrong.remedy("`ebp release rotate` changes its keys, `ebp release add` adds a release")
        }
        AuthorError::Busy(_) => failure.remedy("wait until that has ended, and try again"),
        AuthorError::NoRepository(_) => {
            wrong.remedy("name another folder, or begin one with `ebp release init`")
        }
        AuthorError::NotPublished(_) => {
            failure.remedy("sign the drafts and run `ebp release publish`")
        }
        AuthorError::Threshold { .. } => {
            wrong.remedy("name more keys, or another number that must sign (from 1)")
        }
        AuthorError::SameKey(_) => wrong.remedy("name each key once"),
        AuthorError::OnlineKey(_) => wrong
            .remedy("make a key for each person and another one for the machine that publishes"),
        AuthorError::WhichKey { .. } => {
            wrong.remedy("`ebp release status --format json` shows names and first digits of keys")
        }
        AuthorError::NoDraft => {
            wrong.remedy("make one with `ebp release add`, `renew` or `rotate`")
        }
        AuthorError::NotASigner(_) => wrong
            .remedy("give the key of a person that `ebp release status` says a draft waits for"),
        AuthorError::DraftChanged(_) => failure.remedy("read it again, and sign it then"),
        AuthorError::Unsigned { .. } => {
            failure.remedy("have them sign with `ebp release sign`, then publish")
        }
        AuthorError::NotOnline(_) => {
            wrong.remedy("give --key the key whose public half is the root role's online key")
        }
        AuthorError::OtherBytes(_) => wrong.remedy("give the new program a new version"),
        AuthorError::NoRelease(_) => {
            wrong.remedy("give a version that was added with `ebp release add`")
        }
        AuthorError::Recalled(_) => wrong.remedy("give the next program a new version"),
        AuthorError::Needs { .. } => {
            wrong.remedy("give --needs the oldest version that may go over to it directly")
        }
        AuthorError::Empty(_) => wrong.remedy("give the program that was built for it"),
        AuthorError::Architecture(_) => wrong.remedy("give a name such as aarch64 or x86_64"),
        AuthorError::Program { .. } => {
            failure.remedy("bring the program that was signed, or add it again and have it signed")
        }
        AuthorError::Trust(trust) => {
            let remedy = trust_remedy(trust);
            failure.remedy(remedy)
        }
        AuthorError::Name => wrong.remedy("give a shorter --name"),
        _ => failure,
    }
}

/// Why a file is no program for that architecture.
pub fn explain_program(program: &Path, architecture: &str, error: &ProgramError) -> Failure {
    let text = format!("{}: {}", program.display(), chain(error));
    match error {
        ProgramError::Read(_) => Failure::failed(text),
        ProgramError::NoElf => Failure::usage(text)
            .remedy("give the program itself, not the archive or package that it came in"),
        ProgramError::OtherMachine { found, .. } => Failure::usage(text)
            .remedy(format!("give the program for {architecture}, or --architecture {found}")),
        ProgramError::Unknown(_) => Failure::usage(text).remedy(match usual_name(architecture) {
            Some(usual) => format!("devices call it {usual}: --architecture {usual}"),
            None => "give a name such as aarch64, x86_64 or arm".to_owned(),
        }),
        _ => Failure::usage(text).remedy("give the program that was built for it"),
    }
}

/// How devices call an architecture that others call so, if they call it otherwise.
pub fn usual_name(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "arm64" | "armv8" => "aarch64",
        "amd64" | "x64" => "x86_64",
        "armhf" | "armel" | "armv6" | "armv6l" | "armv7" | "armv7l" => "arm",
        "i386" | "i586" | "i686" => "x86",
        _ => return None,
    })
}

const fn trust_remedy(error: &TrustError) -> &'static str {
    match error {
        TrustError::Expired { .. } => {
            "renew that role with `ebp release renew`; check this machine's clock, too"
        }
        TrustError::RolledBack { .. } | TrustError::WrongVersion { .. } => {
            "the folder is older than what was published from it: use the newest copy"
        }
        TrustError::TooLong { .. } => {
            "devices read no longer files: begin a new repository with the releases in use"
        }
        TrustError::Fetch { .. } => "check that the folder can be read",
        _ => "the folder is damaged: take the newest whole copy of it",
    }
}
