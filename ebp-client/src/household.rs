//! What participants ask beside consent: the survey's texts, messages, everything about a household.

use std::{
    io::{Read, Write},
    time::Duration,
};

use ebp_core::contract::{
    Consent, ConsentGrant, Listing, Message, NewMessage, PurposeGrant, SurveyInformation, paths,
};
use jiff::Timestamp;
use reqwest::{Method, header};

use crate::{Client, ClientError};

/// How long an export may take.
const EXPORT: Duration = Duration::from_secs(3600);

/// What an export ends with that is complete.
const COMPLETE: &[u8] = b"\"complete\":true}\n";

/// The longest picture, bytes.
const PICTURE: u64 = 512 << 10;

impl Client {
    /// What the survey says of itself, with the texts that participants agree to.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// from a server that is older than these texts.
    pub fn survey(&self) -> Result<SurveyInformation, ClientError> {
        self.get(paths::SURVEY)
    }

    /// The same, with what electricity costs in each quarter of an hour from one instant to another.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 400
    /// unless both begin a quarter of an hour, 31 days apart at most.
    pub fn survey_with_prices(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SurveyInformation, ClientError> {
        self.get(&format!("{}?prices_from={from}&prices_to={to}", paths::SURVEY))
    }

    /// The outlines of all regions, as a picture.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// where it has no regions. An answer that is longer than half a megabyte is refused.
    pub fn regions(&self) -> Result<String, ClientError> {
        let request = self.request(Method::GET, paths::GEO_REGIONS);
        let response = self.open(request.header(header::ACCEPT, "image/svg+xml"))?;
        let mut text = String::new();
        match response.take(PICTURE + 1).read_to_string(&mut text) {
            Ok(_) if text.len() as u64 <= PICTURE => Ok(text),
            Ok(_) => Err(self.garbled(paths::GEO_REGIONS, "it is too long".to_owned())),
            Err(error) => Err(self.garbled(paths::GEO_REGIONS, error.to_string())),
        }
    }

    /// Endpoint 3: grants consent to a version of the survey's text.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 409
    /// if consent was granted before or the text has changed, 422 if it does not say which text.
    pub fn grant_consent_to(&self, grant: &ConsentGrant) -> Result<Consent, ClientError> {
        let request = self.request(Method::POST, paths::CONSENT);
        // A server that is older than the texts is sent nothing that it does not know.
        let request = if *grant == ConsentGrant::default() { request } else { request.json(grant) };
        self.answer(paths::CONSENT, request)
    }

    /// Agrees to a further purpose.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404 if
    /// the survey has no such purpose, 409 if consent is not granted.
    pub fn give_purpose(&self, name: &str, grant: PurposeGrant) -> Result<Consent, ClientError> {
        let request = self.request(Method::POST, &paths::purpose_of(name)).json(&grant);
        self.answer(paths::PURPOSE, request)
    }

    /// Withdraws that.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404 if
    /// it was never agreed to.
    pub fn withdraw_purpose(&self, name: &str) -> Result<Consent, ClientError> {
        let request = self.request(Method::DELETE, &paths::purpose_of(name));
        self.answer(paths::PURPOSE, request)
    }

    /// Writes to the researchers.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 409
    /// if the household has as many messages as it may have.
    pub fn write_message(&self, message: &NewMessage) -> Result<Message, ClientError> {
        self.answer(paths::MESSAGE, self.request(Method::POST, paths::MESSAGE).json(message))
    }

    /// A page of the household's messages with their answers, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn messages(&self, cursor: Option<&str>) -> Result<Listing<Message>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.get(&format!("{}{query}", paths::MESSAGE))
    }

    /// Writes everything that the survey holds about the household to `to`, as it comes. Returns how
    /// many bytes that were.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached, answers with a problem, or breaks
    /// off; what was written until then is no whole document. `to`'s own errors are returned as
    /// [`ClientError::SetUp`].
    pub fn export(&self, to: &mut impl Write) -> Result<u64, ClientError> {
        let request = self.request(Method::GET, paths::EXPORT).timeout(EXPORT);
        let mut response = self.open(request.header(header::ACCEPT, "application/json"))?;
        let (mut written, mut end) = (0, Vec::new());
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = response.read(&mut buffer).map_err(|error| ClientError::Unreachable {
                server: self.server.clone(),
                reason: format!("the answer breaks off: {error}"),
            })?;
            let part = &buffer[..read];
            if part.is_empty() {
                break;
            }
            to.write_all(part).map_err(|error| ClientError::SetUp {
                server: self.server.clone(),
                reason: error.to_string(),
            })?;
            written += read as u64;
            end.extend_from_slice(part);
            end.drain(..end.len().saturating_sub(COMPLETE.len()));
        }
        if end != COMPLETE {
            return Err(self.garbled(paths::EXPORT, "it is not complete".to_owned()));
        }
        Ok(written)
    }
}
