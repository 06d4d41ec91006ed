//! Failures of outputs for the household's own tools, with what to do about each.

use ebp_publish::PublishError;

use super::{Code, Failure};

/// The failure, with its remedy.
pub fn explain(error: PublishError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, &error);
    match error {
        PublishError::NotBuilt(_) => Failure::usage(error)
            .remedy("build it with the feature `publish`, or remove the section from the configuration"),
        PublishError::Refused { .. } => {
            failure.remedy("check user and password; the next try is made in a while")
        }
        PublishError::Unreachable { .. } => failure.remedy(
            "check address and port, and whether it runs; only the newest reading is kept until then",
        ),
        PublishError::Rejected { .. } => {
            failure.remedy("check the address: does it name the database to write to?")
        }
        PublishError::Authority { .. } => {
            failure.remedy("give the certificate of its authority as PEM")
        }
        PublishError::Listen { .. } => {
            failure.remedy("choose another port; `ss -tlnp` shows who listens there")
        }
        _ => failure,
    }
}
