//! The export of the survey's data set: made in a folder of this server, packed into the database.
//!
//! The files are those of `ebp export`, by the same code: the order follows from the job alone, so that
//! each attempt makes the same bytes, and one after a killed server continues what lies in the folder.
//! The archive is kept by the database: every server can send it, and a revocation erases it in its
//! own transaction.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use ebp_core::{
    contract::{ExportReport, ExportRequest, JobFault, JobKind, JobState},
    plain_text::find_hidden,
    private_file,
};
use ebp_store::{Faults, JobResult, RESULT_PART, Standing, Store, StoreError, Subject};
use ebp_survey::dataset::{
    ExportError, ExportOrder, Exported, LEAST_AGE, Packed, Progress as Told, begun_as_of, export,
    pack, stretch,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::kind::{Done, JobContext, JobFailure, Kind};

/// The steps of an export: reading households, writing tables, packing.
const STEPS: u64 = 1_000;

/// Between two tries to have the folder alone.
const PAUSE: Duration = Duration::from_millis(50);

/// The step at which a part of the work begins, and the one at which it ends.
const fn steps_of(part: &str) -> (u64, u64) {
    match part.as_bytes() {
        b"households" => (0, 700),
        b"archive" => (900, STEPS),
        _ => (700, 900),
    }
}

/// Exports the data set.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportJob {
    /// What was asked for.
    pub export: ExportRequest,
}

/// Whether a request can be carried out.
pub fn check(export: &ExportRequest, now: Timestamp, zone: &str, faults: &mut Faults) {
    let is_old = export.as_of.is_none_or(|as_of| now.duration_since(as_of) >= LEAST_AGE);
    faults.check(is_old, "/export/as_of", "must be at least 10 minutes ago");
    match stretch(export, zone) {
        Ok((Some(from), Some(to))) => {
            faults.check(from < to, "/export/to", "must be later than `from`");
        }
        Ok(_) => {}
        Err(_) => faults.check(false, "/export", "has a day that calendars do not cover"),
    }
    let is_name = export.name.as_ref().is_none_or(|name| is_set_name(name));
    let name = "must have at most 60 small letters, digits, `-` and `.`, and begin with one of the \
                first two";
    faults.check(is_name, "/export/name", name);
    let is_text =
        |text: &String| (1..=200).contains(&text.chars().count()) && find_hidden(text).is_none();
    let is_publisher = export.publisher.as_ref().is_none_or(is_text);
    faults.check(
        is_publisher,
        "/export/publisher",
        "must have 1 to 200 characters, on one line, none of them invisible",
    );
}

fn is_set_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 60
        && name.starts_with(is_plain)
        && name.chars().all(|c| is_plain(c) || "-.".contains(c))
}

#[async_trait]
impl Kind for ExportJob {
    const KIND: JobKind = JobKind::Export;

    /// Forty million readings on a slow machine.
    const LIMIT: Duration = Duration::from_secs(12 * 3600);

    async fn run(self, context: &JobContext) -> Result<Done, JobFailure> {
        let JobContext { survey, lease, .. } = context;
        let asked_at = survey.store().job(lease.job).await?.created_at;
        let order = ExportOrder::from_request(&self.export, asked_at, survey.zone());
        let order = order.map_err(|error| failure(error.into()))?;
        let work = {
            let (context, runtime) = (context.clone(), Handle::current());
            move || make(&context, &order, &runtime)
        };
        // Reading and packing take a thread for themselves.
        tokio::task::spawn_blocking(work).await.map_err(|_| JobFailure::panicked())?
    }
}

/// Makes the set and its archive.
fn make(context: &JobContext, order: &ExportOrder, runtime: &Handle) -> Result<Done, JobFailure> {
    let folder = WorkFolder::open(context).map_err(failure)?;
    context.progress.expect(STEPS);
    let mut tell = |told: Told| {
        let (first, last) = steps_of(told.part);
        let done = first + (last - first) * told.done / told.all.max(1);
        if context.progress.reach(done) { Ok(()) } else { Err(ExportError::Stopped) }
    };
    let store = context.survey.store();
    let set = folder.set();
    let exported = match runtime.block_on(export(store, order, &set, &mut tell)) {
        Err(error @ ExportError::NoHousehold) => {
            folder.remove();
            let error = JobFault::NoHousehold.store(&error.to_string());
            return Ok(Done::Refused { error, result: JobResult::default() });
        }
        // What lies there is of no use to another attempt.
        Err(error @ (ExportError::Another(_) | ExportError::Damaged(_))) => {
            folder.remove();
            return Err(failure(error));
        }
        exported => exported.map_err(failure)?,
    };
    let packed = keep_archive(context, order, &set, &mut tell, runtime).map_err(failure)?;
    folder.remove();
    let Exported { households, rows, files, .. } = exported;
    let report = ExportReport {
        name: order.name.clone(),
        as_of: order.as_of,
        households: households.len() as u64,
        rows,
        files,
        octets: packed.octets,
        sha256: packed.sha256,
    };
    let bytes = serde_json::to_vec(&report)
        .map_err(|_| JobFailure::lasting("the report cannot be written as JSON"))?;
    let subjects = households.into_iter().map(Subject::Household).collect();
    Ok(Done::Result(JobResult { bytes, subjects }))
}

/// Packs the set into parts of the job's archive.
fn keep_archive(
    context: &JobContext,
    order: &ExportOrder,
    set: &Path,
    tell: &mut dyn FnMut(Told) -> Result<(), ExportError>,
    runtime: &Handle,
) -> Result<Packed, ExportError> {
    let (mut kept, mut part) = (0, Vec::with_capacity(RESULT_PART));
    let all = octets(set)?.div_ceil(RESULT_PART as u64);
    let mut keep = |bytes: Vec<u8>| {
        tell(Told { part: "archive", done: kept, all: all.max(kept) })?;
        let put = context.survey.store().put_archive_part(context.lease, kept, bytes);
        kept += 1;
        match runtime.block_on(put)? {
            Standing::Held => Ok(()),
            Standing::CancelRequested | Standing::Lost => Err(ExportError::Stopped),
        }
    };
    let packed = pack(set, &order.name, order.as_of, &mut |mut bytes| {
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(RESULT_PART - part.len()));
            part.extend_from_slice(fits);
            bytes = rest;
            if part.len() == RESULT_PART {
                keep(std::mem::replace(&mut part, Vec::with_capacity(RESULT_PART)))?;
            }
        }
        Ok(())
    })?;
    if !part.is_empty() {
        keep(part)?;
    }
    Ok(packed)
}

/// How much lies in a folder.
fn octets(folder: &Path) -> Result<u64, ExportError> {
    let failed = |source| ExportError::System { path: folder.to_owned(), source };
    let mut sum = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let found = entry.metadata().map_err(failed)?;
        sum += if found.is_dir() { octets(&entry.path())? } else { found.len() };
    }
    Ok(sum)
}

fn failure(error: ExportError) -> JobFailure {
    match error {
        ExportError::Store(error) => error.into(),
        ExportError::Stopped => JobFailure::stopped(),
        // Paths of this server are for its operator.
        error @ (ExportError::System { .. } | ExportError::File(_) | ExportError::Exposed(_)) => {
            tracing::warn!(%error, "an export cannot be written");
            JobFailure::of_fault(JobFault::NoFiles, true)
        }
        error @ (ExportError::Revoked | ExportError::Another(_) | ExportError::Damaged(_)) => {
            tracing::info!(%error, "an export begins anew");
            JobFailure::of_fault(JobFault::Gone, true)
        }
        error => JobFailure::lasting(error.to_string()),
    }
}

/// The folder of a job's attempts on this server, which one attempt has at a time.
struct WorkFolder {
    path: PathBuf,
    /// Locked as long as it is open; a killed process has no lock.
    _lock: File,
}

impl WorkFolder {
    /// Opens or makes it; a finished set that was not packed is made again.
    fn open(context: &JobContext) -> Result<Self, ExportError> {
        let path = context.folder.join(context.lease.job.to_string());
        let failed = |source| ExportError::System { path: path.clone(), source };
        private_file::create_folder(&path).map_err(failed)?;
        let lock = private_file::options().write(true).create(true).open(path.join("lock"));
        let lock = lock.map_err(failed)?;
        // An attempt that was stopped notices at its next step.
        while lock.try_lock().is_err() {
            if !context.progress.reach(0) {
                return Err(ExportError::Stopped);
            }
            std::thread::sleep(PAUSE);
        }
        let set = path.join("set");
        if set.exists() && begun_as_of(&set).is_none() {
            fs::remove_dir_all(&set).map_err(failed)?;
        }
        Ok(Self { path, _lock: lock })
    }

    fn set(&self) -> PathBuf {
        self.path.join("set")
    }

    /// Removes what attempts have left.
    fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "the files of an export are not removed yet");
        }
    }
}

/// Removes what attempts at jobs left that this server will not go on with.
pub async fn remove_left_files(store: &Arc<dyn Store>, folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Some(job) = entry.file_name().to_str().and_then(|name| name.parse::<Uuid>().ok())
        else {
            continue;
        };
        let is_over = match store.job(job).await {
            Ok(job) => !matches!(job.state, JobState::Waiting | JobState::Running),
            Err(error) => matches!(error, StoreError::NotFound),
        };
        if is_over && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "the files of an export are not removed yet");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other() {
        assert_eq!(["households", "months", "archive"].map(steps_of).map(|it| it.0), [0, 700, 900]);
        assert_eq!(steps_of("tables").1, steps_of("archive").0);
    }

    #[test]
    fn what_cannot_be_exported_is_a_fault() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let places = |export: ExportRequest| {
            let mut faults = Faults::default();
            let now = "2026-11-01T12:00:00Z".parse().unwrap();
            check(&export, now, "Europe/Berlin", &mut faults);
            faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
        };
        assert!(places(ExportRequest::default()).is_empty());
        let young = ExportRequest { as_of: at("2026-11-01T11:50:01Z"), ..ExportRequest::default() };
        assert_eq!(places(young), ["/export/as_of"]);
        let all = ExportRequest {
            from: at("2026-02-01T00:00:00Z").map(Into::into),
            to: at("2026-02-01T00:00:00Z").map(Into::into),
            name: Some("../etc".into()),
            publisher: Some("a\nb".into()),
            ..ExportRequest::default()
        };
        assert_eq!(places(all), ["/export/to", "/export/name", "/export/publisher"]);
        // In Berlin the first of February begins an hour before it does in UTC.
        let within = |to| ExportRequest {
            from: Some("2026-02-01".parse().unwrap()),
            to: at(to).map(Into::into),
            ..ExportRequest::default()
        };
        assert_eq!(places(within("2026-01-31T23:00:00Z")), ["/export/to"]);
        assert!(places(within("2026-01-31T23:15:00Z")).is_empty());
        let far = ExportRequest {
            from: Some("-009999-01-01".parse().unwrap()),
            ..within("2026-02-01T00:00:00Z")
        };
        assert_eq!(places(far), ["/export"]);
    }
}
