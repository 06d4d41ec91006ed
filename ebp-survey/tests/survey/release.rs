//! Releases over a store: two persons, the ledger, and what a revocation does to a draft and to it.

use std::{path::Path, sync::Arc, time::Duration};

use ebp_core::{
    clock::SystemClock,
    contract::{ConsentGrant, Language, Registered, Registration, ReleaseTier, SurveyText},
    model::Measurement,
};
use ebp_dataset::{
    files::{Decimal, Format, check_folder},
    release::{Detail, Rule},
};
use ebp_store::{HouseholdId, Store};
use ebp_survey::{
    authority::Authority,
    dataset::{
        ExportError, ExportOrder, Resolution,
        release::{Drafted, Person, ReleaseOrder, confirm, draft_path, release},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

crate::on_both!(two_persons_release, a_revocation_ends_a_draft);

/// Enough that one may revoke.
const HOUSEHOLDS: usize = 42;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn registration(number: usize) -> Registration {
    let is_odd = number.is_multiple_of(2);
    serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": format!("h{number}@example.org")},
        "address": {"street": format!("Allee {number}"), "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "location": {"latitude": 50.85 + number as f64 * 0.0011, "longitude": 7.1},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": is_odd,
                     "electric_vehicle_charger": !is_odd, "home_battery": is_odd},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }))
    .unwrap()
}

/// Every day from February to April.
fn measurements(meter: Uuid, number: usize) -> Vec<Measurement> {
    let first = at("2026-02-08T00:00:00Z");
    let day = |day: i64| Measurement {
        uuid: Uuid::new_v4(),
        meter,
        measured_at: first + SignedDuration::from_hours(24 * day) + SignedDuration::from_secs(1),
        data: serde_json::from_str(&format!(
            "[{{\"0100010800ff\":{}.{:04}}}]",
            1_000 + number as i64 * 17 + day * 9,
            number * 7 + 11
        ))
        .unwrap(),
        flags: Vec::new().into_iter().collect(),
    };
    (0..75).map(day).collect()
}

async fn fill(store: &Arc<dyn Store>) -> Vec<Registered> {
    let text = SurveyText {
        language: Language::De,
        summary: "Kurz\n".into(),
        details: "Lang\n".into(),
        release: Some(ReleaseTier::Research),
    };
    store.publish_texts(1, vec![text]).await.unwrap();
    let mut all = Vec::new();
    for number in 0..HOUSEHOLDS {
        let since = at("2026-02-01T00:00:00Z") + SignedDuration::from_secs(number as i64);
        let made = store.register(registration(number), since).await.unwrap();
        let id = HouseholdId(made.household);
        let grant = ConsentGrant { text_version: Some(1), language: Some(Language::De) };
        store.grant_consent_through(id, grant, None, since).await.unwrap();
        let rows = measurements(made.meters[0], number);
        store.insert_measurements(id, rows, at("2026-05-01T00:00:00Z")).await.unwrap();
        all.push(made);
    }
    all
}

/// Somebody with a certificate of an authority that the store knows.
pub struct People {
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl People {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(&folder.path().join("ca"), "Test", Arc::new(SystemClock));
        Self { authority: authority.unwrap(), _folder: folder }
    }

    pub async fn person(&self, store: &Arc<dyn Store>, name: &str) -> Result<Person, ExportError> {
        let issued = self.authority.make_administrator(name, Duration::from_secs(3600)).unwrap();
        store.add_to_register(vec![issued.entry.clone()]).await.unwrap();
        let of = (issued.chain_pem.as_str(), issued.key_pem.as_str());
        Person::identify(of, self.authority.certificate_pem(), &**store, &SystemClock).await
    }
}

fn export() -> ExportOrder {
    ExportOrder {
        name: "test".into(),
        publisher: "Test".into(),
        as_of: at("2026-05-02T00:00:00Z"),
        from: None,
        to: None,
        format: Format::Csv(Decimal::Point),
        resolution: Resolution::Quarter,
        fill: false,
        zone: "Europe/Berlin".into(),
    }
}

fn order(finest: Detail) -> ReleaseOrder {
    ReleaseOrder {
        tier: ReleaseTier::Research,
        recipient: Some("University of Examples".into()),
        finest,
        households: None,
        register: None,
        keep_ids: false,
    }
}

async fn draft(
    store: &Arc<dyn Store>,
    finest: Detail,
    path: &Path,
    maker: &Person,
) -> Result<Drafted, ExportError> {
    release(store, &export(), &order(finest), path, maker, &mut |_| Ok(())).await
}

fn broken<T: std::fmt::Debug>(result: Result<T, ExportError>) -> Rule {
    match result {
        Err(ExportError::Rule(check)) => check.rule,
        other => panic!("{other:?}"),
    }
}

async fn two_persons_release(world: World) {
    let store = world.survey.store();
    let households = fill(store).await;
    let people = People::new();
    let alice = people.person(store, "alice").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    let drafted = draft(store, Detail::Country, &set, &alice).await.unwrap();
    assert_eq!((drafted.number, drafted.households, drafted.left), (1, HOUSEHOLDS, 0));
    assert!(drafted.checks.iter().all(|check| check.passed), "{drafted:?}");
    assert_eq!(drafted.checks.len(), Rule::ALL.len());

    // Nobody alone, with whatever certificate, and nobody of another authority.
    let confirmed = confirm(store, &set, &alice, &SystemClock).await;
    assert_eq!(broken(confirmed), Rule::R14);
    let again = people.person(store, "alice").await.unwrap();
    assert_eq!(broken(confirm(store, &set, &again, &SystemClock).await), Rule::R14);
    let mallory = People::new().authority.make_administrator("mallory", Duration::from_secs(9));
    let mallory = mallory.unwrap();
    let of = (mallory.chain_pem.as_str(), mallory.key_pem.as_str());
    let ours = people.authority.certificate_pem();
    assert!(Person::identify(of, ours, &**store, &SystemClock).await.is_err());

    assert_eq!(store.data_releases().await.unwrap(), []);
    let bob = people.person(store, "bob").await.unwrap();
    confirm(store, &set, &bob, &SystemClock).await.unwrap();
    assert_eq!(check_folder(&set).unwrap().findings, []);
    let [entry] = store.data_releases().await.unwrap().try_into().unwrap();
    assert_eq!((entry.made_by.as_str(), entry.confirmed_by.as_str()), ("alice", "bob"));
    assert_eq!(entry.households, HOUSEHOLDS as u64);
    let id = HouseholdId(households[7].household);
    let of_household = store.releases_of(id).await.unwrap();
    assert_eq!(of_household, [(entry.clone(), "country".to_owned())]);

    // Finer than before.
    let finer = draft(store, Detail::Nuts1, &folder.path().join("finer"), &alice).await;
    assert_eq!(broken(finer), Rule::R13);
    // The number is taken.
    assert!(store.add_data_release(entry, Vec::new()).await.is_err());

    // Nobody learns from the ledger whose masked household it is.
    let revoked = at("2026-05-03T00:00:00Z");
    store.revoke_consent_by(id, None, revoked).await.unwrap();
    let left = store.released_households().await.unwrap();
    assert_eq!(left.len(), HOUSEHOLDS - 1);
    assert_eq!(store.data_releases().await.unwrap().len(), 1);
}

async fn a_revocation_ends_a_draft(world: World) {
    let store = world.survey.store();
    let households = fill(store).await;
    let people = People::new();
    let (alice, bob) = (people.person(store, "alice").await, people.person(store, "bob").await);
    let (alice, bob) = (alice.unwrap(), bob.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    draft(store, Detail::Country, &set, &alice).await.unwrap();
    assert!(draft_path(&set).exists());
    let id = HouseholdId(households[3].household);
    store.revoke_consent_by(id, None, at("2026-05-03T00:00:00Z")).await.unwrap();
    assert_eq!(broken(confirm(store, &set, &bob, &SystemClock).await), Rule::R2);
    assert_eq!(store.data_releases().await.unwrap(), []);
}
