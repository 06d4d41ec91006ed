//! Takes in what is left of a request's body when its answer is known.
//!
//! Enters: requests. Leaves: their answers, once the client has sent what it was about to send. An
//! answer without that is often lost: a client that still writes when the connection is closed sees
//! an error and never reads why it was refused. Absent: bodies beyond any limit; there the
//! connection is closed.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// How long the rest is waited for, and how much of it is taken in: it costs the line, no memory.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST: usize = 64 << 20;

type Slot = Arc<Mutex<Option<Body>>>;

/// A body that is put into a slot when it is no longer wanted.
struct Returning {
    body: Body,
    slot: Slot,
}

impl HttpBody for Returning {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = std::mem::take(&mut self.body);
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

/// Answers when the body is in, or will never be.
pub async fn drain(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let slot = Slot::default();
    let give = slot.clone();
    let response = next.run(request.map(|body| Body::new(Returning { body, slot: give }))).await;
    let rest = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(mut body) = rest {
        let mut left = MOST;
        let take = async {
            while let Some(Ok(frame)) = body.frame().await {
                let taken = frame.data_ref().map_or(0, Bytes::len);
                let Some(less) = left.checked_sub(taken) else { break };
                left = less;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, take).await;
    }
    response
}
