//! The files that `ebp anonymize` writes; existing ones are never overwritten.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ebp_anon::{
    Regions, Release,
    map::{Map, MapFormat, View},
};

use super::arguments::Arguments;
use crate::{
    exit::{CommandResult, Context, Failure},
    new_file::{exists_already, place, refuse_existing},
};

/// What a file is called besides until it is complete.
const PARTIAL: &str = ".partial";

/// The file of a table's rejected rows.
pub fn rejected_path(output: &Path) -> PathBuf {
    with_suffix(output, ".rejected.csv")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(suffix);
    PathBuf::from(whole)
}

/// No two files that are written are one, before any is begun.
pub fn refuse_same(arguments: &Arguments) -> CommandResult {
    let Arguments { output, map, key_file, .. } = arguments;
    let rejected = output.as_deref().map(rejected_path);
    let drawn = [output, &rejected, map].into_iter().flatten();
    let partial = drawn.clone().map(|file| with_suffix(file, PARTIAL));
    let files: Vec<_> = drawn.chain(key_file).cloned().chain(partial).collect();
    let mut seen = HashSet::new();
    match files.iter().find(|file| !seen.insert(place(file))) {
        None => Ok(()),
        Some(file) => Err(Failure::usage(format!("{} would be written twice", file.display()))
            .remedy("give each output a name of its own")),
    }
}

/// A map that is drawn, and its file.
pub type DrawnMap = (Map<BufWriter<File>>, Unfinished);

/// Begins the map, if one is wanted.
pub fn begin_map(
    arguments: &Arguments,
    regions: &Regions,
    format: Option<MapFormat>,
    around: Option<&Release>,
) -> Result<Option<DrawnMap>, Failure> {
    let (Some(file), Some(format)) = (&arguments.map, format) else { return Ok(None) };
    // True locations are for who made the map.
    let (view, mode) =
        if arguments.origins { (View::Custodian, 0o600) } else { (View::Public, 0o666) };
    let unfinished = Unfinished::create(file, mode)?;
    let writer = unfinished.file.try_clone().map(BufWriter::new);
    let map = writer.and_then(|writer| Map::begin(writer, format, view, regions, around));
    map.map(|map| Some((map, unfinished))).or_failed(file.display())
}

/// A file that gets its name when it is complete, and is removed otherwise.
pub struct Unfinished {
    pub file: File,
    partial: PathBuf,
    whole: PathBuf,
}

impl Unfinished {
    /// Begins it; when it is whole, that is its name, with this mode at most.
    pub fn create(whole: &Path, mode: u32) -> Result<Self, Failure> {
        refuse_existing(whole)?;
        let partial = with_suffix(whole, PARTIAL);
        refuse_existing(&partial)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial);
        let file = file.or_failed(partial.display())?;
        Ok(Self { file, partial, whole: whole.to_owned() })
    }

    /// Gives it its name.
    pub fn finish(self) -> CommandResult {
        // A link does not replace what came there meanwhile; the other name goes when this is
        // dropped.
        match fs::hard_link(&self.partial, &self.whole) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(exists_already(&self.whole))
            }
            // A file system without links.
            Err(_) => {
                refuse_existing(&self.whole)?;
                fs::rename(&self.partial, &self.whole).or_failed(self.whole.display())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nothing to remove after it was finished.
        let _ = fs::remove_file(&self.partial);
    }
}
