//! Alerts: devices are watched by one server of a database, and administrators are told what
//! changed, by webhook and by mail.
//!
//! Enters: the survey, settings. Leaves: messages that were sent, and a call of the watchdog as long
//! as all of that works. Absent: when an episode begins and when a message is due, which are pure
//! rules of the store.
//!
//! What is sent is decided in one transaction and sent afterwards, by a delivery for each channel.
//! A server that is killed in between, or after a message was sent and before that is recorded,
//! leaves a delivery that is attempted again, with the same key: a receiver that drops a key that it
//! has seen gets each message once.

mod error;
mod heartbeat;
mod mail;
mod names;
mod network;
#[cfg(test)]
mod rebinding;
mod secret_url;
mod settings;
mod target;
mod text;
mod watcher;
mod webhook;

pub use error::AlertError;
pub use network::{InvalidNetwork, Network};
pub use secret_url::SecretUrl;
pub use settings::{AlertSettings, MailSettings, MailTls, WebhookSettings};
pub use watcher::{AlertWatch, Watcher};
