//! A copied certificate: two processes use it in turn.

use ebp_core::{
    clock::Clock,
    contract::{AlertChange, AlertKind},
};
use ebp_store::{NewTunnel, TunnelTaken};
use uuid::Uuid;

use super::{looked, receiver::Receiver, watching};

#[tokio::test]
async fn both_processes_of_a_copied_certificate_are_named() {
    let receiver = Receiver::start().await;
    let server = watching(Some(&receiver), |_, _| {}).await;
    let (made, _) = server.consenting("erika@example.org").await;
    let take = async |instance: u128| {
        let new = NewTunnel {
            device: made.measurement_device,
            server: Uuid::from_u128(9),
            url: None,
            instance: Uuid::from_u128(instance),
            version: "0".into(),
            ipv6: false,
        };
        server.clock.advance(5);
        server.store.take_tunnel(new, server.clock.now()).await.unwrap()
    };
    let mut turns = [1, 2].into_iter().cycle();
    let conflict = loop {
        if let TunnelTaken::Conflict(instances) = take(turns.next().unwrap()).await {
            break instances;
        }
    };
    let got = receiver.wait(1).await.remove(0);
    let item = &got.notice().items[0];
    assert_eq!((item.kind, item.change), (AlertKind::CopiedCertificate, AlertChange::Began));
    assert_eq!((item.device, &item.instances[..]), (made.measurement_device, &conflict[..]));
    // As long as the other one comes back it goes on.
    let other = conflict[1].as_u128();
    for _ in 0..3 {
        server.clock.advance(60);
        server.store.keep_tunnels(Uuid::from_u128(9), server.clock.now()).await.unwrap();
        assert!(matches!(take(other).await, TunnelTaken::Conflict(_)));
        looked(&server).await;
    }
    server.clock.advance(500);
    looked(&server).await;
    assert_eq!(receiver.count(), 1);
    server.clock.advance(200);
    let ended = receiver.wait(2).await.remove(1);
    let item = &ended.notice().items[0];
    assert_eq!((item.kind, item.change), (AlertKind::CopiedCertificate, AlertChange::Ended));
    assert_eq!(item.instances, conflict);
    server.stop().await;
}
