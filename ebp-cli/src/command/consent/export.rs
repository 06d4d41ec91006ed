//! Everything that the survey holds about a household, as a file.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ebp_client::Client;

use crate::{
    command::participant::refused,
    exit::{CommandResult, Context, Failure},
    tell::tell,
};

/// Where it is written.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The file, which only you may read then; it must not exist. Standard output without it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub fn run(&self, client: &Client) -> CommandResult {
        match &self.output {
            Some(path) => to_file(client, path),
            None => {
                let mut output = io::stdout().lock();
                client.export(&mut output).map_err(refused)?;
                output.flush()?;
                Ok(())
            }
        }
    }
}

/// Writes it whole or not at all.
fn to_file(client: &Client, path: &Path) -> CommandResult {
    if path.exists() {
        return Err(Failure::failed(format!("{} exists", path.display()))
            .remedy("choose another name; nothing is overwritten"));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let what = format!("cannot write {}", path.display());
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside);
    let mut file = BufWriter::new(file.or_failed(&what)?);
    let written = client.export(&mut file).map_err(refused);
    let written = written.and_then(|written| {
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&beside, path))
            .or_failed(&what)?;
        Ok(written)
    });
    if written.is_err() {
        // What broke off is of no use.
        let _ = fs::remove_file(&beside);
    }
    tell!("ebp: {} bytes are in {}", written?, path.display());
    Ok(())
}
