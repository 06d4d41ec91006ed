//! Changes by people: for the version that they saw, and written into the history.

use ebp_core::{
    contract::{ChangeKind, HouseholdChange, MeterChange, NewSilence, RegistrationChange},
    scope::{Group, Scopes},
};
use ebp_store::{
    DeviceEdit, Edit, EditOptions, Editor, Enrolment, HouseholdId, HouseholdVersion, ListQuery,
    Store, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, registration};

/// The whole history, a page of two at a time.
async fn history(store: &dyn Store, id: HouseholdId) -> Vec<RegistrationChange> {
    let mut query = ListQuery { after: None, limit: 2 };
    let mut changes = Vec::new();
    loop {
        let page = store.changes(id, query).await.unwrap();
        changes.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return changes;
        }
    }
}

fn by(label: Option<&str>, at: Timestamp) -> EditOptions {
    let label = label.map(|label| label.parse().unwrap());
    let editor = Editor { group: Group::Researchers, label, at };
    EditOptions { editor: Some(editor), expected: None }
}

/// Changes of a device are in its household's history, and are made for a version of it.
async fn devices(store: &dyn Store, device: Uuid, now: Timestamp) {
    let enrolment = Enrolment {
        token: [7; 32],
        device,
        scopes: Scopes::of_a_device(),
        expires_at: now,
        sign_in_hash: None,
    };
    let silence = NewSilence { reason: "away".into(), ends_at: None, until_recovery: true };
    let edits = [
        DeviceEdit::Meters(Vec::new()),
        DeviceEdit::Enrolment(enrolment),
        DeviceEdit::SignInCode("hash".into()),
        DeviceEdit::Silence(silence, now),
        DeviceEdit::EndSilence,
        DeviceEdit::Revoke(now),
        DeviceEdit::Remove,
    ];
    let editor = by(Some("EM"), now);
    let other = EditOptions { expected: Some(Vec::new()), ..editor.clone() };
    for edit in edits {
        let late = store.edit_device(device, edit.clone(), other.clone()).await;
        assert!(matches!(late, Err(StoreError::Changed)), "{edit:?}: {late:?}");
        store.edit_device(device, edit, editor.clone()).await.unwrap();
    }
    // What is refused is not in the history.
    let refused = store.edit_device(device, DeviceEdit::EndSilence, editor).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
}

/// A version changes once, the history says which members, and a revocation leaves none of it.
pub async fn edits(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let registering = by(Some("EM"), now).editor.unwrap();
    let registration_of = registration("edit@example.org");
    let made = store.register_noted(registration_of, false, registering).await.unwrap();
    let other = store.register(registration("untouched@example.org"), now).await.unwrap();
    let id = HouseholdId(made.household);
    let version =
        async || HouseholdVersion::from_household(&store.registration(id).await.unwrap()).unwrap();
    let moved = |street: &str| {
        let mut change = HouseholdChange {
            address: Some(registration("x@example.org").address),
            ..HouseholdChange::default()
        };
        change.address.as_mut().unwrap().street = street.to_owned();
        Edit::Household(Box::new(change), now)
    };

    // Of two who saw the same version one changes it.
    let seen = version().await;
    let expecting =
        |options: EditOptions, version| EditOptions { expected: Some(vec![version]), ..options };
    let first = expecting(by(Some("EM"), now + SignedDuration::from_secs(1)), seen);
    store.edit(id, moved("Neue Gasse 2"), first.clone()).await.unwrap();
    let late = store.edit(id, moved("Alte Gasse 3"), first).await;
    assert!(matches!(late, Err(StoreError::Changed)), "{late:?}");
    assert_eq!(store.registration(id).await.unwrap().address.unwrap().street, "Neue Gasse 2");
    let none = EditOptions { expected: Some(Vec::new()), ..EditOptions::default() };
    let nothing = store.edit(id, moved("Alte Gasse 3"), none).await;
    assert!(matches!(nothing, Err(StoreError::Changed)));
    // What is read as it is written, a meter's change, is another version as well.
    let seen = version().await;
    let change = MeterChange { model: Some("DD3".into()), ..MeterChange::default() };
    let edit = Edit::ChangeMeter(made.meters[0], change.clone());
    store.edit(id, edit.clone(), expecting(by(None, now), seen)).await.unwrap();
    assert_ne!(version().await, seen);
    // One that changes nothing leaves the version and is not in the history.
    let seen = version().await;
    store.edit(id, edit, by(None, now)).await.unwrap();
    assert_eq!(version().await, seen);
    let added = store.edit(id, Edit::AddDevice(Vec::new()), by(None, now)).await.unwrap();
    assert!(added.is_some());
    devices(store, added.unwrap(), now).await;
    // What is refused is not in the history either.
    let refused = store.edit(id, Edit::RemoveMeter(Uuid::nil()), by(None, now)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
    // Without an editor nothing is told.
    store.change_household(id, HouseholdChange::default(), now).await.unwrap();

    let told: Vec<_> = history(store, id)
        .await
        .into_iter()
        .map(|change| {
            assert_eq!(change.group, Group::Researchers);
            (change.kind, change.label, change.fields)
        })
        .collect();
    let initials = || Some("EM".to_owned());
    assert_eq!(
        told,
        [
            (ChangeKind::Registered, initials(), Vec::new()),
            (ChangeKind::Changed, initials(), vec!["/address/street".to_owned()]),
            (ChangeKind::MeterChanged, None, vec!["/model".to_owned()]),
            (ChangeKind::DeviceAdded, None, Vec::new()),
            (ChangeKind::DeviceChanged, initials(), Vec::new()),
            (ChangeKind::TokenMade, initials(), Vec::new()),
            (ChangeKind::SignInCodeMade, initials(), Vec::new()),
            (ChangeKind::DeviceSilenced, initials(), Vec::new()),
            (ChangeKind::SilenceEnded, initials(), Vec::new()),
            (ChangeKind::CertificateRevoked, initials(), Vec::new()),
            (ChangeKind::DeviceRemoved, initials(), Vec::new()),
        ]
    );
    assert!(history(store, HouseholdId(other.household)).await.is_empty());
    let unknown =
        store.changes(HouseholdId(Uuid::nil()), ListQuery { after: None, limit: 1 }).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)));

    assert_eq!(store.forget_labels().await.unwrap(), 9);
    assert_eq!(store.forget_labels().await.unwrap(), 0);
    assert!(history(store, id).await.iter().all(|change| change.label.is_none()));

    // A revocation says so before the version does, and leaves no history.
    store.grant_consent(id, now).await.unwrap();
    store.revoke_consent(id, now).await.unwrap();
    let over = store.edit(id, moved("x"), expecting(by(None, now), seen)).await;
    assert!(matches!(over, Err(StoreError::NotFound | StoreError::ConsentRevoked)), "{over:?}");
}
