//! Why a job failed, in the reader's language.

use ebp_core::contract::{Job, JobFault};

use crate::kit::language::Language;

/// Why a job failed, if it did. Where only a text is known, of another version of the server, it is
/// shown as what it is: a text in English.
#[must_use]
pub fn job_fault(language: Language, job: &Job) -> Option<String> {
    let Some(fault) = &job.fault else {
        let text = job.error.clone()?;
        return Some(language.say_with("cloud-job-other", [("text", text.into())]));
    };
    Some(match fault {
        JobFault::LinesRefused { refused, lines } => {
            let counts = [("refused", refused.to_string().into()), ("count", (*lines).into())];
            language.say_with("cloud-job-lines-refused", counts)
        }
        JobFault::LineRefused { line } => {
            language.say_with("cloud-job-line-refused", [("line", line.to_string().into())])
        }
        JobFault::TooLong { seconds } => {
            let minutes = seconds.div_ceil(60);
            language.say_with("cloud-job-too-long", [("count", minutes.into())])
        }
        JobFault::Panicked => language.say("cloud-job-panicked"),
        JobFault::Stopped => language.say("cloud-job-stopped"),
        JobFault::WorkersLost => language.say("cloud-job-workers-lost"),
        JobFault::InputUnreadable => language.say("cloud-job-input"),
        JobFault::NoRegions => language.say("cloud-job-no-regions"),
        JobFault::NoFiles => language.say("cloud-job-no-files"),
        JobFault::NoHousehold => language.say("cloud-job-no-household"),
        JobFault::Gone => language.say("cloud-job-gone"),
        JobFault::Erased => language.say("cloud-job-erased"),
        JobFault::DatabaseAway => language.say("cloud-job-database"),
        // A kind of a later version.
        _ => {
            let text = job.error.clone().unwrap_or_else(|| fault.to_string());
            language.say_with("cloud-job-other", [("text", text.into())])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(error: &str, fault: Option<JobFault>) -> String {
        let job: Job = serde_json::from_value(serde_json::json!({
            "uuid": uuid::Uuid::nil(), "kind": "export", "state": "failed",
            "created_by": "researchers", "created_at": "2026-01-01T00:00:00Z", "attempt": 1,
            "failures": 1, "run_after": "2026-01-01T00:00:00Z", "progress": 0, "total": null,
            "cancel_requested": false, "ended_at": null, "error": error, "fault": fault,
            "result": null, "erased": false
        }))
        .unwrap();
        job_fault(Language::De, &job).unwrap()
    }

    #[test]
    fn faults_are_said_in_german() {
        let fault = JobFault::LinesRefused { refused: 1, lines: 3 };
        assert_eq!(
            describe("1 of 3 lines are refused", Some(fault)),
            "1 von 3 Zeilen kann nicht gespeichert werden. Es wurde nichts gespeichert."
        );
        let fault = JobFault::TooLong { seconds: 3600 };
        assert_eq!(describe("it took", Some(fault)), "Er hat länger als 60 Minuten gedauert.");
        assert_eq!(
            describe("a text of another version", None),
            "Der Server nennt einen Grund auf Englisch: a text of another version"
        );
    }
}
