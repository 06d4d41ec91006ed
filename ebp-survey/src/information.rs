//! What the survey says of itself, and the texts that participants agree to.

use std::sync::{Arc, PoisonError};

use ebp_core::contract::{SurveyInformation, SurveyText};
use ebp_store::{Published, StoreError};
use jiff::Timestamp;

use crate::{Survey, SurveyError, text::VersionedTexts};

impl Survey {
    /// Publishes the texts of a version: participants agree to those from now on, whichever server
    /// they ask.
    ///
    /// # Errors
    /// [`StoreError::TextsDiffer`] if that version was published with other texts.
    pub async fn publish_texts(&self, texts: VersionedTexts) -> Result<Published, StoreError> {
        let VersionedTexts { version, texts } = texts;
        let published = self.store().publish_texts(version, texts).await?;
        match published {
            Published::Now => tracing::info!(version, "participants agree to a new text"),
            Published::Before => {}
            Published::Superseded(newest) => tracing::warn!(
                version,
                newest,
                "another server published a later version of the texts, which counts"
            ),
        }
        Ok(published)
    }

    /// What the survey says of itself, with the texts of that version or else of the newest, and the
    /// prices of the quarter hours from one instant to another.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such version.
    pub async fn information(
        &self,
        version: Option<u32>,
        prices: Option<(Timestamp, Timestamp)>,
    ) -> Result<SurveyInformation, SurveyError> {
        let mut information = self.about().clone();
        information.quarter_prices = self.quarter_prices().and_then(|series| match prices {
            Some((from, to)) => series.between(from, to),
            None => Some(series.extent()),
        });
        if let Some(version) = version {
            let texts = self.texts_of(version).await?;
            if texts.is_empty() {
                return Err(StoreError::NotFound.into());
            }
            information.text_version = Some(version);
            information.texts = texts.to_vec();
        } else if let Some(version) = self.store().text_version().await? {
            information.text_version = Some(version);
            information.texts = self.texts_of(version).await?.to_vec();
        }
        Ok(information)
    }

    /// The texts of a version; none if it was not published. Those that were asked for last are
    /// remembered: a version never changes.
    pub(crate) async fn texts_of(&self, version: u32) -> Result<Arc<[SurveyText]>, StoreError> {
        let remembered = self.texts().lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((known, texts)) = remembered
            && known == version
        {
            return Ok(texts);
        }
        let texts: Arc<[SurveyText]> = self.store().survey_texts(version).await?.into();
        if !texts.is_empty() {
            let mut remembered = self.texts().lock().unwrap_or_else(PoisonError::into_inner);
            *remembered = Some((version, Arc::clone(&texts)));
        }
        Ok(texts)
    }
}
