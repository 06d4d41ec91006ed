//! Which route gave an answer.

use axum::response::Response;

/// A route's path as the table writes it: paths themselves name meters.
#[derive(Clone, Copy)]
pub(crate) struct Template(pub &'static str);

impl Template {
    /// The route that gave the answer.
    pub fn from_response(response: &Response) -> Option<&'static str> {
        response.extensions().get().map(|template: &Self| template.0)
    }
}
