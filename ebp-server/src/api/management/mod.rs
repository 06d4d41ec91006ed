//! Endpoints under `/management`, for researchers and administrators.
//!
//! Enters: the group that asks, changes. Leaves: lists and what belongs to one household or
//! device. Absent: the rules of a registration; the store knows them.

pub mod alert;
mod archive;
pub mod certificate;
pub mod device;
pub mod error_group;
pub mod fleet;
pub mod household;
pub mod job;
pub mod measurement;
pub mod member;
pub mod message;
mod revision;
pub mod revocation;
pub mod rollout;
pub mod session;

use axum::http::Uri;
use ebp_core::contract::{Listing, limits};

use super::query;
use crate::problem::ApiError;
use ebp_store::{Cursor, ListCursor, ListPage, ListQuery};

/// `?limit&cursor`; `cursor` is what the page before gave as `next`.
pub(super) fn list_query(uri: &Uri) -> Result<ListQuery, ApiError> {
    let mut query = ListQuery { after: None, limit: limits::PAGE_DEFAULT };
    query::read(uri, &["limit", "cursor"], |name, value| {
        if name == "limit" {
            query.limit = query::limit(value)?;
        } else {
            let Cursor { measured_at, uuid } = query::cursor(value)?;
            query.after = Some(ListCursor { registered_at: measured_at, uuid });
        }
        Ok(())
    })?;
    Ok(query)
}

pub(super) fn listing<T>(page: ListPage<T>) -> Listing<T> {
    let text = |place: ListCursor| {
        Cursor { measured_at: place.registered_at, uuid: place.uuid }.to_string()
    };
    Listing { items: page.items, next: page.next.map(text) }
}
