//! Fetches the archive of an export into a file, and goes on where an interrupted fetch ended.
//!
//! What was fetched lies beside the file, under a name with the beginning of the archive's SHA-256: an
//! archive that was made anew does not continue another one. The file gets its name when it is whole
//! and has that SHA-256.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_client::{ClientError, sha256_of};
use ebp_core::{
    contract::{ExportReport, Job, JobKind},
    phrase::counted,
    private_file,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Jobs, judge};
use crate::{
    exit::{CommandResult, Context, Failure},
    stdout::print,
    tell::tell,
};

/// How often a fetch goes on that brought nothing new.
const TRIES: u32 = 5;

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

impl Jobs {
    /// Fetches the archive of a job that has ended.
    pub(super) fn fetch(&self, job: &Job, output: &Path) -> CommandResult {
        if job.kind != JobKind::Export.name() {
            return Err(Failure::usage(format!("job {} is no export", job.uuid))
                .remedy("`ebp job result` prints what it found"));
        }
        if output.exists() {
            return Err(Failure::usage(format!("{} exists", output.display()))
                .remedy("give --output a file that is not there yet"));
        }
        let result = match job.result {
            Some(_) => Some(self.explain(self.manager.job_result(job.uuid))?),
            None => None,
        };
        judge(job, result.as_ref())?;
        let report: ExportReport = serde_json::from_value(result.unwrap_or_default())
            .or_failed("the result of the export")?;
        let aside = aside(output, &report.sha256);
        let mut file = private_file::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&aside)
            .or_failed(aside.display())?;
        self.fetch_whole(job, &report, &mut file)?;
        file.sync_all().or_failed(aside.display())?;
        file.seek(SeekFrom::Start(0)).or_failed(aside.display())?;
        if sha256_of(&mut file).or_failed(aside.display())? != report.sha256 {
            fs::remove_file(&aside).or_failed(aside.display())?;
            return Err(Failure::failed("what was fetched has another SHA-256 than the archive")
                .remedy("fetch it again"));
        }
        fs::rename(&aside, output).or_failed(output.display())?;
        print(format!(
            "{} of {} in {}: {}\n",
            counted(usize::try_from(report.rows).unwrap_or(usize::MAX), "row"),
            counted(usize::try_from(report.households).unwrap_or(usize::MAX), "household"),
            counted(usize::try_from(report.files).unwrap_or(usize::MAX), "file"),
            output.display(),
        ))
    }

    /// Fetches what the file lacks, as often as the connection ends.
    fn fetch_whole(&self, job: &Job, report: &ExportReport, file: &mut File) -> CommandResult {
        let style = ProgressStyle::with_template("  {bar:40} {bytes} of {total_bytes}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(report.octets).with_style(style);
        let mut there = file.metadata().or_failed("the file")?.len().min(report.octets);
        let mut in_vain = 0;
        while there < report.octets {
            let before = there;
            let fetched = self.manager.fetch_archive(
                job.uuid,
                (there, &report.sha256),
                &mut |place, bytes| {
                    file.seek(SeekFrom::Start(place))?;
                    file.write_all(bytes)?;
                    there = place + bytes.len() as u64;
                    bar.set_position(there);
                    Ok(())
                },
            );
            in_vain = if there > before { 0 } else { in_vain + 1 };
            match fetched {
                Err(error @ ClientError::Unreachable { .. }) if in_vain < TRIES => {
                    tell!("ebp: {}; going on", crate::exit::chain(&error));
                    std::thread::sleep(PAUSE);
                }
                Ok(()) if in_vain < TRIES => {}
                fetched => return self.explain(fetched),
            }
        }
        file.set_len(report.octets).or_failed("the file")?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// Where an archive lies until it is whole.
fn aside(output: &Path, sha256: &str) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(format!(".{}.part", sha256.get(..16).unwrap_or(sha256)));
    name.into()
}
