//! Endpoints 7 and 8: measurements.
//!
//! Enters: queries and uploads. Leaves: pages, and the result for each item. Absent: the rules by
//! which one is refused; the store knows them.

mod body;
mod bounded;
mod item;
mod list;
mod packing;
mod pieces;
mod upload;
mod whole;

pub use list::{list, page_query};
pub use upload::upload;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::problem::ApiError;

/// Reads an upload's body of that content encoding as the server does, and returns how many
/// measurements it has, and how many octets unpacked. For tests and fuzzing of its bounds.
///
/// # Errors
/// What an upload would be answered.
pub fn read(body: &[u8], encoding: Option<&str>) -> Result<(usize, usize), ApiError> {
    let mut headers = HeaderMap::new();
    if let Some(encoding) = encoding {
        let value = HeaderValue::from_str(encoding).map_err(|_| ApiError::UnsupportedMedia)?;
        headers.insert(header::CONTENT_ENCODING, value);
    }
    let upload = body::read(body, packing::Packing::from_headers(&headers)?)?;
    Ok((upload.items.len(), upload.octets))
}
