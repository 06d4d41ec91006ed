//! What all servers share of the authority and the groups, in every store.

use std::sync::Arc;

use ebp_core::{
    contract::HouseholdChange,
    model::Address,
    scope::{Group, Scopes},
};
use ebp_store::{
    CertificateKind, Enrolment, HouseholdId, ListQuery, RegisterEntry, Serial, Store, StoreError,
    holder,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, registration};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn serial(byte: u8) -> Serial {
    Serial::from_octets(&[byte; 16]).unwrap()
}

fn entry(byte: u8, device: Option<Uuid>, now: Timestamp) -> RegisterEntry {
    RegisterEntry {
        serial: serial(byte),
        kind: CertificateKind::Client,
        device,
        scopes: Scopes::all(),
        not_before: now,
        not_after: now + DAY,
        revoked_at: None,
        holder: None,
        administrator: None,
    }
}

async fn registered(store: &dyn Store) -> Vec<RegisterEntry> {
    let mut query = ListQuery { after: None, limit: 2 };
    let mut entries = Vec::new();
    loop {
        let page = store.register_page(query).await.unwrap();
        assert!(page.items.len() <= 2);
        entries.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return entries;
        }
    }
}

/// What is added twice is there once, what is revoked stays so, and each kind is found where it is
/// asked for.
pub async fn register(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    assert_eq!(store.last_registered().await.unwrap(), None);
    assert_eq!(registered(store).await, []);
    let own =
        RegisterEntry { holder: Some(holder(&serial(1), made.participant)), ..entry(1, None, now) };
    let server = RegisterEntry {
        kind: CertificateKind::Server,
        scopes: Scopes::default(),
        ..entry(2, None, now + DAY)
    };
    // Of a device that is registered nowhere.
    let stray = entry(3, Some(Uuid::from_u128(3)), now - DAY);
    let device = entry(4, Some(made.measurement_device), now);
    let all = vec![own.clone(), server.clone(), stray.clone(), device.clone(), own.clone()];
    assert_eq!(store.add_to_register(all.clone()).await.unwrap(), 4);
    assert_eq!(store.add_to_register(all.clone()).await.unwrap(), 0);
    assert_eq!(store.add_to_register(Vec::new()).await.unwrap(), 0);
    let expected = [stray.clone(), own.clone(), device.clone(), server.clone()];
    assert_eq!(registered(store).await, expected);
    assert_eq!(store.last_registered().await.unwrap(), Some(now + DAY));
    assert_eq!(store.registered(serial(1)).await.unwrap(), Some(own.clone()));
    assert_eq!(store.registered(serial(9)).await.unwrap(), None);

    // As clients show them: a server's is none.
    for entry in [&own, &stray, &device] {
        let found = store.certificate(entry.serial).await.unwrap().unwrap();
        assert_eq!(RegisterEntry { holder: entry.holder.clone(), ..found }, *entry);
    }
    assert_eq!(store.certificate(serial(2)).await.unwrap(), None);
    let query = ListQuery { after: None, limit: 10 };
    let page = store.certificates(made.measurement_device, query).await.unwrap();
    assert_eq!(page.items, std::slice::from_ref(&device));
    // Nothing is revoked by being registered, nor told as revoked.
    assert_eq!(store.revoked_certificates().await.unwrap(), []);

    // A file of before says that one is revoked, and another that it is not.
    let revoked_at = Some(now + DAY);
    let revoked = RegisterEntry { revoked_at, ..own.clone() };
    assert_eq!(store.add_to_register(vec![revoked.clone(), own.clone()]).await.unwrap(), 1);
    let later = RegisterEntry { revoked_at: Some(now + DAY * 2), ..own.clone() };
    assert_eq!(store.add_to_register(vec![own, later]).await.unwrap(), 0);
    assert_eq!(store.registered(serial(1)).await.unwrap(), Some(revoked));
    assert_eq!(store.certificate(serial(1)).await.unwrap().unwrap().revoked_at, revoked_at);

    // By whichever way it is revoked, both lists say so.
    let told = store.revoke_certificate(device.clone(), now).await.unwrap();
    assert_eq!(told.revoked_at, Some(now));
    for found in [store.registered(serial(4)).await, store.certificate(serial(4)).await] {
        assert_eq!(found.unwrap().unwrap().revoked_at, Some(now));
    }
    assert_eq!(store.certificates(made.measurement_device, query).await.unwrap().items.len(), 1);
    let told = store.revoke_certificate(server, now).await.unwrap();
    assert_eq!((told.kind, told.revoked_at), (CertificateKind::Server, Some(now)));
    let listed = store.revoked_certificates().await.unwrap();
    let serials: Vec<Serial> = listed.iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, [serial(4)], "what is applied to a backup is what devices are told by");

    // A removed device leaves its name nowhere.
    let gone = store.register(registration("gone@example.org"), now).await.unwrap();
    let of_gone = entry(5, Some(gone.measurement_device), now);
    store.add_to_register(vec![of_gone]).await.unwrap();
    store.remove_household(HouseholdId(gone.household), now).await.unwrap();
    assert_eq!(store.registered(serial(5)).await.unwrap().unwrap().device, None);
}

/// An address that is changed or an e-mail address that is changed ends no certificate of the
/// register: who shows it is told why it does not count.
pub async fn change_of_address(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let device = entry(1, Some(made.measurement_device), now);
    store.add_to_register(vec![device.clone()]).await.unwrap();
    let mut next = registration("other@example.org");
    next.participant.name = "Erika Mustermann".into();
    let change =
        HouseholdChange { participant: Some(next.participant), ..HouseholdChange::default() };
    store.change_household(HouseholdId(made.household), change, now).await.unwrap();
    assert_eq!(store.certificate(serial(1)).await.unwrap(), Some(device.clone()));
    store.grant_consent(HouseholdId(made.household), now).await.unwrap();
    store.revoke_consent(HouseholdId(made.household), now).await.unwrap();
    assert_eq!(store.certificate(serial(1)).await.unwrap(), Some(device));
    assert_eq!(store.revoked_certificates().await.unwrap(), []);
}

/// Servers that open a folder at the same time add its register once, and none waits for good.
pub async fn register_by_many(stores: Vec<Arc<dyn Store>>) {
    let now = at("2026-01-01T00:00:00Z");
    let mut tasks = Vec::new();
    for (number, store) in stores.into_iter().enumerate() {
        let mut entries: Vec<_> = (0..200).map(|byte| entry(byte, None, now)).collect();
        if number % 2 == 1 {
            entries.reverse();
            entries[7].revoked_at = Some(now);
        }
        tasks.push(tokio::spawn(async move {
            let added = store.add_to_register(entries).await.unwrap();
            (store, added)
        }));
    }
    let mut added = 0;
    let mut last = None;
    for task in tasks {
        let (store, by_this) = task.await.unwrap();
        added += by_this;
        last = Some(store);
    }
    let entries = registered(&*last.unwrap()).await;
    let revoked = entries.iter().filter(|entry| entry.revoked_at.is_some()).count();
    assert_eq!((entries.len(), revoked), (200, 1));
    assert!([200, 201].contains(&added), "{added}");
}

/// Each group has a hash of its own; one that is imported takes the place of none.
pub async fn group_secrets(store: &dyn Store) {
    let [first, second] = Group::ALL;
    assert_eq!(store.group_hash(first).await.unwrap(), None);
    assert!(store.add_group_hash(first, "one".into()).await.unwrap());
    assert!(!store.add_group_hash(first, "two".into()).await.unwrap());
    assert_eq!(store.group_hash(first).await.unwrap().as_deref(), Some("one"));
    store.set_group_hash(first, "three".into()).await.unwrap();
    store.set_group_hash(second, "four".into()).await.unwrap();
    assert_eq!(store.group_hash(first).await.unwrap().as_deref(), Some("three"));
    assert_eq!(store.group_hash(second).await.unwrap().as_deref(), Some("four"));
}

/// One-time tokens are erased by the revocation of consent, and once they are expired.
pub async fn tokens_that_end(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let mut devices = Vec::new();
    for (byte, hours) in [(1, 1), (2, 2), (3, 30)] {
        let made = store.register(registration(&format!("{byte}@example.org")), now).await.unwrap();
        let enrolment = Enrolment {
            token: [byte; 32],
            device: made.measurement_device,
            scopes: Scopes::of_a_device(),
            expires_at: now + SignedDuration::from_hours(hours),
            sign_in_hash: None,
        };
        store.create_enrolment(enrolment).await.unwrap();
        devices.push(made);
    }
    let redeem = |byte| store.redeem_enrolment([byte; 32], [9; 32], None, now);
    // Used, and expired: the answer cannot be asked for again.
    redeem(2).await.unwrap();
    assert_eq!(store.forget_expired_enrolments(now).await.unwrap(), 0);
    let later = now + SignedDuration::from_hours(2);
    assert_eq!(store.forget_expired_enrolments(later).await.unwrap(), 2);
    assert_eq!(store.forget_expired_enrolments(later).await.unwrap(), 0);
    for byte in [1, 2] {
        assert!(matches!(redeem(byte).await, Err(StoreError::NotFound)));
    }
    // Before, it was there, and answered as revoked.
    let household = HouseholdId(devices[2].household);
    store.grant_consent(household, now).await.unwrap();
    store.revoke_consent(household, now).await.unwrap();
    assert!(matches!(redeem(3).await, Err(StoreError::NotFound)));
    assert_eq!(store.forget_expired_enrolments(now + DAY * 9).await.unwrap(), 0);
}

/// Addresses that end are counted, whichever way they end; those that stay are not.
pub async fn ended_addresses(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let mut made = Vec::new();
    for number in 0..3 {
        let email = format!("{number}@example.org");
        made.push(HouseholdId(store.register(registration(&email), now).await.unwrap().household));
    }
    assert_eq!(store.ended_addresses().await.unwrap(), 0);
    let address = registration("x@example.org").address;
    let change =
        |address: Address| HouseholdChange { address: Some(address), ..HouseholdChange::default() };
    store.change_household(made[0], change(address.clone()), now).await.unwrap();
    assert_eq!(store.ended_addresses().await.unwrap(), 0, "it is as before");
    let moved = Address { street: "Neue Gasse 1".into(), ..address };
    store.change_household(made[0], change(moved), now).await.unwrap();
    assert_eq!(store.ended_addresses().await.unwrap(), 1);
    store.remove_household(made[1], now).await.unwrap();
    assert_eq!(store.ended_addresses().await.unwrap(), 2);
    store.grant_consent(made[2], now).await.unwrap();
    store.revoke_consent(made[2], now).await.unwrap();
    assert_eq!(store.ended_addresses().await.unwrap(), 3);
}
