//! The survey's texts, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{Language, ReleaseTier, SurveyText};
use rusqlite::{Connection, Transaction, params};

use super::{SqliteStore, value::Text};
use crate::{Published, StoreError, SurveyTextStore, survey_text::judge_publication};

#[async_trait]
impl SurveyTextStore for SqliteStore {
    async fn publish_texts(
        &self,
        version: u32,
        texts: Vec<SurveyText>,
    ) -> Result<Published, StoreError> {
        self.writer.run(move |tx| publish(tx, version, &texts)).await
    }

    async fn text_version(&self) -> Result<Option<u32>, StoreError> {
        self.readers.run(newest).await
    }

    async fn survey_texts(&self, version: u32) -> Result<Vec<SurveyText>, StoreError> {
        self.readers.run(move |db| texts(db, version)).await
    }
}

fn publish(
    tx: &Transaction<'_>,
    version: u32,
    given: &[SurveyText],
) -> Result<Published, StoreError> {
    let published = judge_publication(version, given, newest(tx)?, &texts(tx, version)?)?;
    if published == Published::Now {
        for SurveyText { language, summary, details, release } in given {
            tx.execute(
                "INSERT INTO survey_text (version, language, summary, details, release_tier)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![version, language.code(), summary, details, release.map(ReleaseTier::name)],
            )?;
        }
    }
    Ok(published)
}

/// The newest version, if there is any.
fn newest(db: &Connection) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT max(version) FROM survey_text";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The newest version and its languages, if there is any.
pub fn newest_languages(db: &Connection) -> Result<Option<(u32, Vec<Language>)>, StoreError> {
    let Some(version) = newest(db)? else { return Ok(None) };
    let languages = db
        .prepare_cached("SELECT language FROM survey_text WHERE version = ?1 ORDER BY language")?
        .query_map([version], |row| row.get(0).map(|Text(language)| language))?
        .collect::<Result<_, _>>()?;
    Ok(Some((version, languages)))
}

fn texts(db: &Connection, version: u32) -> Result<Vec<SurveyText>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT language, summary, details, release_tier FROM survey_text
             WHERE version = ?1 ORDER BY language",
        )?
        .query_map([version], |row| {
            let Text(language) = row.get(0)?;
            let release: Option<String> = row.get(3)?;
            let release = release.as_deref().and_then(ReleaseTier::from_name);
            Ok(SurveyText { language, summary: row.get(1)?, details: row.get(2)?, release })
        })?
        .collect::<Result<_, _>>()?)
}
