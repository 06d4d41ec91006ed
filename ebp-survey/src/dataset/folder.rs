//! The folder of an export: what is finished, and in `.export` what it takes to go on.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ebp_core::private_file;
use ebp_dataset::files::{FileEntry, Format, PROFILES, TABLES, Table, TableWriter, hash_file};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ExportError,
    facts::{Details, HouseholdFacts},
    plan::Plan,
    scratch::scratch_name,
};

/// What stands in `.export/state.json`.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    parameters: Value,
    plan: Plan,
    /// Finished files: path, rows, SHA-256.
    files: Vec<(String, u64, String)>,
    /// Whether all that is left to do is to remove `.export`.
    complete: bool,
}

/// Up to when measurements are in the export that was begun in a folder, if one was.
#[must_use]
pub fn begun_as_of(path: &Path) -> Option<jiff::Timestamp> {
    let text = fs::read(path.join(".export/state.json")).ok()?;
    let state: State = serde_json::from_slice(&text).ok()?;
    state.parameters["as_of"].as_str()?.parse().ok()
}

/// The folder of an export.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    state: State,
    files: Vec<FileEntry>,
    resumed: bool,
    /// Households that were read already.
    collected: usize,
    /// How long the files of what is kept aside are, by their names.
    lengths: BTreeMap<String, u64>,
    /// As long as it lives, no other export writes here.
    _lock: File,
}

impl Folder {
    /// Opens or makes it; `parameters` have to be those that it was begun with.
    pub fn open(path: &Path, parameters: Value, plan: &Plan) -> Result<Self, ExportError> {
        let failed = |error| ExportError::system(path, error);
        private_file::create_folder(path).map_err(failed)?;
        if let Some(exposed) = private_file::exposure(path) {
            return Err(exposed.into());
        }
        let fresh = State { parameters, plan: plan.clone(), files: Vec::new(), complete: false };
        let mut folder = Self {
            path: path.to_owned(),
            state: fresh,
            files: Vec::new(),
            resumed: false,
            collected: 0,
            lengths: BTreeMap::new(),
            _lock: super::lock::lock(path)?,
        };
        let notes = folder.notes();
        match fs::read(notes.join("state.json")) {
            Ok(text) => {
                let state: State = serde_json::from_slice(&text)
                    .map_err(|_| ExportError::Damaged(notes.clone()))?;
                if state.parameters != folder.state.parameters {
                    return Err(ExportError::Another(path.to_owned()));
                }
                if state.plan.households == plan.households {
                    folder.state = state;
                    folder.resume()?;
                } else {
                    // Other households than then: nothing of those that are gone may stay.
                    folder.clear()?;
                    folder.begin()?;
                }
            }
            Err(_) => {
                if path.join("SHA256SUMS").exists() {
                    // Killed at the very end: the set is complete.
                    let _ = fs::remove_dir(&notes);
                }
                let mut there = fs::read_dir(path).map_err(failed)?;
                if there.any(|entry| entry.is_ok_and(|entry| entry.file_name() != ".export")) {
                    return Err(ExportError::NotEmpty(path.to_owned()));
                }
                folder.begin()?;
            }
        }
        Ok(folder)
    }

    fn begin(&self) -> Result<(), ExportError> {
        let scratch = self.notes().join("scratch");
        private_file::create_folder(&scratch)
            .map_err(|error| ExportError::system(&scratch, error))?;
        self.save()
    }

    fn resume(&mut self) -> Result<(), ExportError> {
        self.resumed = true;
        for (path, rows, sha256) in &self.state.files {
            let stem = path.split(['/', '.']).next().unwrap_or_default();
            let mut tables = TABLES.into_iter().chain([&PROFILES]);
            let table = tables.find(|it| it.name == stem).ok_or_else(|| self.damaged())?;
            let (path, rows, sha256) = (path.clone(), *rows, sha256.clone());
            self.files.push(FileEntry { table, path, rows, sha256 });
        }
        if self.state.complete {
            return Ok(());
        }
        // A line that was cut off, and what was kept aside for it, is made again.
        let mut end = 0;
        let mut lengths = BTreeMap::new();
        let mut collected = 0;
        self.each_line(&mut |length, line| {
            let Ok(facts) = serde_json::from_str::<HouseholdFacts>(line) else { return };
            end += length;
            collected += 1;
            let parts = facts.meters.iter().flat_map(|meter| &meter.parts);
            let parts = parts.flat_map(|part| {
                [("quarters", part.month, part.quarters), ("readings", part.month, part.readings)]
            });
            for (kind, month, (at, length)) in parts.chain([("details", 0, facts.details)]) {
                if length > 0 {
                    lengths.insert(scratch_name(kind, month), at + length);
                }
            }
        })?;
        (self.collected, self.lengths) = (collected, lengths);
        let facts = self.facts_path();
        if facts.exists() {
            let file = OpenOptions::new().write(true).open(&facts);
            file.and_then(|file| file.set_len(end))
                .map_err(|error| ExportError::system(&facts, error))?;
        }
        for (name, length) in &self.lengths {
            let path = self.notes().join("scratch").join(name);
            let file = OpenOptions::new().write(true).open(&path);
            let file = file.map_err(|error| ExportError::system(&path, error))?;
            let failed = |error| ExportError::system(&path, error);
            if file.metadata().map_err(failed)?.len() < *length {
                return Err(ExportError::Damaged(self.notes()));
            }
            file.set_len(*length).map_err(failed)?;
        }
        Ok(())
    }

    pub fn notes(&self) -> PathBuf {
        self.path.join(".export")
    }

    fn facts_path(&self) -> PathBuf {
        self.notes().join("facts.jsonl")
    }

    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether all is done but removing the notes.
    pub fn is_complete(&self) -> bool {
        self.state.complete
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many households were read.
    pub const fn collected(&self) -> usize {
        self.collected
    }

    /// The files of tables that are finished.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// Gives each line of the facts with its length in bytes.
    fn each_line(&self, take: &mut dyn FnMut(u64, &str)) -> Result<(), ExportError> {
        let path = self.facts_path();
        let failed = |error| ExportError::system(&path, error);
        let Ok(file) = File::open(&path) else { return Ok(()) };
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        loop {
            line.clear();
            let length = reader.read_line(&mut line).map_err(failed)?;
            if length == 0 || !line.ends_with('\n') {
                return Ok(());
            }
            take(length as u64, line.trim_end());
        }
    }

    /// Gives each household's facts, in the order of the plan.
    pub fn each_household(
        &self,
        mut take: impl FnMut(HouseholdFacts) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let mut result = Ok(());
        self.each_line(&mut |_, line| {
            if result.is_ok() {
                result = serde_json::from_str(line)
                    .map_err(|_| ExportError::Damaged(self.notes()))
                    .and_then(&mut take);
            }
        })?;
        result
    }

    /// Adds a household's facts; what is kept aside for it was written before.
    pub fn add(&mut self, facts: &HouseholdFacts) -> Result<(), ExportError> {
        let mut line = serde_json::to_vec(facts).map_err(|_| ExportError::Damaged(self.notes()))?;
        line.push(b'\n');
        self.append(&self.facts_path(), &line)?;
        self.collected += 1;
        Ok(())
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
        let mut options = private_file::options();
        let file = options.append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(bytes))
            .map_err(|error| ExportError::system(path, error))
    }

    /// Keeps something aside; returns where it is.
    pub fn keep(
        &mut self,
        kind: &str,
        month: i64,
        bytes: &[u8],
    ) -> Result<(u64, u64), ExportError> {
        let name = scratch_name(kind, month);
        let path = self.notes().join("scratch").join(&name);
        let at = self.lengths.get(&name).copied().unwrap_or(0);
        if at == 0 {
            // What a killed run wrote there belongs to no household.
            let _ = fs::remove_file(&path);
        }
        self.append(&path, bytes)?;
        self.lengths.insert(name, at + bytes.len() as u64);
        Ok((at, bytes.len() as u64))
    }

    /// A household's details.
    pub fn details(&self, facts: &HouseholdFacts) -> Result<Details, ExportError> {
        let bytes = self.kept("details", 0, facts.details)?;
        serde_json::from_slice(&bytes).map_err(|_| self.damaged())
    }

    /// Keeps a household's details aside.
    pub fn keep_details(&mut self, details: &Details) -> Result<(u64, u64), ExportError> {
        let bytes = serde_json::to_vec(details).map_err(|_| self.damaged())?;
        self.keep("details", 0, &bytes)
    }

    /// Reads what was kept aside.
    pub fn kept(&self, kind: &str, month: i64, place: (u64, u64)) -> Result<Vec<u8>, ExportError> {
        let (at, length) = place;
        if length == 0 {
            return Ok(Vec::new());
        }
        let path = self.notes().join("scratch").join(scratch_name(kind, month));
        let failed = |error| ExportError::system(&path, error);
        let mut file = File::open(&path).map_err(failed)?;
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// That something kept aside cannot be read.
    pub fn damaged(&self) -> ExportError {
        ExportError::Damaged(self.notes())
    }

    /// Whether that file is finished.
    pub fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Writes a file of a table aside, and puts it into its place.
    pub fn write_table(
        &mut self,
        (table, stem): (&'static Table, &str),
        format: Format,
        rows: impl FnOnce(&Self, &mut TableWriter) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let path = format!("{stem}.{}", format.extension());
        let aside = self.notes().join("table");
        let mut writer = TableWriter::create(&aside, table, format)?;
        rows(self, &mut writer)?;
        let rows = writer.finish()?.rows;
        let sha256 = hash_file(&aside)?;
        self.place(&aside, &path)?;
        self.files.retain(|file| file.path != path);
        self.files.push(FileEntry { table, path, rows, sha256 });
        Ok(())
    }

    /// Writes a list that stands beside the tables.
    pub fn write_list(
        &self,
        (table, name): (&'static Table, &str),
        format: Format,
        rows: impl FnOnce(&mut TableWriter) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let aside = self.notes().join("table");
        let mut writer = TableWriter::create(&aside, table, format)?;
        rows(&mut writer)?;
        writer.finish()?;
        self.place(&aside, &format!("{name}.{}", format.extension()))
    }

    /// Writes a text.
    pub fn write_text(&self, name: &str, text: &str) -> Result<(), ExportError> {
        let (path, aside) = (self.path.join(name), self.notes().join("text"));
        private_file::replace(&path, &aside, text.as_bytes())
            .map_err(|error| ExportError::system(&path, error))
    }

    fn place(&self, aside: &Path, path: &str) -> Result<(), ExportError> {
        let path = self.path.join(path);
        let failed = |error| ExportError::system(&path, error);
        if let Some(parent) = path.parent() {
            private_file::create_folder(parent).map_err(failed)?;
        }
        fs::rename(aside, &path).map_err(failed)
    }

    /// Notes which files are finished.
    pub fn save(&self) -> Result<(), ExportError> {
        let files =
            self.files.iter().map(|file| (file.path.clone(), file.rows, file.sha256.clone()));
        let state = State {
            parameters: self.state.parameters.clone(),
            plan: self.state.plan.clone(),
            files: files.collect(),
            complete: self.state.complete,
        };
        let text = serde_json::to_vec(&state).map_err(|_| self.damaged())?;
        let (path, aside) = (self.notes().join("state.json"), self.notes().join("state"));
        private_file::replace(&path, &aside, &text)
            .map_err(|error| ExportError::system(&path, error))
    }

    /// The export is complete: nothing is left but the set.
    pub fn complete(&mut self) -> Result<(), ExportError> {
        self.state.complete = true;
        self.save()?;
        let notes = self.notes();
        let failed = |error| ExportError::system(&notes, error);
        let scratch = notes.join("scratch");
        if scratch.exists() {
            fs::remove_dir_all(&scratch).map_err(failed)?;
        }
        for entry in fs::read_dir(&notes).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.file_name().is_some_and(|name| name != "state.json") {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        fs::remove_file(notes.join("state.json")).map_err(failed)?;
        fs::remove_dir(&notes).map_err(failed)
    }

    /// Removes all that the export has written.
    pub fn discard(&self) -> Result<(), ExportError> {
        self.clear()?;
        fs::remove_dir(&self.path).map_err(|error| ExportError::system(&self.path, error))
    }

    fn clear(&self) -> Result<(), ExportError> {
        let failed = |error| ExportError::system(&self.path, error);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(failed)?;
        }
        Ok(())
    }
}
