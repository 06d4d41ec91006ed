//! `ebp read --raw FILE`: the bytes as they arrive, for reading back and for reports of faults.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ebp_meter::interface::MeterInterface;

use crate::exit::{Context, Failure};

/// A recording under way.
pub struct Recording {
    path: PathBuf,
    failed: Arc<Mutex<Option<io::Error>>>,
}

/// Records what comes from the meter from now on.
///
/// # Errors
/// Returns an error if the file cannot be made; a file that exists is refused, so that no recording
/// is lost.
pub fn save(meter: &mut dyn MeterInterface, path: &Path) -> Result<Recording, Failure> {
    let mut file = File::create_new(path).or_failed(format!("cannot make {}", path.display()))?;
    let failed = Arc::new(Mutex::new(None));
    let told = Arc::clone(&failed);
    meter.set_raw_tap(Box::new(move |bytes| {
        if let Err(error) = file.write_all(bytes) {
            told.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }));
    Ok(Recording { path: path.to_owned(), failed })
}

impl Recording {
    /// Why not everything is in the file, if so.
    pub fn failure(&self) -> Option<Failure> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map(|error| {
            Failure::failed(format!("{} is not complete: {error}", self.path.display()))
                .remedy("make room on the disk and record again")
        })
    }
}
