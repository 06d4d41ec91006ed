//! The survey, for whoever asks: who runs it, what participants agree to, prices.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_survey::{Survey, price::is_window};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::query;
use crate::problem::ApiError;

/// `GET /survey?text_version&prices_from&prices_to`: without a version the texts are those that
/// participants agree to now, and without times the prices by quarter hours are left out.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut version = None;
    let (mut from, mut to) = (None, None);
    query::read(&uri, &["text_version", "prices_from", "prices_to"], |name, value| {
        if name == "text_version" {
            let given = value.parse().ok().filter(|version| *version > 0);
            version = Some(given.ok_or("`text_version` must be a whole number from 1 on")?);
            return Ok(());
        }
        let given = value.parse::<Timestamp>().map_err(|_| format!("`{name}` must be a time"))?;
        *(if name == "prices_from" { &mut from } else { &mut to }) = Some(given);
        Ok(())
    })?;
    let prices = match (from, to) {
        (None, None) => None,
        (Some(from), Some(to)) if is_window(from, to) => Some((from, to)),
        _ => {
            return Err(ApiError::Invalid(
                "`prices_from` and `prices_to` must be given together, each the beginning of a \
                 quarter of an hour, the second one after the first, 31 days at most"
                    .to_owned(),
            ));
        }
    };
    let information = survey.information(version, prices).await?;
    let body = serde_json::to_vec(&information)
        .map_err(|_| ApiError::Internal("the survey cannot be written".to_owned()))?;
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &body)));
    let answer = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    Ok(([(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())], answer)
        .into_response())
}

/// Whether the client has what that tag stands for (RFC 9110, section 13.1.2; compared weakly).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let texts = known.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|given| {
        let given = given.trim();
        given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        let known = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
            }
            is_known(&headers, "\"abc\"")
        };
        for values in [&["\"abc\""][..], &["\"x\", W/\"abc\""], &["\"x\"", "\"abc\""], &["*"]] {
            assert!(known(values), "{values:?}");
        }
        for values in [&[][..], &["abc"], &["\"ab\""], &["\"abcd\""], &[""]] {
            assert!(!known(values), "{values:?}");
        }
    }
}
