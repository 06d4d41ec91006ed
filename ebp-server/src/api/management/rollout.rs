//! Roll-outs of versions of the program, for administrators. Each has a revision as its `ETag`, and is
//! changed with `If-Match` only of that revision.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use ebp_core::contract::{Listing, NewRollout, Rollout, RolloutChange, RolloutReport};
use ebp_survey::Survey;

use super::{list_query, listing, revision};
use crate::{
    api::{body, intake::Intake, uuid},
    auth::Manager,
    problem::ApiError,
    rollout::RolloutWatch,
};

/// Revisions in an `If-Match`, at most.
const MOST: usize = 16;

/// `GET /management/rollout?limit&cursor`: roll-outs in the order in which they began.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<Rollout>>, ApiError> {
    Ok(Json(listing(survey.store().rollouts(list_query(&uri)?).await?)))
}

/// `POST /management/rollout`: begins one, unless another one is under way.
pub async fn begin(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(watch): State<Arc<RolloutWatch>>,
    Manager(group): Manager,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let by = revision::author(group, &headers)?;
    let new: NewRollout = body::json(&intake, request).await?;
    let rollout = survey.begin_rollout(new, name(by.label)).await?;
    watch.wake();
    let tag = tag(rollout.revision);
    Ok((StatusCode::CREATED, [(header::ETAG, tag)], Json(rollout)).into_response())
}

/// `GET /management/rollout/{uuid}`: with its devices, and what was done to it.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(rollout): Path<String>,
) -> Result<Response, ApiError> {
    Ok(with_revision(survey.rollout(uuid(&rollout)?).await?))
}

/// `PATCH /management/rollout/{uuid}`: advances, halts, resumes or ends it; with `If-Match` only of
/// that revision.
pub async fn change(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(watch): State<Arc<RolloutWatch>>,
    Manager(group): Manager,
    Path(rollout): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let (rollout, expected) = (uuid(&rollout)?, expected(&headers)?);
    let by = revision::author(group, &headers)?;
    let RolloutChange { action } = body::json(&intake, request).await?;
    let report = survey.steer_rollout(rollout, action, expected.as_deref(), name(by.label)).await?;
    watch.wake();
    Ok(with_revision(report))
}

/// By what name an administrator's change is recorded.
fn name(label: Option<ebp_store::Label>) -> String {
    label.map_or_else(|| "shared".to_owned(), |label| label.as_str().to_owned())
}

fn with_revision(report: RolloutReport) -> Response {
    ([(header::ETAG, tag(report.rollout.revision))], Json(report)).into_response()
}

fn tag(revision: u64) -> HeaderValue {
    // Digits in quotation marks are a header's value.
    HeaderValue::from_str(&format!("\"{revision}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The revisions of `If-Match` (RFC 9110, 13.1.1). Weak ones, and those of another form, are valid and
/// no roll-out's.
fn expected(headers: &HeaderMap) -> Result<Option<Vec<u64>>, ApiError> {
    let malformed = || {
        let form = "`If-Match` must be `*` or the `ETag` of the roll-out, in quotation marks";
        ApiError::Invalid(form.to_owned())
    };
    let (mut revisions, mut is_given) = (Vec::new(), false);
    for value in headers.get_all(header::IF_MATCH) {
        let text = value.to_str().map_err(|_| malformed())?.trim();
        if text == "*" {
            return Ok(None);
        }
        is_given = true;
        for tag in text.split(',').map(str::trim) {
            let (is_weak, tag) = match tag.strip_prefix("W/") {
                Some(tag) => (true, tag),
                None => (false, tag),
            };
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let inner = inner.filter(|inner| !inner.contains('"')).ok_or_else(malformed)?;
            if revisions.len() == MOST {
                return Err(malformed());
            }
            revisions.extend(inner.parse::<u64>().ok().filter(|_| !is_weak));
        }
    }
    Ok(is_given.then_some(revisions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_those_in_quotation_marks() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::IF_MATCH, text.parse().unwrap());
            expected(&headers).map_err(drop)
        };
        assert_eq!(expected(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("*"), Ok(None));
        assert_eq!(read("\"3\""), Ok(Some(vec![3])));
        assert_eq!(read("\"3\", W/\"4\",\"x\",\"5\""), Ok(Some(vec![3, 5])));
        for wrong in ["3", "\"", "\"3", "\"3\",", "\"3\"4\""] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
        assert_eq!(tag(7), "\"7\"");
    }
}
