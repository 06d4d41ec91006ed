//! In which releases of the data set a household sees itself.

use ebp_core::contract::{ReleaseTier, paths, problem_type};
use ebp_store::{DataRelease, HouseholdId};
use jiff::Timestamp;
use serde_json::json;

use crate::harness::Server;

pub fn release(number: u64) -> DataRelease {
    let now: Timestamp = "2026-05-12T08:00:00Z".parse().unwrap();
    DataRelease {
        number,
        name: format!("ebp-{number}"),
        tier: ReleaseTier::Research,
        recipient: Some("University of Examples".into()),
        as_of: now,
        finest: "nuts1".into(),
        households: 30,
        seed_fingerprint: "5".repeat(64),
        digest: "d".repeat(64),
        made_by: "alice".into(),
        made_signature: "a signature".into(),
        confirmed_by: "bob".into(),
        confirmed_signature: "another signature".into(),
        confirmed_at: now,
    }
}

#[tokio::test]
async fn a_household_sees_its_own_until_it_revokes() {
    let server = Server::start().await;
    let (erika, api) = server.consenting("erika@example.org").await;
    let (max, other) = server.consenting("max@example.org").await;
    assert_eq!(api.get(paths::RELEASE).ok().await, json!([]));

    let both = vec![(erika.household, "nuts1".to_owned()), (max.household, "country".to_owned())];
    server.store.add_data_release(release(1), both).await.unwrap();
    let one = vec![(max.household, "no-year".to_owned())];
    server.store.add_data_release(release(2), one).await.unwrap();

    let shown = api.get(paths::RELEASE).ok().await;
    let when = "2026-05-12T08:00:00Z";
    let expected = json!([{
        "number": 1, "name": "ebp-1", "tier": "research", "recipient": "University of Examples",
        "as_of": when, "confirmed_at": when, "detail": "nuts1",
    }]);
    assert_eq!(shown, expected);
    let exported = api.get(paths::EXPORT).ok().await;
    assert_eq!(exported["releases"], expected);
    let theirs = other.get(paths::RELEASE).ok().await;
    let details: Vec<_> = theirs.as_array().unwrap().iter().map(|of| &of["detail"]).collect();
    assert_eq!(details, ["country", "no-year"]);

    api.delete(paths::CONSENT).ok().await;
    api.get(paths::RELEASE).problem(410, problem_type::CONSENT_REVOKED).await;
    let left = server.store.releases_of(HouseholdId(erika.household)).await.unwrap();
    assert_eq!(left, []);
    assert_eq!(other.get(paths::RELEASE).ok().await, theirs);
}
