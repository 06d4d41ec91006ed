//! What cannot be undone is asked once more on a page of its own; what is shown once, too.

use askama::Template;
use ebp_core::contract::EnrolmentToken;

use crate::kit::frame::Frame;

/// A page that asks once more.
#[derive(Template)]
#[template(path = "status/confirm.html")]
pub struct Confirm {
    /// The frame.
    pub frame: Frame,
    /// What will happen.
    pub sentences: Vec<String>,
    /// Where the form is sent.
    pub action: String,
    /// What the button says.
    pub button: String,
    /// Where one goes who does not.
    pub back: String,
}

/// A token, which is shown once.
#[derive(Template)]
#[template(path = "status/token.html")]
pub struct TokenPage {
    frame: Frame,
    token: String,
    code: String,
    until: String,
    back: String,
}

impl TokenPage {
    /// Of a token that was just made.
    #[must_use]
    pub fn new(frame: Frame, made: &EnrolmentToken) -> Self {
        Self {
            token: made.token.clone(),
            code: made.sign_in_code.clone().unwrap_or_default(),
            until: frame.when(made.expires_at),
            back: format!("/status/device/{}", made.device),
            frame,
        }
    }
}
