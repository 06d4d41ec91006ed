//! What administrators ask of alerts.

use ebp_core::contract::{AlertMessage, AlertRules, Listing, paths};
use reqwest::Method;
use uuid::Uuid;

use crate::{ClientError, Manager};

impl Manager {
    /// A page of messages about devices, in the order in which they were made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn alerts(&self, cursor: Option<&str>) -> Result<Listing<AlertMessage>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_ALERT))
    }

    /// A message about devices.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 404 if there is none.
    pub fn alert(&self, message: Uuid) -> Result<AlertMessage, ClientError> {
        self.client.get(&paths::MANAGED_ALERT.replace("{uuid}", &message.to_string()))
    }

    /// By which rules the server that answers tells of devices.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn alert_rules(&self) -> Result<AlertRules, ClientError> {
        self.client.get(paths::ALERT_RULE)
    }

    /// Asks for a message that tests how messages are sent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn test_alerts(&self) -> Result<AlertMessage, ClientError> {
        self.client.send(Method::POST, paths::ALERT_TEST)
    }
}
