//! The survey's texts, in PostgreSQL.

use deadpool_postgres::{Client, GenericClient};
use ebp_core::contract::{Language, ReleaseTier, SurveyText};
use tokio_postgres::Row;

use crate::{Published, StoreError, survey_text::judge_publication};

/// Servers publish one after the other.
const LOCK: i64 = 7_203_846_112;

/// Publishes a version.
pub async fn publish(
    client: &mut Client,
    version: u32,
    given: &[SurveyText],
) -> Result<Published, StoreError> {
    let tx = client.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let (newest, kept) = (newest(&tx).await?, texts(&tx, version).await?);
    let published = judge_publication(version, given, newest, &kept)?;
    if published == Published::Now {
        for SurveyText { language, summary, details, release } in given {
            tx.execute(
                "INSERT INTO survey_text (version, language, summary, details, release_tier)
                 VALUES ($1, $2, $3, $4, $5)",
                &[
                    &number(version)?,
                    &language.code(),
                    summary,
                    details,
                    &release.map(ReleaseTier::name),
                ],
            )
            .await?;
        }
    }
    tx.commit().await?;
    Ok(published)
}

/// The newest version, if there is any.
pub async fn newest(db: &impl GenericClient) -> Result<Option<u32>, StoreError> {
    let statement = db.prepare_cached("SELECT max(version) FROM survey_text").await?;
    let version: Option<i32> = db.query_one(&statement, &[]).await?.try_get(0)?;
    version.map(from_number).transpose()
}

/// The newest version and its languages, if there is any.
pub async fn newest_languages(
    db: &impl GenericClient,
) -> Result<Option<(u32, Vec<Language>)>, StoreError> {
    let Some(version) = newest(db).await? else { return Ok(None) };
    let statement = db
        .prepare_cached("SELECT language FROM survey_text WHERE version = $1 ORDER BY language")
        .await?;
    let rows = db.query(&statement, &[&number(version)?]).await?;
    let languages = rows.iter().map(|row| language(row.try_get(0)?)).collect::<Result<_, _>>()?;
    Ok(Some((version, languages)))
}

/// The texts of a version.
pub async fn texts(db: &impl GenericClient, version: u32) -> Result<Vec<SurveyText>, StoreError> {
    // None is published that PostgreSQL has no number for.
    let Ok(version) = number(version) else { return Ok(Vec::new()) };
    let statement = db
        .prepare_cached(
            "SELECT language, summary, details, release_tier FROM survey_text
             WHERE version = $1 ORDER BY language",
        )
        .await?;
    let text = |row: &Row| {
        Ok(SurveyText {
            language: language(row.try_get(0)?)?,
            summary: row.try_get(1)?,
            details: row.try_get(2)?,
            release: row.try_get::<_, Option<&str>>(3)?.and_then(ReleaseTier::from_name),
        })
    };
    db.query(&statement, &[&version]).await?.iter().map(text).collect()
}

/// A language by its code.
pub fn language(code: &str) -> Result<Language, StoreError> {
    code.parse().map_err(|_| StoreError::Damaged("language"))
}

/// A version as PostgreSQL has it.
pub fn number(version: u32) -> Result<i32, StoreError> {
    i32::try_from(version).map_err(|_| StoreError::Damaged("version"))
}

/// And back.
pub fn from_number(version: i32) -> Result<u32, StoreError> {
    u32::try_from(version).map_err(|_| StoreError::Damaged("version"))
}
