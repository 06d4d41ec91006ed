//! What cannot be undone is asked once more on a page of its own; what is shown once, too.

use askama::Template;
use ebp_core::contract::EnrolmentToken;
use jiff::Timestamp;
use uuid::Uuid;

use crate::kit::{
    form::Fields,
    frame::{Frame, SwitchForm},
};

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
    expires_at: Timestamp,
    back: String,
}

/// What `do` says to show a token again, and to make none.
const SHOW: &str = "show";

/// The token that a page had which is shown again, as the language was switched; none if a new one is
/// asked for.
#[must_use]
pub fn shown_again(device: Uuid, fields: &Fields) -> Option<EnrolmentToken> {
    let kept = |name: &str| fields.get(name).to_owned();
    let expires_at = fields.get("expires").parse().ok()?;
    let sign_in_code = Some(kept("code")).filter(|code| !code.is_empty());
    let token = EnrolmentToken { device, token: kept("enrolment"), sign_in_code, expires_at };
    (fields.get("do") == SHOW && !token.token.is_empty()).then_some(token)
}

impl TokenPage {
    /// Of a token that was just made.
    #[must_use]
    pub fn new(frame: Frame, made: &EnrolmentToken) -> Self {
        let back = format!("/status/device/{}", made.device);
        let action = format!("{back}/token");
        let switch = SwitchForm { id: "token", action, asks: SHOW, enter: ("do", SHOW) };
        let frame = frame.switched_by(switch);
        Self {
            token: made.token.clone(),
            code: made.sign_in_code.clone().unwrap_or_default(),
            until: frame.when(made.expires_at),
            expires_at: made.expires_at,
            back,
            frame,
        }
    }
}
