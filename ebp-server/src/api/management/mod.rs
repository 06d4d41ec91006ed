//! What is under `/management`: for researchers and administrators, who act for no household.
//!
//! Enters: the group that asks, changes. Leaves: lists and what belongs to one household or
//! device. Absent: the rules of a registration; the store knows them.

pub mod certificate;
pub mod device;
pub mod household;
pub mod member;

use axum::{extract::Query, http::Uri};
use ebp_core::contract::{Listing, limits};

use crate::{
    problem::ApiError,
    store::{Cursor, ListCursor, ListPage, ListQuery},
};

/// `?limit&cursor`; `cursor` is what the page before gave as `next`.
fn query(uri: &Uri) -> Result<ListQuery, ApiError> {
    let invalid = |what: &str| ApiError::Invalid(what.to_owned());
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| invalid("the query is not of the form name=value&…"))?;
    let mut query = ListQuery { after: None, limit: limits::PAGE_DEFAULT };
    let mut seen = Vec::new();
    for (name, value) in &pairs {
        match name.as_str() {
            "limit" => {
                let limit = value.parse().ok().filter(|n| (1..=limits::PAGE_MAX).contains(n));
                query.limit = limit.ok_or_else(|| {
                    ApiError::Invalid(format!("`limit` must be 1 to {}", limits::PAGE_MAX))
                })?;
            }
            "cursor" => {
                let place: Cursor = value
                    .parse()
                    .map_err(|()| invalid("`cursor` must be the `next` of the page before"))?;
                query.after =
                    Some(ListCursor { registered_at: place.measured_at, uuid: place.uuid });
            }
            _ => return Err(invalid("the query knows limit and cursor")),
        }
        if seen.contains(&name) {
            return Err(invalid("a parameter of the query stands twice"));
        }
        seen.push(name);
    }
    Ok(query)
}

fn listing<T>(page: ListPage<T>) -> Listing<T> {
    let text = |place: ListCursor| {
        Cursor { measured_at: place.registered_at, uuid: place.uuid }.to_string()
    };
    Listing { items: page.items, next: page.next.map(text) }
}
