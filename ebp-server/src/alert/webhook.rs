//! The webhook: messages as signed requests, as <https://www.standardwebhooks.com> describes them.
//!
//! The header `webhook-id` is the message's identifier, the same on every attempt; `idempotency-key`
//! repeats it. `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over identifier, timestamp
//! and body, joined by points: a receiver that checks it and the timestamp takes nothing from
//! anybody else, and nothing that was recorded long ago.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use ebp_core::{contract::AlertNotice, private_file};
use ebp_store::{Attempted, DueDelivery};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Response, StatusCode, header};
use ring::hmac;

use super::{
    AlertError, WebhookSettings,
    target::{Reach, Target, describe},
};

/// The shortest secret, octets.
const SHORTEST: usize = 16;

/// Sends messages to a webhook.
pub struct Webhook {
    target: Target,
    key: hmac::Key,
}

impl Webhook {
    /// As the settings say; reads the secret.
    ///
    /// # Errors
    /// [`AlertError`] if a setting or the secret's file cannot be used.
    pub fn open(settings: &WebhookSettings, reach: &Reach) -> Result<Self, AlertError> {
        let key = "webhook_secret";
        let text = private_file::read_to_string(&settings.secret)
            .map_err(|source| AlertError::Secret { key, source })?;
        let text = text.trim();
        // The form that the standard has for secrets.
        let secret = match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|_| AlertError::setting(key, "what follows whsec_ is no base64"))?,
            None => text.as_bytes().to_vec(),
        };
        if secret.len() < SHORTEST {
            let reason = format!("the secret has less than {SHORTEST} octets");
            return Err(AlertError::setting(key, reason));
        }
        Ok(Self {
            target: Target::new("webhook", &settings.url, reach)?,
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
        })
    }

    /// Sends a message.
    pub async fn send(&self, due: &DueDelivery, now: Timestamp) -> Attempted {
        let failed = |error: String, pause| Attempted::Failed { error, pause };
        let notice = AlertNotice {
            message: due.message,
            kind: due.kind,
            created_at: due.created_at,
            began: due.began,
            ended: due.ended,
            items: due.items.clone(),
            omitted: (due.began + due.ended).saturating_sub(due.items.len() as u64),
        };
        let Ok(body) = serde_json::to_vec(&notice) else {
            return failed("the message cannot be written".to_owned(), None);
        };
        let client = match self.target.client().await {
            Ok(client) => client,
            Err(error) => return failed(error, None),
        };
        let (id, timestamp) = (due.message.to_string(), now.as_second().to_string());
        let request = client
            .post(self.target.url().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("idempotency-key", &id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", self.sign(&id, &timestamp, &body))
            .body(body);
        match request.send().await {
            // Its body is not read: however long it is, the connection is closed.
            Ok(response) => judge(&response, now),
            Err(error) => failed(describe(error), None),
        }
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// What the receiver's answer means.
fn judge(response: &Response, now: Timestamp) -> Attempted {
    let status = response.status();
    if status.is_success() {
        return Attempted::Accepted;
    }
    if status == StatusCode::GONE {
        return Attempted::Refused { error: "the answer is 410: it wants no messages".to_owned() };
    }
    let error = match status.is_redirection() {
        true => format!("the answer is {}, and redirections are not followed", status.as_u16()),
        false => format!("the answer is {}", status.as_u16()),
    };
    let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Attempted::Failed { error, pause: after.and_then(|after| pause(after, now)) }
}

/// How long a receiver asks to wait: seconds, or the instant until when.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Duration::try_from(until.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::{super::SecretUrl, *};

    #[test]
    fn receivers_may_ask_to_wait() {
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let seconds = |text| pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Tue, 01 Dec 2026 12:05:00 GMT"), Some(300));
        assert_eq!(seconds("Tue, 01 Dec 2026 11:05:00 GMT"), None);
        assert_eq!(seconds("99999999999999999999"), None);
        assert_eq!(seconds("soon"), None);
    }

    /// The example of the standard's specification.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let reach = Reach {
            allowed: Vec::new(),
            ca: None,
            patience: Duration::from_secs(1),
            names: std::sync::Arc::new(super::super::names::SystemNames),
        };
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let webhook = Webhook {
            target: Target::new("webhook", &SecretUrl::new("https://example.org/"), &reach)
                .unwrap(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
        };
        let signature =
            webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
