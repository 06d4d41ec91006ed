//! The query string.
//!
//! Enters: an address. Leaves: its parameters, or everything that is wrong with them at once,
//! without any value. Absent: the meaning of the parameters, which the handler defines.

use axum::{extract::Query, http::Uri};
use ebp_core::contract::limits;

use crate::problem::ApiError;
use ebp_store::Cursor;

/// Hands each parameter to `take`, which says what is wrong with its value. One that is not among
/// the `known`, or that occurs twice, is a fault.
pub fn read(
    uri: &Uri,
    known: &[&str],
    mut take: impl FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), ApiError> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| ApiError::Invalid("the query is not of the form name=value&…".to_owned()))?;
    let mut faults = Vec::new();
    let mut seen = Vec::new();
    for (name, value) in &pairs {
        let fault = if !known.contains(&name.as_str()) {
            Err(format!("the query knows {} only", known.join(", ")))
        } else if seen.contains(&name) {
            Err(format!("`{name}` occurs twice"))
        } else {
            seen.push(name);
            take(name, value)
        };
        if let Err(fault) = fault
            && !faults.contains(&fault)
        {
            faults.push(fault);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ApiError::Invalid(faults.join("; "))) }
}

/// How many entries are wanted.
pub fn limit(value: &str) -> Result<usize, String> {
    let limit = value.parse().ok().filter(|limit| (1..=limits::PAGE_MAX).contains(limit));
    limit.ok_or_else(|| format!("`limit` must be 1 to {}", limits::PAGE_MAX))
}

/// What is said of a cursor that is none.
pub const WRONG_CURSOR: &str = "`cursor` must be the `next` of the page before";

/// Where the page before ended.
pub fn cursor(value: &str) -> Result<Cursor, String> {
    value.parse().map_err(|()| WRONG_CURSOR.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_once_and_no_value() {
        let told = |text: &str| {
            let uri = format!("/m?{text}").parse().unwrap();
            let read = read(&uri, &["limit", "cursor"], |name, value| match name {
                "limit" => limit(value).map(drop),
                _ => cursor(value).map(drop),
            });
            read.err().map(|error| error.to_string())
        };
        assert_eq!(told(""), None);
        assert_eq!(told("limit=10000"), None);
        assert_eq!(
            told("limit=0&secret=x&cursor=secret&limit=1&limit=2&secret=y").unwrap(),
            "malformed: `limit` must be 1 to 10000; the query knows limit, cursor only; `cursor` \
             must be the `next` of the page before; `limit` occurs twice"
        );
    }
}
