//! Remedies for the errors of a server, its authority and its store.

use ebp_server::ServeError;
use ebp_store::{
    PostgresError, StoreError,
    masking::{MaskingError, MaskingMismatch},
};
use ebp_survey::{
    KeptRevocationsError, OpenError, SurveyError, authority::AuthorityError, text::TextError,
};

use super::{Code, Failure};

/// The server's errors with their remedies.
pub fn serve(error: ServeError) -> Failure {
    match error {
        ServeError::Survey(error) => open(error),
        ServeError::Alert(error) => {
            Failure::caused_by(Code::Failed, &error).remedy("correct [alerts] in the configuration")
        }
        other => Failure::caused_by(Code::Failed, &other),
    }
}

/// The errors of opening a survey with their remedies.
pub fn open(error: OpenError) -> Failure {
    match error {
        OpenError::Authority(error) => authority(error),
        OpenError::Masking(error) => masking(&error),
        OpenError::Text(error) => text(&error),
        OpenError::Prices(error) => Failure::caused_by(Code::Failed, &error).remedy(
            "`quarter_prices` under [survey] names a CSV file with the head `start,import,export`",
        ),
        OpenError::Store(StoreError::Masking(mismatch)) => masking_mismatch(&mismatch),
        OpenError::Store(error @ StoreError::TextsDiffer(_)) => store(error),
        OpenError::Store(error) if error.is_full() => Failure::caused_by(Code::Failed, &error)
            .remedy("make room on the database's disk and start it again; nothing is lost"),
        OpenError::Store(error) => store(error),
        OpenError::Revocations(KeptRevocationsError::Store(error)) => store(error),
        OpenError::Revocations(error) => {
            let failure = Failure::caused_by(Code::Failed, &error);
            match error {
                KeptRevocationsError::Line { .. } => failure.remedy(
                    "correct the line, or put another server's list in its place; without the list \
                     a database that lost revocations is served as it is",
                ),
                KeptRevocationsError::File { .. } => failure
                    .remedy("check the permissions of the data folder, and that its disk has room"),
                _ => failure,
            }
        }
        OpenError::Geocoding(error) => Failure::caused_by(Code::Failed, &error)
            .remedy("correct [geocoding] in the configuration"),
        other => Failure::caused_by(Code::Failed, &other),
    }
}

/// The errors of the survey's operations with their remedies.
pub fn survey(error: SurveyError) -> Failure {
    match error {
        SurveyError::Store(error) => store(error),
        SurveyError::Authority(error) => authority(error),
        other => Failure::caused_by(Code::Failed, &other),
    }
}

/// The authority's errors with their remedies.
pub fn authority(error: AuthorityError) -> Failure {
    let remedy = match &error {
        AuthorityError::Exists { .. } => Some("use it, or choose another folder with --data"),
        AuthorityError::Missing { .. } => Some("found one with `ebp ca init`"),
        AuthorityError::UnknownSerial(_) => Some("`ebp ca list` shows those that were"),
        AuthorityError::InvalidEmail => {
            Some("write it as registered; a domain with umlauts in its xn-- form")
        }
        AuthorityError::OutlivesAuthority(_) | AuthorityError::InvalidValidity => {
            Some("choose a shorter --validity")
        }
        AuthorityError::NoValidity => Some("choose a longer --validity, such as 90days"),
        AuthorityError::ClockBehind { .. } => Some("set this machine's clock, then try again"),
        AuthorityError::Expired(_) => {
            Some("create another one in a new folder; devices have to be enrolled again with it")
        }
        _ => None,
    };
    let failure = Failure::caused_by(Code::Failed, &error);
    match remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

/// The store's errors with their remedies.
pub fn store(error: StoreError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, &error);
    match &error {
        StoreError::Registration(_) => {
            failure.remedy("correct the file and try again; nothing was stored")
        }
        StoreError::RegisteredAlready(_) => failure
            .remedy("nothing was stored; if it is another household, register it with --further"),
        StoreError::Empty => failure.remedy(
            "name the server's database (--data or --config); if it is lost, put a backup in its \
             place first",
        ),
        StoreError::Open { .. } | StoreError::File { .. } => {
            failure.remedy("check the data folder (--data or --config) and its permissions")
        }
        StoreError::TextsDiffer(_) => failure.remedy(
            "participants agreed to the version of before: put the changed texts into a folder of \
             the next number",
        ),
        error if error.is_newer() => {
            failure.remedy("use the version of ebp that wrote the database, or a later one")
        }
        StoreError::Postgres(PostgresError::Unreachable(_) | PostgresError::ReadOnly) => failure
            .remedy("nothing was changed; try again when PostgreSQL answers at `database_url`"),
        _ => failure,
    }
}

/// Why the survey's texts cannot be used, with the remedy.
pub fn text(error: &TextError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, error);
    match error {
        TextError::Gap { .. } | TextError::Empty { .. } => {
            failure.remedy("nobody can agree to a text with gaps")
        }
        TextError::NoVersion { .. } => failure.remedy("`ebp serve texts new` writes a template"),
        TextError::InvalidVersion { .. }
        | TextError::UnknownLanguage { .. }
        | TextError::NoLanguage { .. } => failure
            .remedy("texts are in FOLDER/VERSION/LANGUAGE/summary.md and details.md beside it"),
        _ => failure,
    }
}

/// Why the server's geodata cannot be used, with the remedy.
fn masking(error: &MaskingError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, error);
    match error {
        MaskingError::Compact { .. } | MaskingError::Regions { .. } => {
            failure.remedy("create it again with `ebp geodata import`")
        }
        _ => failure.remedy("check `regions` and [geocoding] in the configuration"),
    }
}

/// What to do where the database knows other geodata.
fn masking_mismatch(mismatch: &MaskingMismatch) -> Failure {
    let failure = Failure::failed(mismatch);
    match mismatch {
        MaskingMismatch::Regions { .. } => failure.remedy(
            "name the file of before as `regions` in the configuration, or accept these for \
             households that are masked from now on with `ebp household mask --new-regions`",
        ),
        _ => failure,
    }
}
