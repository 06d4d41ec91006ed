//! [`SurveyTextStore`] for PostgreSQL.

use async_trait::async_trait;
use ebp_core::contract::SurveyText;

use super::{PostgresStore, survey_text};
use crate::{Published, StoreError, SurveyTextStore};

#[async_trait]
impl SurveyTextStore for PostgresStore {
    async fn publish_texts(
        &self,
        version: u32,
        texts: Vec<SurveyText>,
    ) -> Result<Published, StoreError> {
        let mut client = self.client().await?;
        self.change(survey_text::publish(&mut client, version, &texts)).await
    }

    async fn text_version(&self) -> Result<Option<u32>, StoreError> {
        let client = self.client().await?;
        self.look_up(survey_text::newest(&client)).await
    }

    async fn survey_texts(&self, version: u32) -> Result<Vec<SurveyText>, StoreError> {
        let client = self.client().await?;
        self.look_up(survey_text::texts(&client, version)).await
    }
}
