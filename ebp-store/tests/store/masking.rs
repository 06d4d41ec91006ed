//! Revocation puts one masked location into the true one's place, for good.

use std::{sync::Arc, time::Duration};

use ebp_anon::{
    Position, RegionCode, Regions,
    geocode::PostalCodes,
    geodata::{Geodata, Provenance, RegionData, Vertex},
    geodesic_m,
};
use ebp_core::{
    contract::Registration,
    model::{ConsentState, Location, Precision},
};
use ebp_store::{
    HouseholdId, ListQuery, PendingReport, Store, StoreError,
    masking::{Masking, MaskingMismatch},
};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

pub const ALL: ListQuery = ListQuery { after: None, limit: 100 };

/// A made-up country: one region around Cologne, 51 to 52 degrees north and 6 to 8 east.
pub fn regions(density: f64) -> Regions {
    let corner = |x: i32, y: i32| Vertex { x: x * 10_000_000, y: y * 10_000_000 };
    let regions = vec![RegionData {
        code: RegionCode::new("DEA23").unwrap(),
        name: "Köln".to_owned(),
        density,
        shapes: vec![vec![vec![corner(6, 50), corner(8, 50), corner(8, 52), corner(6, 52)]]],
    }];
    let provenance =
        Provenance { densities: format!("density {density}"), ..Provenance::default() };
    Regions::new(Geodata { provenance, regions }).unwrap()
}

pub fn masking() -> Arc<Masking> {
    Arc::new(Masking::new(Some(regions(2600.0)), None))
}

pub fn without_regions() -> Arc<Masking> {
    Arc::new(Masking::new(None, None))
}

pub fn somewhere(email: &str, street: &str, latitude: f64, longitude: f64) -> Registration {
    let mut registration = registration(email);
    registration.address.street = street.to_owned();
    registration.location = Some(Location {
        precision: Some(Precision::Address),
        ..Location::entered(latitude, longitude)
    });
    registration
}

/// Registers and grants.
pub async fn consenting(store: &dyn Store, registration: Registration) -> HouseholdId {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration, now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let item = measurement(made.household.as_u128(), made.meters[0], now);
    store.insert_measurements(household, vec![item], now).await.unwrap();
    household
}

/// Revokes, and returns what the household is called from then on.
pub async fn revoke(store: &dyn Store, household: HouseholdId) -> HouseholdId {
    let known: Vec<Uuid> = revoked(store).await;
    store.revoke_consent(household, at("2026-02-03T04:05:06Z")).await.unwrap();
    let mut new = revoked(store).await;
    new.retain(|uuid| !known.contains(uuid));
    assert_eq!(new.len(), 1);
    assert_ne!(new[0], household.0);
    HouseholdId(new[0])
}

pub async fn revoked(store: &dyn Store) -> Vec<Uuid> {
    store.revoked_households().await.unwrap().iter().map(|it| it.household).collect()
}

/// Whether researchers see it, whether administrators are told that it is withheld.
async fn seen(store: &dyn Store, household: HouseholdId) -> (bool, bool) {
    let listed = store.registrations(ALL).await.unwrap().items;
    let listed = listed.iter().any(|entry| entry.uuid == household.0);
    assert_eq!(store.registration(household).await.is_ok(), listed);
    let health = store.health(ALL).await.unwrap().items;
    let health = health.iter().find(|health| health.uuid == household.0).unwrap();
    (listed, health.withheld)
}

pub async fn masked_once(store: &dyn Store, again: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let (latitude, longitude) = (50.850_123, 7.100_456);
    let old =
        consenting(store, somewhere("e@example.org", "Heidestraße 17", latitude, longitude)).await;
    let before = store.household(old).await.unwrap().location.unwrap();
    assert_eq!((before.precision, before.masked), (Some(Precision::Address), None));
    let household = revoke(store, old).await;

    let after = store.registration(household).await.unwrap();
    assert_eq!(after.consent.state, ConsentState::Revoked);
    assert!(after.participant.is_none() && after.address.is_none());
    let location = after.location.unwrap();
    assert_eq!(location.precision, None);
    // The released point's region, and nothing of the true one.
    assert_eq!(location.masked.clone().unwrap().nuts3.as_deref(), Some("DEA23"));
    let shown = serde_json::to_value(&location).unwrap();
    assert_eq!(shown["masked"], serde_json::json!({"nuts3": "DEA23"}));
    let origin = Position::new(latitude, longitude).unwrap();
    let moved = geodesic_m(origin, Position::new(location.latitude, location.longitude).unwrap());
    assert!((829.0..2_543.0).contains(&moved), "{moved}");
    // Six decimals and no more.
    assert_eq!(location.latitude, format!("{:.6}", location.latitude).parse::<f64>().unwrap());
    assert_eq!(seen(store, household).await, (true, false));

    // Asked again, by whomever, whenever, it is the same.
    for store in [store, again] {
        for id in [old, household] {
            let second = store.revoke_consent(id, at("2026-03-01T00:00:00Z")).await;
            assert!(matches!(second, Err(StoreError::ConsentRevoked)));
        }
        let report = store.mask_pending().await.unwrap();
        assert_eq!(report, PendingReport::default());
        assert_eq!(store.household(household).await.unwrap().location, Some(location.clone()));
    }
}

/// Where nothing was measured there is nothing to tell of where that was.
pub async fn without_measurements_there_is_no_location(store: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(somewhere("1@example.org", "Am Hang 3", 50.85, 7.1), now).await;
    let old = HouseholdId(made.unwrap().household);
    store.grant_consent(old, now).await.unwrap();
    let household = revoke(store, old).await;
    assert_eq!(seen(store, household).await, (true, false));
    assert!(store.registration(household).await.unwrap().location.is_none());
    assert_eq!(store.mask_pending().await.unwrap(), PendingReport::default());
}

/// Two flats in one house are drawn apart; in between the server is started anew with other regions.
pub async fn each_is_drawn_by_itself(store: &dyn Store, later: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let one = consenting(store, somewhere("1@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let two = consenting(store, somewhere("2@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let other = consenting(store, somewhere("3@example.org", "Am Hang 5", 50.8508, 7.1012)).await;
    let one = revoke(store, one).await;
    let refused = later.mask_by(by(100.0), false).await;
    let Err(StoreError::Masking(MaskingMismatch::Regions { kept, given })) = refused else {
        panic!("{refused:?}");
    };
    assert!(kept.contains("density 2600") && given.contains("density 100"), "{kept} {given}");
    later.mask_by(by(100.0), true).await.unwrap();
    let (two, other) = (revoke(later, two).await, revoke(later, other).await);
    let of = async |household| later.household(household).await.unwrap().location.unwrap();
    assert_ne!(of(one).await, of(two).await);
    assert_ne!(of(two).await, of(other).await);
}

/// A store that masks by one region of that density.
fn by(density: f64) -> Arc<Masking> {
    Arc::new(Masking::new(Some(regions(density)), None))
}

/// Without regions nothing is told and nothing lost.
pub async fn withheld_until_it_can_be_masked(store: &dyn Store, later: &dyn Store) {
    store.mask_by(without_regions(), false).await.unwrap();
    let here = consenting(store, somewhere("1@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let next_door = consenting(store, somewhere("2@example.org", "Am Hang 3", 50.8504, 7.1)).await;
    let abroad = consenting(store, somewhere("3@example.org", "Rue 1", 48.85, 2.35)).await;
    let nowhere = consenting(store, registration("4@example.org")).await;
    let mut all = Vec::new();
    for household in [here, next_door, abroad, nowhere] {
        let household = revoke(store, household).await;
        assert_eq!(seen(store, household).await, (false, true));
        let told = store.household(household).await.unwrap();
        assert!(told.location.is_none() && told.address.is_none());
        crate::release::hidden(store, household).await;
        all.push(household);
    }
    let [here, next_door, abroad, nowhere] = all[..] else { panic!() };
    let report = PendingReport { masked: 0, outside: 3, without_location: 1 };
    assert_eq!(store.mask_pending().await.unwrap(), report);

    later.mask_by(masking(), false).await.unwrap();
    // Two servers at once.
    let (one, two) = tokio::join!(later.mask_pending(), store.mask_pending());
    assert_eq!(one.unwrap().masked + two.unwrap().masked, 2);
    let report = PendingReport { masked: 0, outside: 1, without_location: 1 };
    assert_eq!(later.mask_pending().await.unwrap(), report);
    for household in [here, next_door] {
        assert_eq!(seen(later, household).await, (true, false));
    }
    for household in [abroad, nowhere] {
        assert_eq!(seen(later, household).await, (false, true));
    }
    let of = async |household| later.household(household).await.unwrap().location.unwrap();
    assert_ne!(of(here).await, of(next_door).await);
}

pub async fn postal_codes_stand_in(store: &dyn Store) {
    let codes = PostalCodes::read(&b"plz,lat,lon\n51147,50.85,7.1\n"[..]).unwrap();
    let by = Masking::new(Some(regions(2600.0)), Some(codes));
    store.mask_by(Arc::new(by), false).await.unwrap();
    let household = consenting(store, registration("1@example.org")).await;
    let household = revoke(store, household).await;
    assert_eq!(seen(store, household).await, (true, false));
    let mut abroad = registration("2@example.org");
    abroad.address.country = "FR".to_owned();
    let abroad = consenting(store, abroad).await;
    let abroad = revoke(store, abroad).await;
    assert_eq!(seen(store, abroad).await, (false, true));
}

pub async fn the_regions_are_remembered(store: &dyn Store, other: &dyn Store) {
    assert_eq!(store.masked_by().await.unwrap(), None);
    store.mask_by(masking(), false).await.unwrap();
    assert_eq!(other.masked_by().await.unwrap(), masking().mark());
    // Whoever has no regions yet leaves the fingerprint of those that others have.
    other.mask_by(without_regions(), false).await.unwrap();
    assert_eq!(store.masked_by().await.unwrap(), masking().mark());
}

/// Nobody says himself that a location is masked.
pub async fn nobody_else_masks(store: &dyn Store) {
    let mut lie = somewhere("1@example.org", "Am Hang 3", 50.85, 7.1);
    let masked = serde_json::json!({"nuts3": "DEA23"});
    lie.location.as_mut().unwrap().masked = serde_json::from_value(masked).unwrap();
    let refused = store.register(lie, at("2026-01-01T00:00:00Z")).await.unwrap_err();
    assert!(refused.to_string().contains("location/masked"), "{refused}");
}

/// Many households revoke at once through two servers: each is masked once.
pub async fn races(stores: [Arc<dyn Store>; 2]) {
    for store in &stores {
        store.mask_by(masking(), false).await.unwrap();
    }
    let mut tasks = Vec::new();
    for i in 0..12_u32 {
        let email = format!("{i}@example.org");
        let household = consenting(&*stores[0], somewhere(&email, "Turm 1", 50.85, 7.1)).await;
        for store in &stores {
            let store = store.clone();
            let at = at("2026-02-01T00:00:00Z");
            tasks.push(tokio::spawn(async move { store.revoke_consent(household, at).await }));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, StoreError::ConsentRevoked), "{error}"),
        }
    }
    assert_eq!(done, 12);
    let revoked = stores[0].revoked_households().await.unwrap();
    assert_eq!(revoked.len(), 12);
    let mut points: Vec<_> = revoked
        .iter()
        .map(|it| it.location.as_ref().map(|at| (at.latitude.to_bits(), at.longitude.to_bits())))
        .collect();
    points.sort_unstable();
    points.dedup();
    assert!(points.len() == 12 && points[0].is_some());
}
