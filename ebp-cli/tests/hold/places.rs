//! One client does not take everybody's places: neither by bodies that trickle nor by connections
//! that ask nothing. On both engines.

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use ebp_needs::needs;

use crate::{
    cluster::Cluster,
    kills::block_on,
    raw::{Tls, connect, send, tls, upload_head},
    senders::{batch, client, granted_at, insist},
    support::{household::Household, server::Server},
};

/// Connections of one device that trickle.
const TRICKLING: usize = 33;

/// Uploads of others meanwhile.
const OTHERS: usize = 70;

/// Bodies without end, an octet of each at a time, until `ended`.
fn trickle(mut streams: Vec<Tls>, ended: &AtomicBool) {
    for stream in &mut streams {
        send(stream, upload_head(None, "").as_bytes());
    }
    while !ended.load(Ordering::Relaxed) {
        for stream in &mut streams {
            let _ = stream.write_all(b"1\r\n \r\n").and_then(|()| stream.flush());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn others_are_served(server: &Server) {
    let household = |name: &str| {
        let household = Household::register(server, name, &["MT175"], "15m");
        household.account(server).grant();
        household
    };
    let trickler = household("erika@example.org");
    let others = [household("max@example.org"), household("zoe@example.org")];
    let config = tls(server, &trickler.device_certificate);
    let streams: Vec<_> = (0..TRICKLING).map(|_| connect(server, &config).unwrap()).collect();
    let ended = AtomicBool::new(false);
    let (mut accepted, mut told) = (0, Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| trickle(streams, &ended));
        thread::sleep(Duration::from_secs(1));
        for other in &others {
            let (since, device) = (granted_at(server, other), client(server, other));
            for number in 0..OTHERS / others.len() {
                match device.upload(&batch(other, since, number * 4, 4)) {
                    Ok(_) => accepted += 1,
                    Err(error) => told.push(error.to_string()),
                }
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(accepted, OTHERS, "{accepted} of {OTHERS}: {:?}", told.first());
}

#[test]
fn trickling_bodies_on_sqlite() {
    others_are_served(&Server::start());
}

#[needs(postgresql)]
#[test]
fn trickling_bodies_on_postgresql() {
    let cluster = Cluster::start("");
    let (url, _) = block_on(cluster.database());
    others_are_served(&Server::configured(&format!("database_url = {url:?}")));
}

/// Every connection has finished its handshake and asks nothing; whoever comes then is served at
/// once nevertheless, and not when the others are given up.
#[test]
fn connections_that_ask_nothing_do_not_delay_others() {
    let server = Server::configured("[limits]\nconnections = 40\nconnections_per_address = 0\n");
    let household = Household::register(&server, "erika@example.org", &["MT175"], "15m");
    household.account(&server).grant();
    // Four have the places of all.
    let crowd = ["a@example.org", "b@example.org", "c@example.org", "d@example.org"]
        .map(|email| Household::register(&server, email, &["MT175"], "15m"))
        .map(|household| tls(&server, &household.device_certificate));
    let (since, device) = (granted_at(&server, &household), client(&server, &household));
    let mut idle = Vec::new();
    let mut slowest = Duration::ZERO;
    for round in 0..5 {
        // So many that all places are taken, whatever was closed before.
        thread::scope(|scope| {
            let connecting: Vec<_> = crowd
                .iter()
                .cycle()
                .take(40)
                .map(|tls| scope.spawn(|| connect(&server, tls)))
                .collect();
            thread::sleep(Duration::from_millis(500));
            let before = Instant::now();
            insist(&device, &batch(&household, since, round * 4, 4));
            slowest = slowest.max(before.elapsed());
            for connected in connecting {
                idle.extend(connected.join().unwrap());
            }
        });
    }
    println!("the slowest upload beside {} idle connections: {slowest:?}", idle.len());
    assert!(slowest < Duration::from_secs(15), "{slowest:?}");
}
