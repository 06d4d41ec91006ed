//! The files that `ebp anonymize` writes; existing ones are never overwritten.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ebp_anon::{
    Regions, Release,
    map::{Map, MapFormat, View},
};

use super::arguments::Arguments;
use crate::exit::{CommandResult, Context, Failure};

/// No existing file is overwritten, including the input under another name or a link.
pub fn refuse_existing(file: &Path) -> CommandResult {
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).or_failed(file.display()),
        Ok(_) => Err(exists_already(file)),
    }
}

/// The failure where a file exists already.
pub fn exists_already(file: &Path) -> Failure {
    Failure::failed(format!("{} exists already", file.display()))
        .remedy("choose another name, or move it away")
}

/// Begins the map, if one is wanted.
pub fn begin_map(
    arguments: &Arguments,
    regions: &Regions,
    format: Option<MapFormat>,
    around: Option<&Release>,
) -> Result<Option<Map<BufWriter<File>>>, Failure> {
    let (Some(file), Some(format)) = (&arguments.map, format) else { return Ok(None) };
    let view = if arguments.origins { View::Custodian } else { View::Public };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if arguments.origins {
        // True locations are for who made the map.
        options.mode(0o600);
    }
    refuse_existing(file)?;
    let writer = options.open(file).map(BufWriter::new);
    let map = writer.and_then(|writer| Map::begin(writer, format, view, regions, around));
    map.map(Some).or_failed(file.display())
}
