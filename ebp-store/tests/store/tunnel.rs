//! Tunnels and their sessions: the same on both databases.

use std::sync::Arc;

use ebp_core::contract::TunnelSessionEnd;
use ebp_store::{
    HouseholdId, ListQuery, NewTunnel, NewTunnelSession, Store, StoreError, TunnelTaken,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::{at, registration};

const NOW: &str = "2026-03-02T10:00:00Z";
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const ALL: ListQuery = ListQuery { after: None, limit: 1000 };

async fn device(store: &dyn Store, email: &str) -> (HouseholdId, Uuid) {
    let made = store.register(registration(email), at(NOW)).await.unwrap();
    (HouseholdId(made.household), made.measurement_device)
}

fn tunnel(device: Uuid, server: u128, instance: u128) -> NewTunnel {
    NewTunnel {
        device,
        server: Uuid::from_u128(server),
        url: Some(format!("https://server{server}:8443")),
        instance: Uuid::from_u128(instance),
        version: "1.2.3".into(),
        ipv6: true,
    }
}

fn session(device: Uuid, uuid: u128) -> NewTunnelSession {
    let (administrator, service) = ("erika".into(), "ssh".into());
    NewTunnelSession { uuid: Uuid::from_u128(uuid), device, administrator, service }
}

/// The newest tunnel is the device's, whichever server has it; an older one's end changes nothing.
pub async fn the_newest_counts([store, other]: [Arc<dyn Store>; 2]) {
    let (_, device) = device(&*store, "erika@example.org").await;
    assert!(matches!(store.tunnel_place(device).await, Err(StoreError::NotFound)));
    let first = store.take_tunnel(tunnel(device, 1, 7), at(NOW)).await.unwrap();
    let second = other.take_tunnel(tunnel(device, 2, 7), at(NOW) + SECOND).await.unwrap();
    let (TunnelTaken::Taken(first), TunnelTaken::Taken(second)) = (first, second) else {
        panic!("{first:?} {second:?}")
    };
    assert!(second > first);
    assert_eq!(store.own_tunnels(Uuid::from_u128(1)).await.unwrap(), []);
    assert_eq!(store.own_tunnels(Uuid::from_u128(2)).await.unwrap(), [(device, second)]);
    store.release_tunnel(device, first, at(NOW) + SECOND * 2).await.unwrap();
    let place = store.tunnel_place(device).await.unwrap();
    assert_eq!((place.server, place.epoch), (Some(Uuid::from_u128(2)), second));
    assert_eq!(place.url.as_deref(), Some("https://server2:8443"));

    let now = at(NOW) + SECOND * 60;
    let connected = async |now| {
        let tunnels = store.tunnels(ALL, now).await.unwrap().items;
        (tunnels[0].connected, tunnels[0].ipv6, tunnels[0].version.clone())
    };
    assert_eq!(connected(now).await, (true, true, "1.2.3".into()));
    assert!(!connected(now + SECOND * 60).await.0, "nobody has kept it");
    other.keep_tunnels(Uuid::from_u128(2), now + SECOND * 30).await.unwrap();
    assert!(connected(now + SECOND * 60).await.0);
    store.release_tunnel(device, second, now + SECOND * 61).await.unwrap();
    assert!(!connected(now + SECOND * 62).await.0);
    let place = store.tunnel_place(device).await.unwrap();
    assert_eq!((place.server, place.seen_at), (None, now + SECOND * 61));
}

/// Two processes in turn are found, on whichever servers, and it is listed.
pub async fn a_conflict_is_found([store, other]: [Arc<dyn Store>; 2]) {
    let (_, device) = device(&*store, "erika@example.org").await;
    let mut found = None;
    for step in 0..12 {
        let now = at(NOW) + SECOND * 5 * step;
        let server = if step % 2 == 0 { &store } else { &other };
        let turn = u128::from(step % 2 == 1) + 1;
        let taken = server.take_tunnel(tunnel(device, turn, turn), now).await.unwrap();
        if let TunnelTaken::Conflict(both) = taken {
            found = Some((now, both));
            break;
        }
    }
    let (now, [holder, late]) = found.expect("no conflict is found");
    assert!(holder != late && now < at(NOW) + SECOND * 60);
    let tunnels = store.tunnels(ALL, now).await.unwrap().items;
    assert_eq!((tunnels[0].connected, tunnels[0].conflict_at), (true, Some(now)));
}

/// Sessions begin, are kept, and end once; those of servers that ended do, too.
pub async fn sessions_are_recorded(store: &dyn Store) {
    let (_, device) = device(store, "erika@example.org").await;
    let nobody = store.begin_tunnel_session(session(Uuid::from_u128(9), 1), at(NOW)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)), "{nobody:?}");
    for number in 1..=3_u128 {
        let begin = at(NOW) + SECOND * i32::try_from(number).unwrap();
        store.begin_tunnel_session(session(device, number), begin).await.unwrap();
    }
    let ended = at(NOW) + SECOND * 60;
    for (bytes, end) in [([3, 4], TunnelSessionEnd::Closed), ([9, 9], TunnelSessionEnd::Broken)] {
        store.end_tunnel_session(Uuid::from_u128(1), ended, bytes, end).await.unwrap();
    }
    let later = at(NOW) + SECOND * 100;
    store.keep_tunnel_sessions(vec![Uuid::from_u128(2)], later).await.unwrap();
    assert_eq!(store.end_abandoned_sessions(later, later).await.unwrap(), 1);
    let sessions = store.tunnel_sessions(ALL).await.unwrap().items;
    let ends: Vec<_> = sessions.iter().map(|session| (session.end, session.ended_at)).collect();
    let [closed, broken] = [TunnelSessionEnd::Closed, TunnelSessionEnd::Broken].map(Some);
    assert_eq!(ends, [(closed, Some(ended)), (None, None), (broken, Some(later))]);
    assert_eq!((sessions[0].bytes_to_device, sessions[0].bytes_from_device), (3, 4));
    assert_eq!((sessions[0].device, &*sessions[0].administrator), (Some(device), "erika"));

    let next_year = at("2027-04-01T00:00:00Z");
    store.begin_tunnel_session(session(device, 4), next_year).await.unwrap();
    assert_eq!(store.tunnel_sessions(ALL).await.unwrap().items.len(), 1, "old ones are deleted");
}

/// With consent ends what says where the device is, and which one sessions were with.
pub async fn a_revocation_forgets_the_device(store: &dyn Store) {
    let (household, own) = device(store, "erika@example.org").await;
    let (_, other) = device(store, "max@example.org").await;
    for (number, device) in [(1, own), (2, other)] {
        store.take_tunnel(tunnel(device, 1, 7), at(NOW)).await.unwrap();
        store.begin_tunnel_session(session(device, number), at(NOW)).await.unwrap();
    }
    store.grant_consent(household, at(NOW)).await.unwrap();
    store.revoke_consent(household, at(NOW) + SECOND).await.unwrap();
    assert!(matches!(store.tunnel_place(own).await, Err(StoreError::NotFound)));
    assert!(store.tunnel_place(other).await.is_ok());
    let sessions = store.tunnel_sessions(ALL).await.unwrap().items;
    let devices: Vec<_> = sessions.iter().map(|session| session.device).collect();
    assert_eq!(devices, [None, Some(other)]);
    let again = store.take_tunnel(tunnel(own, 1, 7), at(NOW) + SECOND * 2).await;
    assert!(again.is_err(), "{again:?}");
}
