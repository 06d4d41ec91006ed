//! `ebp job`: work that servers do after their answer, over the Data API.
//!
//! Enters: jobs to start, and what is to become of them. Leaves: jobs and their results. Absent: the
//! work itself, which a server does.

mod fetch;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{Job, JobKind, JobState, NewJob, problem_type},
    phrase::counted,
    scope::Group,
};
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use super::{
    export_options::ExportOptions,
    group_api::{self, GroupApi},
    heading::OUTPUT,
};
use crate::{
    exit::{CommandResult, Failure},
    file::read_text,
    output::{Format, list},
    stdout::{print, print_json},
    tell::tell,
};

/// Between two looks at a job that is waited for.
const LOOK: Duration = Duration::from_millis(500);

/// See and direct what servers do in the background.
///
/// Administrators see all jobs, researchers those of their group. A result is for the group that
/// asked for it, and is kept for 7 days; it is erased when a household in it revokes its consent.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// As which group: researchers or administrators.
    #[arg(long, global = true, default_value = "researchers")]
    group: Group,

    #[command(flatten)]
    api: GroupApi,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List jobs, in the order in which they were asked for.
    List {
        /// How they are printed; JSON is one object a line.
        #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
        format: Format,
    },
    /// Show a job, as JSON.
    Show {
        /// The job.
        job: Uuid,
    },
    /// Print the result of a job, as JSON.
    Result {
        /// The job.
        job: Uuid,
    },
    /// End a job that waits, and stop one that runs within a few seconds.
    Cancel {
        /// The job.
        job: Uuid,
    },
    /// Begin a job anew that failed or was cancelled, or whose result was erased.
    Retry {
        /// The job.
        job: Uuid,
    },
    /// Register all households of a file, or none.
    ///
    /// The file is the one of `ebp household import`. Where one line is refused nothing is registered,
    /// and the result says what is wrong with each. Households that are registered already stay as
    /// they are. A file has 1,000 registrations at most; `ebp household import` takes
    /// any number, line by line.
    Import {
        /// The file: JSON Lines or CSV.
        file: PathBuf,

        /// Check the file only: store nothing, and look up no address.
        #[arg(long)]
        dry_run: bool,

        #[command(flatten)]
        asked: Asked,
    },
    /// Export the survey's data set on the server, and fetch its archive.
    ///
    /// The files are those of `ebp export`, as one tar file, which only its owner may read: they are
    /// personal data. The server keeps it for 7 days, or until a household in it revokes its
    /// consent. Only researchers may export.
    Export {
        #[command(flatten)]
        options: ExportOptions,

        /// The archive. What an interrupted fetch left beside it is continued.
        #[arg(long, short, value_name = "FILE.tar")]
        output: Option<PathBuf>,

        #[command(flatten)]
        asked: Asked,
    },
    /// Fetch the archive of an export that has ended.
    Fetch {
        /// The job.
        job: Uuid,

        /// The archive. What an interrupted fetch left beside it is continued.
        #[arg(long, short, value_name = "FILE.tar")]
        output: PathBuf,
    },
    /// Report how well the masked locations of households hide them.
    RiskReport {
        #[command(flatten)]
        asked: Asked,
    },
}

/// How a job is asked for.
#[derive(Debug, clap::Args)]
struct Asked {
    /// A name for it: asked for again with the same name it is the same job.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// Wait until it has ended, and print its result.
    #[arg(long)]
    wait: bool,
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> CommandResult {
    let manager = arguments.api.connect(arguments.group)?;
    let client = Jobs { manager, group: arguments.group };
    match &arguments.action {
        Action::List { format } => client.list(*format),
        Action::Show { job } => print_json(&client.explain(client.manager.job(*job))?),
        Action::Result { job } => print_json(&client.explain(client.manager.job_result(*job))?),
        Action::Cancel { job } => print_json(&client.explain(client.manager.cancel_job(*job))?),
        Action::Retry { job } => print_json(&client.explain(client.manager.retry_job(*job))?),
        Action::Import { file, dry_run, asked } => {
            let kind = JobKind::HouseholdImport;
            let (file, key) = (Some(read_text(file)?), asked.key.clone());
            let dry_run = Some(*dry_run);
            client.start(&NewJob { kind, file, dry_run, export: None, key }, asked.wait)
        }
        Action::RiskReport { asked } => {
            let (kind, key) = (JobKind::RiskReport, asked.key.clone());
            let new = NewJob { kind, file: None, dry_run: None, export: None, key };
            client.start(&new, asked.wait)
        }
        Action::Export { options, output, asked } => {
            let (kind, key) = (JobKind::Export, asked.key.clone());
            let export = Some(options.request()?);
            let new = NewJob { kind, file: None, dry_run: None, export, key };
            match output {
                Some(output) => client.export(&new, output),
                None => client.start(&new, asked.wait),
            }
        }
        Action::Fetch { job, output } => {
            client.fetch(&client.explain(client.manager.job(*job))?, output)
        }
    }
}

/// The jobs that a group sees.
struct Jobs {
    manager: Manager,
    group: Group,
}

impl Jobs {
    /// The answer, or the refusal with its remedy.
    fn explain<T>(&self, answer: Result<T, ClientError>) -> Result<T, Failure> {
        answer.map_err(|error| match &error {
            ClientError::Problem { kind, .. } if kind == problem_type::JOB_STATE => {
                Failure::failed(crate::exit::chain(&error)).remedy(
                    "`ebp job show` says how far it is; a --key is for one request and its repetitions",
                )
            }
            ClientError::Problem { status: 404, .. } => Failure::failed(crate::exit::chain(&error))
                .remedy(
                    "`ebp job list` shows those there are; a result is for the group that asked \
                     for the job, and is erased with a household in it",
                ),
            _ => group_api::refused(self.group, error),
        })
    }

    fn list(&self, format: Format) -> CommandResult {
        let mut jobs = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.explain(self.manager.jobs(cursor.as_deref()))?;
            jobs.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        print(list::list(format, HEADER, true, &jobs, row)?)
    }

    fn start(&self, new: &NewJob, wait: bool) -> CommandResult {
        let job = self.explain(self.manager.start_job(new))?;
        Self::tell_of_repetition(new, &job);
        if !wait {
            return print_json(&job);
        }
        tell!("ebp: waiting for job {}", job.uuid);
        let job = self.wait_for(job)?;
        let result = match job.result {
            Some(_) => Some(self.explain(self.manager.job_result(job.uuid))?),
            None => None,
        };
        if let Some(result) = &result {
            print_json(result)?;
        }
        judge(&job, result.as_ref())
    }

    /// Starts an export, waits for it, and fetches its archive.
    fn export(&self, new: &NewJob, output: &Path) -> CommandResult {
        let job = self.explain(self.manager.start_job(new))?;
        Self::tell_of_repetition(new, &job);
        tell!("ebp: waiting for job {}", job.uuid);
        self.fetch(&self.wait_for(job)?, output)
    }

    fn tell_of_repetition(new: &NewJob, job: &Job) {
        if new.key.is_some() && job.attempt > 0 {
            tell!(
                "ebp: a job of that key was asked for at {}; this request adds none",
                job.created_at
            );
        }
    }

    /// Asks until the job has ended. A server that is away meanwhile is waited for, and reported once.
    fn wait_for(&self, mut job: Job) -> Result<Job, Failure> {
        let mut away = false;
        let bar = ProgressBar::no_length().with_style(style());
        while !job.state.is_final() {
            std::thread::sleep(LOOK);
            job = match self.manager.job(job.uuid) {
                Err(error @ ClientError::Unreachable { .. }) => {
                    if !std::mem::replace(&mut away, true) {
                        tell!("ebp: {}; waiting for it", crate::exit::chain(&error));
                    }
                    job
                }
                answer => self.explain(answer)?,
            };
            if let Some(total) = job.total {
                bar.set_length(total);
                bar.set_position(job.progress);
            }
        }
        bar.finish_and_clear();
        Ok(job)
    }
}

/// How a bar looks that shows steps.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("  {bar:40} {pos} of {len}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Whether a job that has ended did what was asked for.
fn judge(job: &Job, result: Option<&serde_json::Value>) -> CommandResult {
    let why = job.error.clone().unwrap_or_default();
    match job.state {
        JobState::Succeeded if result.is_none() => Err(Failure::failed(format!(
            "the result of job {} is erased: a household in it revoked its consent or was removed, \
             or its time is over",
            job.uuid
        ))),
        JobState::Succeeded => match result.map_or(0, refused_lines) {
            0 => Ok(()),
            lines => Err(Failure::failed(format!("{} refused", counted(lines, "line")))
                .remedy("correct the file; `reason` says what is wrong with each line")),
        },
        state if why.is_empty() => Err(Failure::failed(format!("job {} is {state}", job.uuid))),
        state => {
            let failure = Failure::failed(format!("job {} is {state}: {why}", job.uuid));
            Err(match job.erased {
                true => failure,
                false => failure.remedy(
                    "`ebp job retry` begins it anew with the same input; where a file is at fault, \
                     correct it and import it with another --key",
                ),
            })
        }
    }
}

/// How many lines of an import's result are refused; none in any other result.
fn refused_lines(result: &serde_json::Value) -> u64 {
    let lines = result["lines"].as_array().into_iter().flatten();
    lines.filter(|line| line["outcome"] == "refused").count() as u64
}

const HEADER: [&str; 7] = ["job", "kind", "state", "created_by", "created_at", "progress", "error"];

fn row(job: &Job) -> [String; 7] {
    let progress = match (job.progress, job.total) {
        (done, Some(total)) => format!("{done} of {total}"),
        (0, None) => String::new(),
        (done, None) => done.to_string(),
    };
    [
        job.uuid.to_string(),
        job.kind.clone(),
        job.state.to_string(),
        job.created_by.clone(),
        job.created_at.to_string(),
        progress,
        job.error.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: JobState) -> Job {
        Job {
            uuid: Uuid::nil(),
            kind: "risk-report".to_owned(),
            state,
            created_by: "researchers".to_owned(),
            created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            trace_id: None,
            attempt: 1,
            failures: 0,
            run_after: "2026-01-01T00:00:00Z".parse().unwrap(),
            progress: 0,
            total: None,
            cancel_requested: false,
            ended_at: None,
            error: None,
            fault: None,
            result: None,
            erased: false,
        }
    }

    #[test]
    fn progress_is_shown_as_far_as_it_is_known() {
        let job = |progress, total| Job { progress, total, ..job(JobState::Running) };
        let shown = [(0, None), (3, None), (3, Some(9))].map(|(n, of)| row(&job(n, of))[5].clone());
        assert_eq!(shown, ["", "3", "3 of 9"]);
    }

    #[test]
    fn only_a_result_without_refused_lines_is_a_success() {
        let lines = |outcomes: &[&str]| {
            let lines: Vec<_> =
                outcomes.iter().map(|o| serde_json::json!({"outcome": o})).collect();
            serde_json::json!({ "lines": lines })
        };
        let succeeded = job(JobState::Succeeded);
        assert!(judge(&succeeded, Some(&lines(&["new", "known"]))).is_ok());
        assert!(judge(&succeeded, Some(&serde_json::json!({"households": 3}))).is_ok());
        let failures = [
            judge(&succeeded, Some(&lines(&["new", "refused", "refused"]))),
            judge(&succeeded, None),
            judge(&Job { error: Some("line 2".into()), ..job(JobState::Failed) }, None),
            judge(
                &Job { erased: true, error: Some("gone".into()), ..job(JobState::Cancelled) },
                None,
            ),
        ]
        .map(|result| format!("{:?}", result.unwrap_err()));
        for (failure, part) in
            failures.iter().zip(["2 lines refused", "is erased", "another --key", "gone"])
        {
            assert!(failure.contains(part), "{failure}");
        }
        assert!(!failures[3].contains("retry"), "its input is erased, too");
    }
}
