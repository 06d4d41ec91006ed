//! The compression of an upload's body; it is decompressed as a stream, never as a whole.

use std::io::Read;

use axum::http::{HeaderMap, header};
use flate2::bufread::MultiGzDecoder;

use crate::problem::ApiError;

/// The largest window that is unpacked, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip (RFC 1952).
    Gzip,
    /// As zstd (RFC 8878).
    Zstd,
}

impl Packing {
    /// What the headers say. The body's type may be left unsaid, but not be another than JSON.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        let text = |name| match headers.get(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).map_err(|_| ApiError::UnsupportedMedia),
        };
        let essence = |value: &str| value.split(';').next().unwrap_or("").trim().to_lowercase();
        if text(header::CONTENT_TYPE)?.is_some_and(|value| essence(value) != "application/json") {
            return Err(ApiError::UnsupportedMedia);
        }
        match text(header::CONTENT_ENCODING)?.map(|value| value.trim().to_lowercase()).as_deref() {
            None | Some("identity") => Ok(Self::Plain),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some("zstd") => Ok(Self::Zstd),
            Some(_) => Err(ApiError::UnsupportedMedia),
        }
    }

    /// The name of the form that the body should have.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "JSON",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The body unpacked, as it is read; `None` where it is plain. Besides what it reads it holds a
    /// window of 32 KiB (gzip) or as the body says, of 8 MiB at most (zstd).
    pub fn reader(self, body: &[u8]) -> Result<Option<Box<dyn Read + '_>>, ApiError> {
        let failed = |error: std::io::Error| ApiError::Internal(error.to_string());
        Ok(match self {
            Self::Plain => None,
            Self::Gzip => Some(Box::new(MultiGzDecoder::new(body))),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(failed)?;
                decoder.window_log_max(ZSTD_WINDOW).map_err(failed)?;
                Some(Box::new(decoder))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packings() {
        let of = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Packing::from_headers(&headers).ok()
        };
        assert_eq!(of("content-encoding", "GZIP"), Some(Packing::Gzip));
        assert_eq!(of("content-encoding", "zstd"), Some(Packing::Zstd));
        assert_eq!(of("content-encoding", "br"), None);
        assert_eq!(of("content-encoding", "gzip, gzip"), None);
        assert_eq!(of("content-type", "application/json; charset=utf-8"), Some(Packing::Plain));
        assert_eq!(of("content-type", "text/plain"), None);
    }
}
