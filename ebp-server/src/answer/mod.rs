//! What every answer says of itself, whatever its handler does.
//!
//! Enters: requests, answers. Leaves: answers that say how long they may be kept (`cache`) and
//! are compressed where that helps and harms nobody (`compress`). Absent: what is answered.

mod cache;
mod compress;

use axum::response::Response;

pub(crate) use cache::{is_kept, say_how_long};
pub(crate) use compress::{Compressing, compress};

/// A route's path as the table writes it: paths themselves name meters.
#[derive(Clone, Copy)]
pub(crate) struct Template(pub &'static str);

impl Template {
    /// The route that gave the answer.
    pub fn of(response: &Response) -> Option<&'static str> {
        response.extensions().get().map(|template: &Self| template.0)
    }
}
