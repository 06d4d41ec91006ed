//! The result of a line of an import, by what registering its household returned.

use ebp_core::contract::{ImportedLine, LineOutcome, Registered};

use crate::StoreError;

/// The line with its result: a household that is registered already stays as it is.
///
/// # Errors
/// [`StoreError::ImportRefused`] names the line if its registration has faults; any other error of
/// the database.
pub fn imported(
    line: &ImportedLine,
    registered: Result<Registered, StoreError>,
) -> Result<ImportedLine, StoreError> {
    let mut line = line.clone();
    match registered {
        Ok(registered) => {
            line.outcome = LineOutcome::Registered;
            line.registered = Some(registered);
        }
        Err(StoreError::RegisteredAlready(household)) => {
            line.outcome = LineOutcome::Known;
            line.household = Some(household);
        }
        Err(StoreError::Registration(faults)) => {
            return Err(StoreError::ImportRefused { line: line.line, faults });
        }
        Err(error) => return Err(error),
    }
    Ok(line)
}
