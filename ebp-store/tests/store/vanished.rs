//! Packets between a server and PostgreSQL vanish, and nobody is told.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use ebp_needs::needs;
use ebp_store::PostgresSettings;
use ebp_testkit::network::{FAR, Network};
use tokio::{
    net::{TcpListener, UnixStream},
    runtime::Runtime,
};

use crate::{
    cluster::Cluster,
    silence::{assert_back, household, open, report},
};

/// Each question is answered within this, whatever the network does: look-ups have 5 seconds, copies
/// 15, and a report asks for both.
const ANSWERED: Duration = Duration::from_secs(25);

/// Takes connections for PostgreSQL's socket.
async fn forward(listener: TcpListener, socket: PathBuf) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut far = UnixStream::connect(&socket).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
    }
}

#[needs(postgresql, network_namespaces)]
#[test]
fn service_is_back_once_packets_arrive_again() {
    let network = Network::start();
    let listener = network.far(|| std::net::TcpListener::bind((FAR, 5432)).unwrap());
    listener.set_nonblocking(true).unwrap();
    network.near(|| Runtime::new().unwrap().block_on(near(&network, listener)));
}

async fn near(network: &Network, listener: std::net::TcpListener) {
    let cluster = Cluster::start("fsync = off\n");
    let (url, _) = cluster.database().await;
    let socket = url.split(' ').next().unwrap().trim_start_matches("host=").to_owned();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(forward(listener, PathBuf::from(&socket).join(".s.PGSQL.5432")));
    let over_network = url.replace(&socket, &FAR.to_string()) + " sslmode=disable";
    let store = open(&PostgresSettings::new(over_network)).await;
    let (household, meter) = household(&*store).await;
    // Shorter and longer than what the kernel waits for an acknowledgement.
    for (round, seconds) in [(1, 3), (2, 20)] {
        network.lose_everything();
        let begun = Instant::now();
        let mut asked = 0;
        while begun.elapsed() < Duration::from_secs(seconds) {
            let one = Instant::now();
            assert!(store.ping().await.is_err(), "nobody can be reached");
            assert!(!report(&*store, household, meter, round * 1000 + asked).await);
            assert!(one.elapsed() < ANSWERED, "{:?}", one.elapsed());
            asked += 1;
        }
        network.pass_again();
        assert_back(&*store, household, meter, round * 1000 + 500).await;
    }
}
