//! A request's JSON body, within its limits. Uploads have separate limits and a separate parser.

use axum::{extract::Request, http::header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use serde_path_to_error::Segment;
use utoipa::ToSchema;

use super::{
    intake::Intake,
    receive::{Received, check_length, receive},
};
use crate::{limit::ClientId, problem::ApiError};
use ebp_store::{
    Faults,
    form::{
        self,
        repeated::{self, Flaw},
    },
};

/// Bytes of a body that is no upload, at most.
const SMALL_BODY: usize = 256 << 10;

/// Values in such a body, at most: each takes more memory than the octet that it may be.
const VALUES: usize = 20_000;

/// Reads the body; all faults are reported at once.
pub async fn json<T: Form>(intake: &Intake, request: Request) -> Result<T, ApiError> {
    read(small(intake, request).await?.as_ref())?.into_valid()
}

/// Reads a body that may be left out.
pub async fn json_or_default<T: Form + Default>(
    intake: &Intake,
    request: Request,
) -> Result<T, ApiError> {
    match small(intake, request).await?.as_ref() {
        [] => Ok(T::default()),
        body => read(body)?.into_valid(),
    }
}

/// Reads a body of so many octets at most.
pub async fn json_within<T: Form>(
    intake: &Intake,
    request: Request,
    most: usize,
) -> Result<T, ApiError> {
    read(within(intake, request, most).await?.as_ref())?.into_valid()
}

/// Reads a body for a method of the store that refuses one with faults. Where the store finds the
/// very same faults it is the one to say so, since it may know of conflicts besides.
pub async fn for_store<T: Form>(intake: &Intake, request: Request) -> Result<T, ApiError> {
    let read: Read<T> = read(small(intake, request).await?.as_ref())?;
    match read.body {
        Some(body) if read.faults == Faults::against_schema(&body) => Ok(body),
        _ => read.into_valid(),
    }
}

async fn small(intake: &Intake, request: Request) -> Result<Received, ApiError> {
    within(intake, request, SMALL_BODY).await
}

async fn within(intake: &Intake, request: Request, most: usize) -> Result<Received, ApiError> {
    check_length(request.body(), most)?;
    let kind = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str());
    let essence = |value: &str| value.split(';').next().unwrap_or("").trim().to_lowercase();
    match kind {
        Some(Ok(kind)) if essence(kind) != "application/json" => {
            return Err(ApiError::UnsupportedMedia);
        }
        Some(Err(_)) => return Err(ApiError::UnsupportedMedia),
        _ => {}
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(ApiError::UnsupportedMedia);
    }
    let client = request.extensions().get::<ClientId>().copied();
    let client = client.ok_or_else(|| ApiError::Internal("no client".to_owned()))?;
    receive(intake, client, request.into_body(), most).await
}

/// What a body can be read as: of a published form.
pub trait Form: DeserializeOwned + Serialize + ToSchema {}
impl<T: DeserializeOwned + Serialize + ToSchema> Form for T {}

/// A body as far as it could be read, and everything that is wrong with it.
struct Read<T> {
    body: Option<T>,
    faults: Faults,
}

impl<T> Read<T> {
    fn into_valid(self) -> Result<T, ApiError> {
        match self.body {
            Some(body) if self.faults.is_empty() => Ok(body),
            _ => Err(ApiError::Faults(self.faults)),
        }
    }
}

fn read<T: Form>(body: &[u8]) -> Result<Read<T>, ApiError> {
    let no_json = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        ApiError::Invalid(format!("the body is no JSON (line {line}, column {column})"))
    };
    let repeated = match repeated::check(body, VALUES) {
        Ok(()) => None,
        Err(Flaw::Repeated(pointer)) => Some(pointer),
        Err(Flaw::Unreadable(error)) => return Err(no_json(error)),
        Err(Flaw::TooMany) => {
            return Err(ApiError::TooLarge(format!("the body has more than {VALUES} values")));
        }
    };
    if let Some(pointer) = repeated {
        // Which of the two is meant is open, and so is what else is wrong.
        let mut faults = Faults::default();
        faults.repeated(pointer);
        return Err(ApiError::Faults(faults));
    }
    let mut value: Value = serde_json::from_slice(body).map_err(no_json)?;
    let mut faults = Faults::of_json::<T>(&value);
    form::plain(&mut value);
    let body = serde_path_to_error::deserialize(value);
    if let (Err(error), true) = (&body, faults.is_empty()) {
        // The schema is wider than the type: a number of more digits than it holds.
        faults.unreadable(pointer(error.path()));
    }
    Ok(Read { body: body.ok(), faults })
}

/// A path through members and entries as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => form::member("", key),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use ebp_core::contract::Registration;

    use super::*;

    fn faults_of(body: &str) -> Vec<String> {
        match read::<Registration>(body.as_bytes()) {
            Ok(read) => read.faults.iter().map(ToString::to_string).collect(),
            Err(ApiError::Invalid(what)) => vec![what],
            Err(ApiError::TooLarge(_)) => Vec::new(),
            Err(ApiError::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place_and_without_values() {
        assert_eq!(faults_of("{"), ["the body is no JSON (line 1, column 1)"]);
        let all = faults_of(r#"{"participant": {"name": 7}, "a/b": "secret"}"#);
        assert_eq!(
            all,
            [
                "address: is missing",
                "a~1b: is no member that is known",
                "metadata: is missing",
                "meters: is missing",
                "participant/email: is missing",
                "participant/name: must be a text"
            ]
        );
        assert_eq!(
            faults_of(r#"{"participant": {"email": "a@b.c", "e\u006dail": "secret"}}"#),
            ["participant/email: occurs more than once"]
        );
        assert!(faults_of(&format!("[{}0]", "0,".repeat(VALUES))).is_empty());
        let deep = format!("{{\"participant\":{}", "[".repeat(100_000));
        assert!(faults_of(&deep)[0].contains("no JSON"));
    }
}
