//! What was entered into a form when the session had ended: the sign-in page keeps it.
//!
//! Enters: a form of somebody who is not signed in. Leaves: its fields, as a field of the sign-in
//! page. The table of an import is long, and whoever sends it may be anybody: a form is kept up to
//! a length, and only a few long ones are read at a time. Absent: the routes' own limits.

use std::{future::poll_fn, pin::pin};

use axum::{
    body::{Body, HttpBody},
    http::Request,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::kit::{defence::Defence, form::Fields};

/// The longest body of `POST /sign-in`, octets. A thousand rows with all columns are a third of a
/// megabyte there: their text is encoded twice.
pub const LONGEST: usize = 2 << 20;

/// A body of up to that length may be read of anybody, octets.
const SHORT: u64 = 256 * 1024;

/// Long forms of people who are not signed in that are read at a time.
const MOST: usize = 4;

/// What the sign-in page's own fields take at most, octets.
const OWN_FIELDS: usize = 8 * 1024;

/// What was entered.
pub struct Draft {
    /// Where the form is sent to.
    pub action: String,
    /// Its fields, as the form's body.
    pub body: String,
}

impl Draft {
    /// Of a form that was sent there; none if it is too long for the sign-in page.
    #[must_use]
    pub fn of_form(action: &str, fields: &Fields) -> Option<Self> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.iter().filter(|(name, _)| *name != "token") {
            body.append_pair(name, value);
        }
        let body = body.finish();
        let sent: usize = form_urlencoded::byte_serialize(body.as_bytes()).map(str::len).sum();
        (sent + OWN_FIELDS <= LONGEST).then(|| Self { action: action.to_owned(), body })
    }

    /// The form's fields.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }
}

/// How many long forms are read of people who are not signed in.
pub struct LongForms(Semaphore);

/// Why a form is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It is longer than what is kept.
    #[error("the form is too long to be kept")]
    TooLong,
    /// Too many are read at this moment.
    #[error("too many long forms are read at this moment")]
    Busy,
}

impl Default for LongForms {
    fn default() -> Self {
        Self(Semaphore::new(MOST))
    }
}

impl LongForms {
    /// Lets a form of somebody who is not signed in be read, as long as what is returned is held.
    ///
    /// # Errors
    /// Returns [`NotRead`] if it is too long, or nobody says how long it is; or if others are read.
    pub fn admit(&self, request: &Request<Body>) -> Result<Option<SemaphorePermit<'_>>, NotRead> {
        match request.body().size_hint().upper() {
            Some(length) if length <= SHORT => Ok(None),
            _ if !Defence::BodyLimit.is_on() => Ok(None),
            Some(length) if length <= LONGEST as u64 => {
                self.0.try_acquire().map(Some).map_err(|_| NotRead::Busy)
            }
            Some(_) | None => Err(NotRead::TooLong),
        }
    }
}

/// Takes a body in without keeping it: a browser that is still sending sees no answer.
pub async fn pass_over(request: Request<Body>, most: usize) {
    let mut body = pin!(request.into_body());
    let mut passed = 0;
    while passed < most {
        match poll_fn(|context| body.as_mut().poll_frame(context)).await {
            Some(Ok(frame)) => passed += frame.data_ref().map_or(0, |data| data.len()),
            Some(Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_length(length: usize) -> Request<Body> {
        Request::new(Body::from(vec![b'x'; length]))
    }

    #[test]
    fn few_long_forms_are_read_at_a_time() {
        let forms = LongForms::default();
        let held: Vec<_> =
            (0..MOST).map(|_| forms.admit(&of_length(LONGEST)).unwrap().unwrap()).collect();
        assert_eq!(forms.admit(&of_length(LONGEST)).err(), Some(NotRead::Busy));
        assert!(forms.admit(&of_length(256 * 1024)).unwrap().is_none(), "signing in goes on");
        drop(held);
        assert!(forms.admit(&of_length(256 * 1024 + 1)).unwrap().is_some());
        assert_eq!(forms.admit(&of_length(LONGEST + 1)).err(), Some(NotRead::TooLong));
    }

    #[test]
    fn what_is_kept_fits_into_the_sign_in_form() {
        let of = |text: String| {
            let fields = vec![("token".into(), "secret".into()), ("file".to_owned(), text)];
            Draft::of_form("/x", &Fields::from_pairs(fields))
        };
        let kept = of("a;ä\r\n".repeat(100)).unwrap();
        assert_eq!(kept.fields(), [("file".to_owned(), "a;ä\r\n".repeat(100))]);
        assert!(of("ä".repeat(200_000)).is_some() && of("ä".repeat(210_000)).is_none());
    }
}
