//! Documents at the foot of each page.

use askama::Template;
use axum::response::Response;

use super::visitor::Visitor;
use crate::kit::frame::Frame;

#[derive(Template)]
#[template(path = "cloud/document.html")]
struct Page {
    frame: Frame,
    text: String,
}

/// `GET /privacy`.
pub async fn privacy(visitor: Visitor) -> Response {
    let frame = visitor.frame(visitor.language().say("cloud-privacy-title"));
    let text = frame.markdown("cloud-privacy");
    visitor.show(&Page { frame, text })
}

/// `GET /accessibility`.
pub async fn accessibility(visitor: Visitor) -> Response {
    let frame = visitor.frame(visitor.language().say("cloud-accessibility-title"));
    let text = frame.markdown("cloud-accessibility");
    visitor.show(&Page { frame, text })
}
