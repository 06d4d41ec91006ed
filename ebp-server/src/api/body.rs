//! A request's JSON body, within its bounds. Uploads have bounds and a reading of their own.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{App, problem::ApiError};

/// Bytes of a body that is no upload, at most.
const SMALL_BODY: usize = 256 << 10;

/// Reads the body.
pub async fn json<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, ApiError> {
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
    parse(&receive(request.into_body(), SMALL_BODY, app.limits.body).await?)
}

/// Receives a body of so many bytes at most, within so long.
pub async fn receive(body: Body, most: usize, within: Duration) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(within, Limited::new(body, most).collect())
        .await
        .map_err(|_| ApiError::Timeout)?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::TooLarge(format!("the body has more than {most} bytes"))
        } else {
            ApiError::Invalid("the body broke off".to_owned())
        }
    })
}

/// The error names the member that is wrong and what is wrong with it, and repeats no value.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = error.path().to_string();
        let error = error.into_inner();
        if !error.is_data() {
            let (line, column) = (error.line(), error.column());
            return ApiError::Invalid(format!(
                "the body is no JSON (line {line}, column {column})"
            ));
        }
        // serde's own words repeat values, but these beginnings name members of the contract.
        let words = error.to_string();
        let what = match words.split('`').collect::<Vec<_>>()[..] {
            ["missing field ", name, ..] => format!("`{name}` is missing"),
            ["unknown field ", ..] => "is no member that is known".to_owned(),
            _ => "is not of its form".to_owned(),
        };
        let place = if place == "." { "the body".to_owned() } else { place };
        ApiError::Invalid(format!("{place}: {what}"))
    })?;
    deserializer
        .end()
        .map_err(|_| ApiError::Invalid("there is more than one JSON value".to_owned()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use ebp_core::contract::Registration;

    use super::*;

    fn told(body: &str) -> String {
        match parse::<Registration>(body.as_bytes()).unwrap_err() {
            ApiError::Invalid(what) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place_and_without_values() {
        assert_eq!(told("{"), "the body is no JSON (line 1, column 1)");
        assert_eq!(told("{}"), "the body: `participant` is missing");
        assert_eq!(told(r#"{"participant":{"name":7}}"#), "participant.name: is not of its form");
        let unknown = told(r#"{"secret":1}"#);
        assert_eq!(unknown, "secret: is no member that is known");
        let deep = format!("{{\"participant\":{}", "[".repeat(100_000));
        assert!(told(&deep).starts_with("participant") || told(&deep).contains("no JSON"));
    }
}
