//! Remedies for the errors of exporting the data set.

use ebp_survey::dataset::ExportError;

use super::{Code, Failure, chain, server};

/// An export failed.
pub fn failed(error: ExportError) -> Failure {
    match error {
        ExportError::Store(error) => server::store(error),
        ExportError::TooYoung(_) | ExportError::Empty => Failure::usage(chain(&error))
            .remedy("give --as-of an instant at least 10 minutes ago, and --to one after --from"),
        ExportError::NotEmpty(_) => {
            Failure::usage(chain(&error)).remedy("give --output a folder that is not there yet")
        }
        ExportError::Busy(_) => Failure::caused_by(Code::Failed, &error)
            .remedy("wait until it has ended, or give another --output"),
        ExportError::Another(_) => Failure::usage(chain(&error))
            .remedy("finish it with the options that it was begun with, or remove the folder"),
        ExportError::Damaged(_) => {
            Failure::caused_by(Code::Failed, &error).remedy("remove the folder and export again")
        }
        ExportError::Revoked => Failure::caused_by(Code::Failed, &error)
            .remedy("export again: it will be without that household"),
        ExportError::NoHousehold => Failure::new(Code::NothingRead, chain(&error))
            .remedy("wait until a household has granted its consent, or give a later --as-of"),
        ExportError::Rule(ref check) => {
            let remedy = check.remedy();
            Failure::caused_by(Code::Failed, &error).remedy(remedy)
        }
        ExportError::NoDraft(_) => {
            Failure::usage(chain(&error)).remedy("name a folder that `ebp export --release` made")
        }
        ExportError::Person(_) => Failure::usage(chain(&error))
            .remedy("give the certificate that `ebp ca issue --administrator` made, with its key"),
        other => Failure::caused_by(Code::Failed, &other),
    }
}
