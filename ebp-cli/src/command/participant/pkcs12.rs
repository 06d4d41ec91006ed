//! `ebp participant pkcs12`: certificate and key in one file that is protected by a password.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ebp_client::identity::Pkcs12Error;
use ebp_core::private_file;

use super::files::Files;
use crate::{
    command::secret,
    exit::{CommandResult, Context, Failure, chain},
    stdout::print,
};

/// What the password is called where it is asked for.
const PASSWORD: &str = "password of the file";

/// Which certificate, where to, and by what it is protected.
#[derive(Debug, clap::Args)]
pub struct Pkcs12 {
    #[command(flatten)]
    files: Files,

    /// The file to write, readable by its owner only; by default the certificate's name with .p12.
    /// An existing file is never overwritten.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The file whose first line is the password, which only its owner may read; without it the
    /// password is asked for on the terminal, or read from standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Pkcs12 {
    /// Writes it, and prints where.
    pub fn run(&self) -> CommandResult {
        let certificate = self.files.certificate()?;
        let identity = self.files.identity(&certificate)?;
        let output = self.output.clone().unwrap_or_else(|| certificate.with_extension("p12"));
        if output.exists() {
            return Err(exists_already(&output));
        }
        let password = match &self.password_file {
            Some(file) => secret::from_file(PASSWORD, file)?,
            None => secret::ask(PASSWORD, true)?,
        };
        let name = certificate.file_stem().unwrap_or_default().to_string_lossy();
        let file = identity.to_pkcs12(&name, &password).map_err(explain)?;
        write(&output, &file)?;
        print(format!("{}\n", output.display()))
    }
}

/// Makes the file, or none: a part of one would be in the way of the next try.
fn write(output: &Path, content: &[u8]) -> CommandResult {
    let made = private_file::options().write(true).create_new(true).open(output);
    let mut file = match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(exists_already(output));
        }
        made => made.or_failed(format!("cannot make {}", output.display()))?,
    };
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // An error of the disk is reported below.
        let _ = fs::remove_file(output);
    }
    written.or_failed(format!("cannot write {}", output.display()))
}

fn exists_already(output: &Path) -> Failure {
    Failure::failed(format!("{} exists already", output.display()))
        .remedy("move it away, or name another file with --output")
}

fn explain(error: Pkcs12Error) -> Failure {
    let failure = Failure::failed(chain(&error));
    match error {
        Pkcs12Error::Password => Failure::usage(chain(&error))
            .remedy("choose another: programs differ in how they read any other character"),
        Pkcs12Error::NotPkcs8 => failure.remedy(
            "`openssl pkcs8 -topk8 -nocrypt -in OLD.key -out NEW.key` turns it into that form",
        ),
        _ => failure,
    }
}
