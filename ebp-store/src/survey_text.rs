//! What participants agree to: texts by version and language, kept for good once published, since
//! they prove what consent was given to (GDPR Art. 7(1)).
//!
//! Enters: a version's texts. Leaves: the texts of the newest version, or of one. Absent: files.

use async_trait::async_trait;
use ebp_core::contract::SurveyText;

use crate::StoreError;

/// The result of publishing a version of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is the version that participants agree to from now on.
    Now,
    /// It was published before, with the same texts, and is the newest.
    Before,
    /// A later version was published before: that is the one that participants agree to.
    Superseded(u32),
}

/// What a store does about the survey's texts.
#[async_trait]
pub trait SurveyTextStore: Send + Sync {
    /// Publishes a version of the texts, in all of its languages. Once published it never changes.
    ///
    /// # Errors
    /// [`StoreError::TextsDiffer`] if that version was published with other texts or languages.
    async fn publish_texts(
        &self,
        version: u32,
        texts: Vec<SurveyText>,
    ) -> Result<Published, StoreError>;

    /// The newest version of the texts, if there is any.
    async fn text_version(&self) -> Result<Option<u32>, StoreError>;

    /// The texts of a version, by their language; none if it was not published.
    async fn survey_texts(&self, version: u32) -> Result<Vec<SurveyText>, StoreError>;
}

/// The result of publishing a version where `newest` is the newest one and `kept` are
/// the texts that are stored of this version.
///
/// # Errors
/// [`StoreError::TextsDiffer`] if it was published with other texts.
pub(crate) fn judge_publication(
    version: u32,
    texts: &[SurveyText],
    newest: Option<u32>,
    kept: &[SurveyText],
) -> Result<Published, StoreError> {
    let is_same = kept.len() == texts.len() && texts.iter().all(|text| kept.contains(text));
    match newest {
        _ if !kept.is_empty() && !is_same => Err(StoreError::TextsDiffer(version)),
        Some(newest) if newest > version => Ok(Published::Superseded(newest)),
        _ if !kept.is_empty() => Ok(Published::Before),
        _ => Ok(Published::Now),
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::contract::{Language, ReleaseTier};

    use super::*;

    fn text(language: Language, summary: &str) -> SurveyText {
        SurveyText { language, summary: summary.into(), details: "details".into(), release: None }
    }

    #[test]
    fn a_version_is_published_once_and_never_differs() {
        let [german, english] = [text(Language::De, "Hallo"), text(Language::En, "Hello")];
        let both = [german.clone(), english.clone()];
        let judge = |version, newest, kept: &[SurveyText]| {
            judge_publication(version, &both, newest, kept).map_err(|error| error.to_string())
        };
        assert_eq!(judge(1, None, &[]), Ok(Published::Now));
        assert_eq!(judge(2, Some(1), &[]), Ok(Published::Now));
        assert_eq!(judge(1, Some(1), &[english.clone(), german]), Ok(Published::Before));
        assert_eq!(judge(1, Some(3), &both), Ok(Published::Superseded(3)));
        assert_eq!(judge(2, Some(3), &[]), Ok(Published::Superseded(3)));
        // Another text, or a language more or less.
        assert!(judge(1, Some(1), &[english.clone(), text(Language::De, "Hallo!")]).is_err());
        assert!(judge(1, Some(1), std::slice::from_ref(&english)).is_err());
        // Data that may go further.
        let further =
            SurveyText { release: Some(ReleaseTier::Public), ..text(Language::De, "Hallo") };
        assert!(judge(1, Some(1), &[english, further]).is_err());
    }
}
