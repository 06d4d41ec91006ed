//! A virtual meter's memory, which outlasts a power failure as a real one's does.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::MeterState;

/// A file that holds a meter's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    path: PathBuf,
}

/// Why a memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it is no meter's state.
    #[error("{} is no state of a meter: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Memory {
    /// The memory in that file, which need not exist yet.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What is in it; nothing in a new one.
    ///
    /// # Errors
    /// Returns [`MemoryError`] if the file cannot be read or written.
    pub fn recall(&self) -> Result<Option<MeterState>, MemoryError> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| MemoryError::Content { path: self.path.clone(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.fault(source)),
        }
    }

    /// Puts the state into it, whole or not at all whenever the process is killed.
    ///
    /// # Errors
    /// Returns [`MemoryError::File`] if the file cannot be written.
    pub fn keep(&self, state: &MeterState) -> Result<(), MemoryError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let text = serde_json::to_vec(state).map_err(|error| self.fault(error.into()))?;
        fs::write(&beside, text)
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(|source| self.fault(source))
    }

    fn fault(&self, source: io::Error) -> MemoryError {
        MemoryError::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::model::MeterType;

    use super::*;
    use crate::{
        profile::Profiles,
        virtual_meter::{
            Energies, HouseholdOptions, MeterOptions, VirtualMeter, VirtualMeterError,
        },
    };

    fn meter(memory: Memory) -> Result<VirtualMeter, VirtualMeterError> {
        let options = MeterOptions {
            kind: MeterType::Electricity,
            number: 1,
            household: HouseholdOptions { seed: 1, pv_peak_watts: 0, battery_watt_hours: 0 },
            locked: false,
            start: "2026-06-21T09:00:00Z".parse().unwrap(),
            energies: Energies::default(),
        };
        VirtualMeter::new(Profiles::embedded().get("MT175").unwrap(), options)?.with_memory(memory)
    }

    #[test]
    fn what_a_telegram_showed_outlasts_the_meter() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::in_file(&folder.path().join("meter.json"));
        let mut first = meter(memory.clone()).unwrap();
        first.advance(std::time::Duration::from_secs(3600));
        first.telegram().unwrap();
        assert!(first.energies().import_microjoules > 0);
        // It is dropped without a word, as by a power failure.
        assert_eq!(meter(memory).unwrap().state(), first.state());
    }

    #[test]
    fn another_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        fs::write(&path, "Dear meter").unwrap();
        let error = meter(Memory::in_file(&path)).err().unwrap().to_string();
        assert!(error.contains("letter.txt"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"Dear meter");
    }
}
