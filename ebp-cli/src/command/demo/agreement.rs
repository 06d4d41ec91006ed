//! The participants' consent to the demo's text.

use ebp_client::{Client, ClientError};
use ebp_core::contract::{Consent, ConsentGrant};

/// Grants consent to the survey's text, as a participant who read it.
pub fn agree(client: &Client) -> Result<Consent, ClientError> {
    let survey = client.survey()?;
    let language = survey.texts.first().map(|text| text.language);
    client.grant_consent_to(&ConsentGrant { text_version: survey.text_version, language })
}
