//! Remedies for the errors of files that commands read.

use std::{io, path::Path};

use super::Failure;

/// A file cannot be read.
#[track_caller]
pub fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let failure = match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!("{path} does not exist")),
        io::ErrorKind::PermissionDenied => Failure::failed(format!("no permission to read {path}")),
        io::ErrorKind::InvalidData => Failure::failed(format!("{path} is not a text in UTF-8"))
            .remedy("save it as UTF-8; spreadsheets call that CSV UTF-8"),
        _ => Failure::failed(format!("{path}: {error}")),
    };
    failure.typed(error)
}
