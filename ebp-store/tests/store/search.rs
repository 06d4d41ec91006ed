//! Searching households: what is found, in which order, and page by page.

use ebp_core::{
    contract::{HouseholdCounts, HouseholdFilter, HouseholdSort},
    model::ConsentState,
};
use ebp_store::{HouseholdId, HouseholdQuery, Store, StoreError};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::{at, registration};

/// Name, e-mail address, postal code and city.
const PEOPLE: [[&str; 4]; 6] = [
    ["Änne Müller", "anne@example.org", "51147", "Köln"],
    ["anton MÜLLER", "anton@example.org", "33098", "Paderborn"],
    ["Berta 100% Öko", "berta_o@example.org", "33100", "Paderborn"],
    ["berta 1000 X", "bertaxo@example.org", "53113", "Bonn"],
    ["Zoë Back\\slash", "zoe@example.com", "20095", "Hamburg"],
    ["Max Mustermann", "max@example.org", "10115", "Berlin"],
];

struct Asking<'a> {
    store: &'a dyn Store,
    made: Vec<Uuid>,
}

impl Asking<'_> {
    /// Which of the people are listed, a page of so many at a time.
    async fn listed(&self, filter: HouseholdFilter, limit: usize) -> Vec<usize> {
        let mut query = HouseholdQuery { filter, after: None, limit };
        let mut found = Vec::new();
        loop {
            let page = self.store.search_households(query.clone()).await.unwrap();
            assert!(page.items.len() <= limit);
            found.extend(
                page.items.iter().map(|entry| {
                    self.made.iter().position(|uuid| *uuid == entry.uuid).unwrap_or(99)
                }),
            );
            // As it is sent to a client, and back.
            query.after = page.next.map(|next| next.to_string().parse().unwrap());
            if query.after.is_none() {
                return found;
            }
        }
    }

    async fn found(&self, search: &str) -> Vec<usize> {
        let search = Some(search.to_owned());
        self.listed(HouseholdFilter { search, ..HouseholdFilter::default() }, 100).await
    }

    async fn sorted(&self, sort: &str) -> Vec<usize> {
        let sort: HouseholdSort = sort.parse().unwrap();
        let filter = || HouseholdFilter { sort, ..HouseholdFilter::default() };
        let whole = self.listed(filter(), 100).await;
        for limit in 1..=4 {
            assert_eq!(self.listed(filter(), limit).await, whole, "{sort}, {limit} at a time");
        }
        whole
    }
}

/// Words are found wherever they are, without regard to case, `%` and `_` as themselves; every order
/// is whole whatever the pages are.
pub async fn searches(store: &dyn Store) {
    let start = at("2026-01-01T00:00:00Z");
    let mut made = Vec::new();
    for (place, [name, email, postal_code, city]) in (0_i64..).zip(PEOPLE) {
        let mut registration = registration(email);
        registration.participant.name = name.to_owned();
        registration.address.postal_code = postal_code.to_owned();
        registration.address.city = city.to_owned();
        // Two at the same instant.
        let at = start + SignedDuration::from_secs(place / 2);
        made.push(store.register(registration, at).await.unwrap().household);
    }
    let asking = Asking { store, made: made.clone() };
    for (search, found) in [
        ("müller", vec![0, 1]),
        ("MÜLLER", vec![0, 1]),
        ("müller köln", vec![0]),
        ("KÖLN Änne", vec![0]),
        ("änne", vec![0]),
        ("paderborn", vec![1, 2]),
        ("331", vec![2]),
        ("example.com", vec![4]),
        ("100%", vec![2]),
        ("%", vec![2]),
        ("_", vec![2]),
        ("berta_o", vec![2]),
        ("k\\s", vec![4]),
        ("\\", vec![4]),
        ("ZOË", vec![4]),
        ("nobody", vec![]),
        ("müller berlin", vec![]),
        ("'; DROP TABLE household; --", vec![]),
    ] {
        let mut got = asking.found(search).await;
        got.sort_unstable();
        assert_eq!(got, found, "{search}");
    }
    for uuid in
        [made[3].to_string(), made[3].simple().to_string(), made[3].to_string()[..12].to_owned()]
    {
        assert!(asking.found(&uuid).await.contains(&3), "{uuid}");
    }
    assert_eq!(asking.found(&made[3].to_string()).await, [3]);

    let registered = asking.sorted("registered").await;
    let mut backwards = asking.sorted("-registered").await;
    backwards.reverse();
    assert_eq!(registered, backwards);
    // Letters of ASCII first, without regard to case.
    assert_eq!(asking.sorted("name").await, [1, 2, 3, 5, 4, 0]);
    assert_eq!(asking.sorted("-name").await, [0, 4, 5, 3, 2, 1]);
    assert_eq!(asking.sorted("postal-code").await, [5, 4, 1, 2, 0, 3]);
    assert_eq!(asking.sorted("email").await, [0, 1, 2, 3, 5, 4]);
    assert_eq!(asking.sorted("city").await[..4], [5, 3, 4, 0]);

    // States of consent; who revokes has neither name nor address, and comes last.
    store.grant_consent(HouseholdId(made[1]), start).await.unwrap();
    store.grant_consent(HouseholdId(made[0]), start).await.unwrap();
    store.revoke_consent(HouseholdId(made[0]), start).await.unwrap();
    let state = async |consent| {
        let filter = HouseholdFilter { consent: Some(consent), ..HouseholdFilter::default() };
        asking.listed(filter, 2).await
    };
    assert_eq!(state(ConsentState::Granted).await, [1]);
    assert_eq!(state(ConsentState::NotGranted).await.len(), 4);
    assert_eq!(asking.found("änne").await, [0; 0], "nothing of a revoked household is found");
    assert_eq!(asking.found(&made[0].to_string()).await, [0; 0]);
    let query = HouseholdQuery { filter: HouseholdFilter::default(), after: None, limit: 1 };
    let counts = store.search_households(query.clone()).await.unwrap().counts;
    let withheld = counts.withheld;
    assert_eq!(counts, HouseholdCounts { registered: 6, granted: 1, revoked: 1, withheld });
    for sort in ["name", "-name", "city", "-postal-code"] {
        assert_eq!(asking.sorted(sort).await.iter().filter(|place| **place < 99).count(), 5);
    }

    // A cursor of another order, and a search that is too long.
    let first = store.search_households(query.clone()).await.unwrap();
    let sort = "name".parse().unwrap();
    let filter = HouseholdFilter { sort, ..HouseholdFilter::default() };
    let other = HouseholdQuery { filter, after: first.next, limit: 1 };
    let search = Some("x".repeat(201));
    let long = HouseholdQuery {
        filter: HouseholdFilter { search, ..HouseholdFilter::default() },
        ..query
    };
    for wrong in [other, long] {
        let refused = store.search_households(wrong).await;
        assert!(matches!(refused, Err(StoreError::Search)), "{refused:?}");
    }
}
