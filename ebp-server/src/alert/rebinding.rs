//! A receiver's name that changes its address between the check and the connection.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ebp_core::contract::{AlertChannel, AlertMessageKind};
use ebp_store::{Attempted, DueDelivery};
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

use super::{SecretUrl, WebhookSettings, names::Names, target::Reach, webhook::Webhook};

/// A name service whose first answer is the first address, and each later one the second.
#[derive(Debug)]
struct Rebinding {
    answers: [SocketAddr; 2],
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Rebinding {
    async fn look_up(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(vec![self.answers[asked.min(1)]])
    }
}

/// An HTTP server that counts connections.
async fn listen(address: SocketAddr) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind(address).await.unwrap();
    let counted = Arc::<AtomicUsize>::default();
    let count = counted.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut bytes = vec![0; 65_536];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(b"HTTP/1.1 204 Good\r\n\r\n").await;
        }
    });
    counted
}

fn due() -> DueDelivery {
    DueDelivery {
        message: Uuid::from_u128(1),
        kind: AlertMessageKind::Test,
        created_at: Timestamp::UNIX_EPOCH,
        channel: AlertChannel::Webhook,
        attempts: 0,
        items: Vec::new(),
        began: 0,
        ended: 0,
    }
}

/// The address that was checked is the one that is dialled: what the name has become meanwhile is
/// checked before the next message, and refused.
#[tokio::test]
async fn a_name_that_rebinds_leads_nowhere_else() {
    let free = std::net::TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
    let inside = SocketAddr::new("127.0.0.1".parse().unwrap(), free.port());
    let (receiver, victim) = (listen(free).await, listen(inside).await);
    let names = Arc::new(Rebinding { answers: [free, inside], asked: AtomicUsize::new(0) });
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    let text = b"a secret of receivers";
    ebp_core::private_file::replace(&secret, &dir.path().join("new"), text).unwrap();
    let url = format!("http://receiver.example:{}/hook", free.port());
    let settings = WebhookSettings { url: SecretUrl::new(&url), secret };
    let reach = Reach {
        allowed: vec!["127.0.0.2".parse().unwrap()],
        ca: None,
        patience: Duration::from_secs(10),
        names: names.clone(),
    };
    let webhook = Webhook::open(&settings, &reach).unwrap();

    let first = webhook.send(&due(), Timestamp::UNIX_EPOCH).await;
    assert_eq!(first, Attempted::Accepted);
    assert_eq!(names.asked.load(Ordering::SeqCst), 1, "nobody asks again to connect");
    let second = webhook.send(&due(), Timestamp::UNIX_EPOCH).await;
    let Attempted::Failed { error, .. } = second else { panic!("{second:?}") };
    assert!(error.contains("not public"), "{error}");
    let reached = [receiver, victim].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(reached, [1, 0]);
}
