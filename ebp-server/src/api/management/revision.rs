//! Who makes a change, and which version they saw: the headers `Ebp-Label` and `If-Match` of a request,
//! and the `ETag` of an answer.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{LABEL_HEADER, ManagedHousehold},
    scope::Group,
};
use ebp_store::{HouseholdVersion, Label};
use ebp_survey::{Author, Revision};
use serde::Serialize;

use crate::problem::ApiError;

/// Versions in an `If-Match`, at most.
const MOST: usize = 16;

/// From a request's headers.
///
/// # Errors
/// [`ApiError::Invalid`] if one is not of its form.
pub fn revision(group: Group, headers: &HeaderMap) -> Result<Revision, ApiError> {
    Ok(Revision { author: author(group, headers)?, expected: expected(headers)? })
}

/// Who asks for a change.
///
/// # Errors
/// [`ApiError::Invalid`] if the initials are not of their form.
pub fn author(group: Group, headers: &HeaderMap) -> Result<Author, ApiError> {
    let label = headers.get(LABEL_HEADER).map(label).transpose()?;
    Ok(Author { group, label })
}

fn label(value: &HeaderValue) -> Result<Label, ApiError> {
    let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
    text.parse().map_err(|reason| ApiError::Invalid(format!("`Ebp-Label` {reason}")))
}

/// The versions of a household of `If-Match`. Those of another form are valid and no household's.
///
/// # Errors
/// [`ApiError::Invalid`] if it is not of its form.
pub fn expected(headers: &HeaderMap) -> Result<Option<Vec<HouseholdVersion>>, ApiError> {
    let tags = tags(headers, "the household")?;
    Ok(tags.map(|tags| tags.into_iter().filter_map(|tag| tag.parse().ok()).collect()))
}

/// The versions of `If-Match` of what is numbered, which `of` names. Those of another form are valid and
/// no version's.
///
/// # Errors
/// [`ApiError::Invalid`] if it is not of its form.
pub fn expected_numbers(headers: &HeaderMap, of: &str) -> Result<Option<Vec<u64>>, ApiError> {
    let version = |tag: &str| {
        let version = tag.parse::<u64>().ok();
        // As the server writes it: neither a sign nor zeros before it.
        version.filter(|version| version.to_string() == tag)
    };
    let tags = tags(headers, of)?;
    Ok(tags.map(|tags| tags.into_iter().filter_map(version).collect()))
}

/// The tags of `If-Match` (RFC 9110, 13.1.1), but for weak ones, which match nothing; `None` if any
/// version is meant.
fn tags<'a>(headers: &'a HeaderMap, of: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
    let malformed = || {
        ApiError::Invalid(format!(
            "`If-Match` must be `*` or the `ETag` of {of}, in quotation marks"
        ))
    };
    let (mut tags, mut is_given) = (Vec::new(), false);
    for value in headers.get_all(header::IF_MATCH) {
        let mut rest = value.to_str().map_err(|_| malformed())?.trim();
        if rest == "*" {
            return Ok(None);
        }
        is_given = true;
        loop {
            let is_weak = rest.starts_with("W/");
            let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"');
            let (tag, after) =
                quoted.and_then(|text| text.split_once('"')).ok_or_else(malformed)?;
            if tags.len() == MOST {
                return Err(malformed());
            }
            if !is_weak {
                tags.push(tag);
            }
            let after = after.trim_start();
            match after.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                None if after.is_empty() => break,
                None => return Err(malformed()),
            }
        }
    }
    Ok(is_given.then_some(tags))
}

/// An answer with what is numbered, and its number as its version.
pub fn with_number(number: u64, body: impl Serialize) -> Response {
    ([(header::ETAG, format!("\"{number}\""))], Json(body)).into_response()
}

/// An answer with the household and its version.
///
/// # Errors
/// If the household cannot be written as JSON.
pub fn with_version(household: ManagedHousehold) -> Result<Response, ApiError> {
    Ok(([(header::ETAG, tag(&household)?)], Json(household)).into_response())
}

/// The `ETag` of a household, and of what belongs to it.
///
/// # Errors
/// If the household cannot be written as JSON.
pub fn tag(household: &ManagedHousehold) -> Result<HeaderValue, ApiError> {
    let version = HouseholdVersion::from_household(household)?;
    HeaderValue::from_str(&format!("\"{version}\""))
        .map_err(|error| ApiError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<usize>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        expected(&headers).map(|versions| versions.map(|versions| versions.len())).map_err(drop)
    }

    #[test]
    fn numbers_are_those_in_quotation_marks() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::IF_MATCH, text.parse().unwrap());
            expected_numbers(&headers, "the roll-out").map_err(drop)
        };
        assert_eq!(expected_numbers(&HeaderMap::new(), "the roll-out").unwrap(), None);
        assert_eq!(read("*"), Ok(None));
        assert_eq!(read("\"3\""), Ok(Some(vec![3])));
        assert_eq!(read("\"3\", W/\"4\",\"x\",\"5\""), Ok(Some(vec![3, 5])));
        for wrong in ["3", "\"", "\"3", "\"3\",", "\"3\"4\""] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
        assert_eq!(with_number(7, ()).headers()[header::ETAG], "\"7\"");
    }

    #[test]
    fn versions_of_rules_are_numbers_as_the_server_writes_them() {
        let read = |value: &str| {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]);
            expected_numbers(&headers, "the rules").unwrap()
        };
        assert_eq!(read("*"), None);
        assert_eq!(read("\"0\", \"17\""), Some(vec![0, 17]));
        assert_eq!(read("W/\"1\", \"+1\", \"01\", \"\", \"-1\""), Some(Vec::new()));
        assert!(expected_numbers(&HeaderMap::new(), "the rules").unwrap().is_none());
    }

    #[test]
    fn versions_are_those_in_quotation_marks() {
        let tag = format!("\"{}\"", "0a".repeat(16));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["*"]), Ok(None));
        assert_eq!(read(&[&tag]), Ok(Some(1)));
        assert_eq!(read(&[&format!(" {tag} , {tag}"), &tag]), Ok(Some(3)));
        // Valid, and no household's.
        for foreign in [format!("W/{tag}"), "\"\"".into(), "\"abc\"".into(), "\"a,b\"".into()] {
            assert_eq!(read(&[&foreign]), Ok(Some(0)), "{foreign}");
        }
        let bare = "0a".repeat(16);
        for wrong in
            ["", &bare, "\"", &tag[..33], &format!("{tag}{tag}"), &format!("{tag},"), "*,*"]
        {
            assert_eq!(read(&[wrong]), Err(()), "{wrong}");
        }
        assert_eq!(read(&[&vec![&*tag; 17].join(",")]), Err(()));
    }
}
