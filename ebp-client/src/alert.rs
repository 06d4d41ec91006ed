//! What administrators ask of alerts.

use ebp_core::contract::{
    AlertMessage, AlertRuleSet, AlertRules, ChangedRules, ErrorGroups, Listing, paths,
};
use reqwest::{Method, header};
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

    /// Changes the rules for all servers of the database, if they are still of that version: 0 if they
    /// were never changed. Returns those that hold then.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 412 if they have another version, 422 if they cannot be
    /// used.
    pub fn change_alert_rules(
        &self,
        rules: &AlertRuleSet,
        version: u64,
    ) -> Result<AlertRules, ClientError> {
        let version = format!("\"{version}\"");
        let request = self.client.request(Method::PUT, paths::ALERT_RULE);
        let request = request.header(header::IF_MATCH, version).json(rules);
        self.client.answer(paths::ALERT_RULE, request)
    }

    /// The last hundred versions of the rules, the newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn alert_rule_changes(&self) -> Result<Vec<ChangedRules>, ClientError> {
        self.client.get(paths::ALERT_RULE_CHANGES)
    }

    /// The groups of errors of devices, and of the server that answers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn error_groups(&self) -> Result<ErrorGroups, ClientError> {
        self.client.get(paths::ERROR_GROUP)
    }

    /// Asks for a message that tests how messages are sent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn test_alerts(&self) -> Result<AlertMessage, ClientError> {
        self.client.send(Method::POST, paths::ALERT_TEST)
    }
}
