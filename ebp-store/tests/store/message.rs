//! Messages of households: the same on both databases.

use std::sync::Arc;

use ebp_core::contract::{Message, MessageAbout, NewMessage};
use ebp_store::{HouseholdId, ListQuery, Store, StoreError};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::{at, registration};

const NOW: &str = "2026-03-02T10:00:00Z";
const ALL: ListQuery = ListQuery { after: None, limit: 1000 };

fn new(text: &str) -> NewMessage {
    NewMessage { about: MessageAbout::Meter, text: text.to_owned().into() }
}

async fn household(store: &dyn Store, email: &str) -> HouseholdId {
    HouseholdId(store.register(registration(email), at(NOW)).await.unwrap().household)
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

/// Written before consent, listed for the household and for all, answered or closed once.
pub async fn written_and_answered(store: &dyn Store) {
    let erika = household(store, "erika@example.org").await;
    let max = household(store, "max@example.org").await;
    let second = SignedDuration::from_secs(1);
    let long = "ü".repeat(2000);
    let first = store.add_message(erika, new("first\nline"), at(NOW)).await.unwrap();
    assert_eq!((first.household, first.text.as_str()), (erika.0, "first\nline"));
    assert_eq!((first.written_at, &first.answer, first.closed_at), (at(NOW), &None, None));
    store.add_message(max, new(&long), at(NOW) + second).await.unwrap();
    let third = store.add_message(erika, new("third"), at(NOW) + second * 2).await.unwrap();

    let own = store.household_messages(erika, ALL).await.unwrap().items;
    assert_eq!(texts(&own), ["first\nline", "third"]);
    assert_eq!(own[0], first);
    let all = store.messages(None, ALL).await.unwrap().items;
    assert_eq!(texts(&all), ["first\nline", &long, "third"]);

    let answered = store.close_message(first.uuid, Some("danke".into()), at(NOW) + second * 5);
    let answered = answered.await.unwrap();
    assert_eq!(answered.answer.as_deref(), Some("danke"));
    assert_eq!(answered.closed_at, Some(at(NOW) + second * 5));
    store.close_message(third.uuid, None, at(NOW) + second * 6).await.unwrap();
    for closed in [first.uuid, third.uuid] {
        let again = store.close_message(closed, Some("no".into()), at(NOW)).await;
        assert!(matches!(again, Err(StoreError::MessageClosed)), "{again:?}");
    }
    let unknown = store.close_message(Uuid::nil(), None, at(NOW)).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)), "{unknown:?}");
    let own = store.household_messages(erika, ALL).await.unwrap().items;
    assert_eq!(own[0], answered, "the household reads the answer");
    assert_eq!(texts(&store.messages(Some(true), ALL).await.unwrap().items), [long.as_str()]);
    let closed = store.messages(Some(false), ALL).await.unwrap().items;
    assert_eq!(texts(&closed), ["first\nline", "third"]);

    // A page after the other gives each once, though two are of one instant.
    store.add_message(max, new("fourth"), at(NOW) + second * 2).await.unwrap();
    let mut walked = Vec::new();
    let mut query = ListQuery { after: None, limit: 1 };
    loop {
        let page = store.messages(None, query).await.unwrap();
        walked.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(walked, store.messages(None, ALL).await.unwrap().items);
    assert_eq!(walked.len(), 4);

    // With a registration that is removed its messages go.
    store.remove_household(max, at(NOW)).await.unwrap();
    assert_eq!(store.messages(None, ALL).await.unwrap().items.len(), 2);
    let gone = store.household_messages(max, ALL).await;
    assert!(matches!(gone, Err(StoreError::ConsentRevoked)), "{gone:?}");
}

/// A hundred may be open, whoever writes at once.
pub async fn bounded([one, other]: [Arc<dyn Store>; 2]) {
    let id = household(&*one, "erika@example.org").await;
    for i in 0..95 {
        one.add_message(id, new(&format!("{i}")), at(NOW)).await.unwrap();
    }
    let tasks: Vec<_> = (0..12)
        .map(|i| {
            let store = if i % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move { store.add_message(id, new("more"), at(NOW)).await })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => stored += 1,
            Err(StoreError::TooManyMessages { open: true, limit: 100 }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(stored, 5);
    let first = one.messages(Some(true), ListQuery { after: None, limit: 1 }).await.unwrap();
    one.close_message(first.items[0].uuid, None, at(NOW)).await.unwrap();
    other.add_message(id, new("room again"), at(NOW)).await.unwrap();
}

/// A revocation deletes them, also those that are written while it is done.
pub async fn gone_with_consent([one, other]: [Arc<dyn Store>; 2]) {
    let id = household(&*one, "erika@example.org").await;
    let kept = household(&*one, "max@example.org").await;
    one.grant_consent(id, at(NOW)).await.unwrap();
    let written = one.add_message(id, new("before"), at(NOW)).await.unwrap();
    one.add_message(kept, new("kept"), at(NOW)).await.unwrap();
    let writing = tokio::spawn(async move {
        for i in 0.. {
            match other.add_message(id, new(&format!("{i}")), at(NOW)).await {
                Ok(_) => {}
                Err(StoreError::ConsentRevoked) => return,
                Err(StoreError::TooManyMessages { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    });
    tokio::task::yield_now().await;
    one.revoke_consent(id, at(NOW)).await.unwrap();
    writing.await.unwrap();
    let left = one.messages(None, ALL).await.unwrap().items;
    assert_eq!(texts(&left), ["kept"]);
    let answered = one.close_message(written.uuid, Some("late".into()), at(NOW)).await;
    assert!(matches!(answered, Err(StoreError::NotFound)), "{answered:?}");
}
