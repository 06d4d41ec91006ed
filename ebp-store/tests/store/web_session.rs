//! Sessions in pages and links by which somebody signs in once: the same on both databases.

use std::sync::Arc;

use ebp_core::scope::{Group, Scopes};
use ebp_store::{
    CertificateKind, Digest, NewSignInLink, NewWebSession, RegisterEntry, Serial, Store,
    StoreError, WEB_SESSION_ABSOLUTE, WEB_SESSION_IDLE,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::at;

const NOW: &str = "2026-03-02T10:00:00Z";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn new(number: u8, group: Group) -> NewWebSession {
    NewWebSession {
        token: [number; 32],
        uuid: Uuid::from_u128(u128::from(number)),
        group,
        label: Some("EM".into()),
        browser: Some("Firefox".into()),
    }
}

/// Any server answers a session, until it is idle, old, ended, or the group's secret is another.
pub async fn any_server_answers([store, other]: [Arc<dyn Store>; 2]) {
    let (one, two): (Digest, Digest) = ([1; 32], [2; 32]);
    let start = at(NOW);
    store.begin_web_session(new(1, Group::Researchers), start).await.unwrap();
    store.begin_web_session(new(2, Group::Administrators), start + MINUTE).await.unwrap();
    let found = other.web_session(one, true, start + MINUTE * 29).await.unwrap().unwrap();
    assert_eq!((found.group, found.label.as_deref()), (Group::Researchers, Some("EM")));
    assert_eq!((found.uuid, found.began_at), (Uuid::from_u128(1), start));
    assert_eq!(other.web_session([3; 32], true, start).await.unwrap(), None);

    // What a page asks by itself does not keep it open.
    let looked = other.web_session(two, false, start + MINUTE * 30).await.unwrap();
    assert!(looked.is_some());
    assert_eq!(
        store.web_session(two, true, start + MINUTE + WEB_SESSION_IDLE).await.unwrap(),
        None
    );
    let later = start + MINUTE * 29 + WEB_SESSION_IDLE;
    assert!(store.web_session(one, true, later - MINUTE).await.unwrap().is_some());
    let listed = store.web_sessions(later).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.uuid).collect::<Vec<_>>(), [found.uuid]);
    assert_eq!(listed[0].seen_at, later - MINUTE);

    // Used all the time, it ends nevertheless.
    let mut now = start;
    while now < start + WEB_SESSION_ABSOLUTE {
        assert!(other.web_session(one, true, now).await.unwrap().is_some(), "{now}");
        now += MINUTE * 20;
    }
    assert_eq!(store.web_session(one, true, start + WEB_SESSION_ABSOLUTE).await.unwrap(), None);

    let start = start + WEB_SESSION_ABSOLUTE;
    for number in [4, 5, 6] {
        let group = if number == 6 { Group::Administrators } else { Group::Researchers };
        store.begin_web_session(new(number, group), start).await.unwrap();
    }
    let count = async || other.web_sessions(start).await.unwrap().len();
    assert_eq!(count().await, 3, "those that have ended are gone");
    assert!(other.end_web_session(Uuid::from_u128(4)).await.unwrap());
    assert!(!store.end_web_session(Uuid::from_u128(4)).await.unwrap());
    assert_eq!(store.web_session([4; 32], true, start).await.unwrap(), None);
    assert!(store.end_web_session_by([5; 32]).await.unwrap());
    assert!(!other.end_web_session_by([5; 32]).await.unwrap());
    assert_eq!(count().await, 1);
}

/// Another secret ends a group's sessions and links, and no others.
pub async fn another_secret_ends_them([store, other]: [Arc<dyn Store>; 2]) {
    let start = at(NOW);
    store.set_group_hash(Group::Researchers, "first".into()).await.unwrap();
    store.set_group_hash(Group::Administrators, "first".into()).await.unwrap();
    store.begin_web_session(new(1, Group::Researchers), start).await.unwrap();
    store.begin_web_session(new(2, Group::Administrators), start).await.unwrap();
    let link = |number: u8, group| NewSignInLink {
        token: [number; 32],
        group,
        label: "erika".into(),
        expires_at: start + MINUTE,
    };
    store.add_sign_in_link(link(1, Group::Researchers), start).await.unwrap();
    other.set_group_hash(Group::Researchers, "first".into()).await.unwrap();
    assert!(store.web_session([1; 32], true, start).await.unwrap().is_some(), "it is the same");
    other.set_group_hash(Group::Researchers, "second".into()).await.unwrap();
    assert_eq!(store.web_session([1; 32], true, start).await.unwrap(), None);
    assert!(store.web_session([2; 32], true, start).await.unwrap().is_some());
    let used = store.use_sign_in_link([1; 32], start).await;
    assert!(matches!(used, Err(StoreError::NotFound)), "{used:?}");
}

/// A link opens once, at one of two servers, and not after its time.
pub async fn a_link_opens_once([store, other]: [Arc<dyn Store>; 2]) {
    let start = at(NOW);
    let link = |number: u8| NewSignInLink {
        token: [number; 32],
        group: Group::Administrators,
        label: "erika".into(),
        expires_at: start + MINUTE,
    };
    store.add_sign_in_link(link(1), start).await.unwrap();
    let (first, second) = tokio::join!(
        store.use_sign_in_link([1; 32], start),
        other.use_sign_in_link([1; 32], start)
    );
    let opened: Vec<_> = [first, second].into_iter().filter_map(Result::ok).collect();
    assert_eq!(opened, [(Group::Administrators, "erika".to_owned())]);
    store.add_sign_in_link(link(2), start).await.unwrap();
    let late = other.use_sign_in_link([2; 32], start + MINUTE).await;
    assert!(matches!(late, Err(StoreError::NotFound)), "{late:?}");
}

/// Whoever signed in by a link that was made for the holder of a person's certificate is signed out when
/// that is revoked, and nobody else.
pub async fn a_revoked_person_is_signed_out([store, other]: [Arc<dyn Store>; 2]) {
    let start = at(NOW);
    let named = |number: u8, group, label: &str| NewWebSession {
        label: Some(label.into()),
        ..new(number, group)
    };
    store.begin_web_session(named(1, Group::Administrators, "erika"), start).await.unwrap();
    store.begin_web_session(named(2, Group::Administrators, "max"), start).await.unwrap();
    store.begin_web_session(named(3, Group::Researchers, "erika"), start).await.unwrap();
    let link = NewSignInLink {
        token: [1; 32],
        group: Group::Administrators,
        label: "erika".into(),
        expires_at: start + MINUTE,
    };
    store.add_sign_in_link(link, start).await.unwrap();
    let of = |byte: u8, name: &str| RegisterEntry {
        serial: Serial::from_octets(&[byte; 16]).unwrap(),
        kind: CertificateKind::Client,
        device: None,
        scopes: Scopes::of_a_device(),
        not_before: start,
        not_after: start + WEB_SESSION_ABSOLUTE,
        revoked_at: None,
        holder: None,
        administrator: Some(name.into()),
    };
    store.add_to_register(vec![of(1, "erika"), of(2, "moritz")]).await.unwrap();
    let goes_on =
        async |number: u8| other.web_session([number; 32], true, start).await.unwrap().is_some();
    assert!(goes_on(1).await);
    let revoked = |entry| RegisterEntry { revoked_at: Some(start), ..entry };
    store.add_to_register(vec![revoked(of(2, "moritz"))]).await.unwrap();
    assert!(goes_on(1).await && goes_on(2).await && goes_on(3).await);
    store.add_to_register(vec![revoked(of(1, "erika"))]).await.unwrap();
    assert!(!goes_on(1).await && goes_on(2).await && goes_on(3).await);
    let used = other.use_sign_in_link([1; 32], start).await;
    assert!(matches!(used, Err(StoreError::NotFound)), "{used:?}");
}
