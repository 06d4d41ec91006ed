//! Takes in what is left of a request's body when its answer is known.
//!
//! Enters: requests. Leaves: their answers, once the client has sent what it was about to send. An
//! answer without that is often lost: a client that still writes when the connection is closed sees
//! an error and never reads why it was refused. One that is refused by the length it says, or whose
//! client asked whether to send it (`Expect: 100-continue`), is answered at once: the first is taken
//! in behind the answer, the second is never sent, and the connection is closed. Absent: bodies
//! beyond any limit; there the connection is closed.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// How long the rest is waited for, and how much of it is taken in: it costs the line, no memory.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST: usize = 64 << 20;

type Slot = Arc<Mutex<Option<Rest>>>;

/// What is left of a body, and whether any of it was asked for.
struct Rest {
    body: Body,
    begun: bool,
}

/// A body that is put into a slot when it is no longer wanted.
struct Returning {
    body: Body,
    begun: bool,
    slot: Slot,
}

impl HttpBody for Returning {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.begun = true;
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
            let rest = Rest { body: std::mem::take(&mut self.body), begun: self.begun };
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }
}

/// Answers when the body is in, or will never be.
pub async fn drain(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let slot = Slot::default();
    let give = slot.clone();
    let returning = |body| Body::new(Returning { body, begun: false, slot: give });
    let mut response = next.run(request.map(returning)).await;
    let rest = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Rest { body, begun }) = rest else { return response };
    if !begun && waits {
        // To ask for the rest would be to tell the client to send it.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    } else if !begun && response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        if body.size_hint().lower() <= MOST as u64 {
            tokio::spawn(take_in(body));
        }
    } else {
        take_in(body).await;
    }
    response
}

/// Takes in what is left, within bounds.
async fn take_in(mut body: Body) {
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
