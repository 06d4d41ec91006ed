//! Sends the archive of an export: whole, or the range that a client still lacks (RFC 9110, section 14).
//!
//! Its parts are read from the database as they are sent, and each is asked for anew: a revocation
//! meanwhile ends the answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ebp_core::contract::ExportReport;
use ebp_store::{RESULT_PART, Store, StoreError};
use hyper::body::Frame;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::problem::ApiError;

/// Octets of an archive, from the first to behind the last.
type Range = std::ops::Range<u64>;

/// Sends the archive that this attempt at a job made.
pub fn send(
    store: Arc<dyn Store>,
    (job, attempt): (Uuid, u32),
    report: &ExportReport,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = format!("\"{}\"", report.sha256);
    // A range of another archive would be of no use.
    let is_same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let asked = text(header::RANGE).filter(|_| is_same);
    let Wanted { status, range } = wanted(asked, report.octets);
    let name = format!("attachment; filename=\"{}.tar\"", report.name);
    let common = [
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::ETAG, tag),
    ];
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        let whole = [(header::CONTENT_RANGE, format!("bytes */{}", report.octets))];
        return Ok((status, common, whole).into_response());
    }
    let content = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, (range.end - range.start).to_string()),
    ];
    let digest = [("repr-digest", format!("sha-256=:{}:", base64_of(&report.sha256)?))];
    let mut response = (status, common, content, digest).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{}", range.start, range.end - 1, report.octets);
        let place = place.parse().map_err(|_| ApiError::Internal("a range".to_owned()))?;
        response.headers_mut().insert(header::CONTENT_RANGE, place);
    }
    let (parts, sent) = mpsc::channel(1);
    tokio::spawn(read(store, (job, attempt), range, parts));
    *response.body_mut() = Body::new(Parts(sent));
    Ok(response)
}

/// Hexadecimal digits as base64.
fn base64_of(digits: &str) -> Result<String, ApiError> {
    let octet =
        |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let octets: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(octet).collect();
    let octets = octets.ok_or_else(|| ApiError::Internal("the digest of an export".to_owned()))?;
    Ok(BASE64_STANDARD.encode(octets))
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    status: StatusCode,
    range: Range,
}

/// The one range that `Range` asks for. Several ranges, other units and what is malformed are as if
/// nothing had been asked for.
fn wanted(asked: Option<&str>, octets: u64) -> Wanted {
    let whole = Wanted { status: StatusCode::OK, range: 0..octets };
    let range =
        asked.and_then(|text| text.strip_prefix("bytes=")).and_then(|it| it.split_once('-'));
    let Some((first, last)) = range else { return whole };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        // What is too long for a number lies behind every end.
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => first..octets,
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(octets),
        (None, Some(length)) if first.is_empty() => octets.saturating_sub(length)..octets,
        _ => return whole,
    };
    let status = match range.is_empty() {
        true => StatusCode::RANGE_NOT_SATISFIABLE,
        false => StatusCode::PARTIAL_CONTENT,
    };
    Wanted { status, range }
}

/// Reads the parts of a range as long as somebody takes them.
async fn read(
    store: Arc<dyn Store>,
    (job, attempt): (Uuid, u32),
    range: Range,
    parts: mpsc::Sender<Result<Bytes, StoreError>>,
) {
    let length = RESULT_PART as u64;
    for part in range.start / length..range.end.div_ceil(length) {
        let read = store.archive_part(job, attempt, part).await.map(|bytes| {
            let begins = part * length;
            let place = |at: u64| usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX);
            let (first, last) = (place(range.start), place(range.end).min(bytes.len()));
            Bytes::from(bytes).slice(first.min(last)..last)
        });
        let is_over = read.is_err();
        if parts.send(read).await.is_err() || is_over {
            return;
        }
    }
}

/// A body of parts that are read as they are sent.
struct Parts(mpsc::Receiver<Result<Bytes, StoreError>>);

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        self.0.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let is = |text: &str, status: StatusCode, range: Range| {
            assert_eq!(wanted(Some(text), 10), Wanted { status, range }, "{text}");
        };
        let (part, whole) = (StatusCode::PARTIAL_CONTENT, StatusCode::OK);
        is("bytes=0-", part, 0..10);
        is("bytes=3-", part, 3..10);
        is("bytes=3-3", part, 3..4);
        is("bytes=3-99999999999999999999999", part, 3..10);
        is("bytes=-3", part, 7..10);
        is("bytes=-30", part, 0..10);
        for text in ["bytes=0-1,3-4", "bytes=4-3", "bytes=-", "bytes=x-", "lines=0-1", "bytes=+1-"]
        {
            is(text, whole, 0..10);
        }
        for text in ["bytes=10-", "bytes=99999999999999999999999-", "bytes=-0"] {
            assert_eq!(wanted(Some(text), 10).status, StatusCode::RANGE_NOT_SATISFIABLE, "{text}");
        }
        assert_eq!(wanted(None, 10), Wanted { status: whole, range: 0..10 });
    }

    #[test]
    fn digests() {
        assert_eq!(base64_of("00ff").unwrap(), "AP8=");
        assert!(base64_of("0").is_err() && base64_of("0g").is_err());
    }
}
