//! Addresses of the administrators' pages: where a change leads, and where an older part of a list begins.

use axum::response::{IntoResponse, Redirect, Response};
use ebp_survey::{Cursor, ListCursor};

use crate::kit::page::Preferences;

/// To a page that says what was done.
pub fn done(path: &str, what: &str) -> Response {
    Redirect::to(&format!("{path}?done={what}")).into_response()
}

/// Up to which item a page goes, by its address.
pub fn until(preferences: &Preferences) -> Option<ListCursor> {
    let Cursor { measured_at, uuid } = preferences.get("until")?.parse().ok()?;
    Some(ListCursor { registered_at: measured_at, uuid })
}

/// The address of the page up to that item.
pub fn up_to(path: &str, place: ListCursor) -> String {
    let ListCursor { registered_at, uuid } = place;
    format!("{path}?until={}", Cursor { measured_at: registered_at, uuid })
}
