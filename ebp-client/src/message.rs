//! What researchers ask of messages, and the withdrawals that they record.

use ebp_core::contract::{Consent, Listing, Message, MessageAnswer, Withdrawal, paths};
use reqwest::Method;
use uuid::Uuid;

use crate::{ClientError, Manager};

impl Manager {
    /// A page of all households' messages, oldest first; only those that are open, if so asked.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn all_messages(
        &self,
        open: bool,
        cursor: Option<&str>,
    ) -> Result<Listing<Message>, ClientError> {
        let which = if open { "?open=true" } else { "?limit=1000" };
        let query = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{which}{query}", paths::MANAGEMENT_MESSAGE))
    }

    /// Answers a message, which closes it.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if there is no such message (any more), 409 if it is closed.
    pub fn answer_message(
        &self,
        message: Uuid,
        answer: &MessageAnswer,
    ) -> Result<Message, ClientError> {
        let path = paths::MESSAGE_ANSWER.replace("{uuid}", &message.to_string());
        self.send(Method::POST, &path, answer)
    }

    /// Closes a message without an answer.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::answer_message`].
    pub fn close_message(&self, message: Uuid) -> Result<Message, ClientError> {
        let path = paths::MESSAGE_CLOSE.replace("{uuid}", &message.to_string());
        self.client.send(Method::POST, &path)
    }

    /// Records that a household withdrew its consent elsewhere: it is revoked, for good.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if there is no such household, 409 if consent is not granted, 410 if it is revoked, 422 if it
    /// cannot have come on that day.
    pub fn record_withdrawal(
        &self,
        household: Uuid,
        withdrawal: &Withdrawal,
    ) -> Result<Consent, ClientError> {
        let path = paths::REVOCATION.replace("{household}", &household.to_string());
        self.send(Method::POST, &path, withdrawal)
    }
}
