//! What consent is granted to, and how it is withdrawn: the same on both databases.

use std::sync::Arc;

use ebp_core::{
    contract::{
        AgreedText, Consent, ConsentGrant, Language, ReleaseTier, SurveyText, Withdrawal,
        WithdrawalChannel,
    },
    model::ConsentState,
};
use ebp_store::{HouseholdId, ListQuery, Published, Store, StoreError};

use crate::story::{at, registration};

const NOW: &str = "2026-03-02T10:00:00Z";

fn text(language: Language, summary: &str) -> SurveyText {
    SurveyText {
        language,
        summary: format!("{summary}\n"),
        details: "All of it.\n".into(),
        release: Some(ReleaseTier::Research),
    }
}

fn both() -> Vec<SurveyText> {
    vec![text(Language::De, "Kurz: Grüße"), text(Language::En, "Short")]
}

async fn household(store: &dyn Store, email: &str) -> HouseholdId {
    HouseholdId(store.register(registration(email), at(NOW)).await.unwrap().household)
}

/// A version is published once, whichever server begins; the newest counts, and none changes.
pub async fn published_once([one, other]: [Arc<dyn Store>; 2]) {
    assert_eq!(one.text_version().await.unwrap(), None);
    assert_eq!(one.survey_texts(1).await.unwrap(), []);
    // All begin at once.
    let tasks: Vec<_> = (0..8)
        .map(|i| {
            let store = if i % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move { store.publish_texts(1, both()).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        match task.await.unwrap() {
            Published::Now => first += 1,
            published => assert_eq!(published, Published::Before),
        }
    }
    assert_eq!(first, 1);
    assert_eq!(other.text_version().await.unwrap(), Some(1));
    assert_eq!(other.survey_texts(1).await.unwrap(), both());

    for different in [
        vec![text(Language::De, "Kurz: Grüße"), text(Language::En, "Shorter")],
        vec![text(Language::De, "Kurz: Grüße")],
    ] {
        let refused = other.publish_texts(1, different).await;
        assert!(matches!(refused, Err(StoreError::TextsDiffer(1))), "{refused:?}");
    }
    let only = vec![text(Language::En, "Newer")];
    assert_eq!(one.publish_texts(3, only.clone()).await.unwrap(), Published::Now);
    assert_eq!(other.publish_texts(1, both()).await.unwrap(), Published::Superseded(3));
    assert_eq!(other.publish_texts(2, both()).await.unwrap(), Published::Superseded(3));
    assert_eq!(other.text_version().await.unwrap(), Some(3));
    assert_eq!(other.survey_texts(3).await.unwrap(), only);
    assert_eq!(other.survey_texts(1).await.unwrap(), both());
    assert_eq!(other.survey_texts(u32::MAX).await.unwrap(), []);
}

/// Without texts as ever; with texts consent is to one of them, which is told.
pub async fn granted_to_a_text(store: &dyn Store) {
    let early = household(store, "early@example.org").await;
    let grant = |version, language| ConsentGrant { text_version: version, language };
    let whole = grant(Some(1), Some(Language::De));
    let places = |refused: Result<Consent, StoreError>| match refused {
        Err(StoreError::Registration(faults)) => {
            faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let refused = store.grant_consent_to(early, whole, at(NOW)).await;
    assert_eq!(places(refused), ["/text_version", "/language"]);
    let granted = store.grant_consent(early, at(NOW)).await.unwrap();
    assert_eq!((granted.state, granted.text), (ConsentState::Granted, None));

    store.publish_texts(1, both()).await.unwrap();
    store.publish_texts(2, vec![text(Language::De, "Neu")]).await.unwrap();
    let late = household(store, "late@example.org").await;
    let refused = store.grant_consent(late, at(NOW)).await;
    assert_eq!(places(refused), ["/text_version", "/language"]);
    for old in [1, 3, u32::MAX] {
        let changed = store.grant_consent_to(late, grant(Some(old), Some(Language::De)), at(NOW));
        let changed = changed.await;
        assert!(matches!(changed, Err(StoreError::ConsentTextChanged(2))), "{changed:?}");
    }
    let refused = store.grant_consent_to(late, grant(Some(2), Some(Language::En)), at(NOW)).await;
    assert_eq!(places(refused), ["/language"]);
    assert_eq!(store.consent(late).await.unwrap().state, ConsentState::NotGranted);

    let agreed = grant(Some(2), Some(Language::De));
    let granted = store.grant_consent_to(late, agreed, at(NOW)).await.unwrap();
    let expected = AgreedText { version: 2, language: Some(Language::De) };
    assert_eq!(granted.text, Some(expected));
    for told in [
        store.consent(late).await.unwrap(),
        store.household(late).await.unwrap().consent,
        store.registration(late).await.unwrap().consent,
    ] {
        assert_eq!(told, granted);
    }
    // Whoever granted before hears that first.
    for other in [agreed, ConsentGrant::default(), whole] {
        let again = store.grant_consent_to(late, other, at(NOW)).await;
        assert!(matches!(again, Err(StoreError::ConsentAlreadyGranted)), "{again:?}");
    }

    // Of the text its version stays, and not the language.
    let revoked = store.revoke_consent(late, at(NOW)).await.unwrap();
    assert_eq!(revoked.text, Some(expected));
    let query = ListQuery { after: None, limit: 10 };
    let entries = store.registrations(query).await.unwrap().items;
    let left = entries.iter().find(|entry| entry.participant.is_none()).unwrap();
    let left = store.consent(HouseholdId(left.uuid)).await.unwrap();
    assert_eq!(left.text, Some(AgreedText { version: 2, language: None }));
    assert_eq!((left.state, left.withdrawal), (ConsentState::Revoked, None));
}

/// A withdrawal that came by letter is a revocation like any other, and how it came stays.
pub async fn withdrawn_elsewhere(store: &dyn Store) {
    let granted_at = at("2026-03-02T23:30:00Z");
    let now = at("2026-04-20T10:00:00Z");
    let id = household(store, "letter@example.org").await;
    let withdrawal =
        |day: &str, channel| Some(Withdrawal { received_on: day.parse().unwrap(), channel });
    let letter = withdrawal("2026-04-18", WithdrawalChannel::Letter);
    let early = store.revoke_consent_by(id, letter, now).await;
    assert!(matches!(early, Err(StoreError::ConsentNotGranted)), "{early:?}");
    store.grant_consent(id, granted_at).await.unwrap();
    for day in ["2026-03-01", "2026-04-21", "9999-12-31", "0001-01-01"] {
        let refused =
            store.revoke_consent_by(id, withdrawal(day, WithdrawalChannel::Phone), now).await;
        let Err(StoreError::Registration(faults)) = refused else { panic!("{day}: {refused:?}") };
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/received_on"], "{day}");
    }
    let untouched = store.registration(id).await.unwrap();
    assert!(untouched.participant.is_some(), "nothing was changed");

    let revoked = store.revoke_consent_by(id, letter, now).await.unwrap();
    // The researcher is told what everybody may see afterwards.
    let expected = Consent {
        state: ConsentState::Revoked,
        granted_at: Some(at("2026-03-01T00:00:00Z")),
        revoked_at: Some(at("2026-04-01T00:00:00Z")),
        text: None,
        granted_through: None,
        withdrawal: withdrawal("2026-04-01", WithdrawalChannel::Letter),
        purposes: Vec::new(),
    };
    assert_eq!(revoked, expected);
    assert!(matches!(store.registration(id).await, Err(StoreError::NotFound)));
    let again = store.revoke_consent_by(id, letter, now).await;
    assert!(matches!(again, Err(StoreError::ConsentRevoked)), "{again:?}");
    let query = ListQuery { after: None, limit: 10 };
    let left = store.registrations(query).await.unwrap().items.remove(0);
    let left = store.registration(HouseholdId(left.uuid)).await.unwrap();
    assert_eq!((left.participant, left.address, left.consent), (None, None, expected));
}
