//! The client: the only file that knows `rumqttc`.
//!
//! A thread of its own keeps the connection, so that nothing waits for a broker that is slow or gone.
//! Sessions are clean: what was under way when a connection broke is not sent again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use rumqttc::{
    ConnectReturnCode, ConnectionError, Event, LastWill, MqttOptions, Packet, PublishOptions, QoS,
    TlsConfiguration, Transport,
};

use super::message::{OFFLINE, ONLINE, Topics};
use crate::{
    config::BrokerAddress, error::PublishError, notice::Teller, output::Output, secret::Secret,
    trust,
};

/// The broker regards the connection as gone after one and a half of it.
const KEEP_ALIVE_SECONDS: u16 = 30;
/// Messages that wait for the connection's thread: those of one round for many meters.
const QUEUE: usize = 64;
/// How long is waited between attempts to connect: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// Who this is to the broker.
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
}

/// What the connection's thread tells.
#[derive(Default)]
struct Shared {
    is_connected: AtomicBool,
    /// Counts connections, and starts of Home Assistant.
    round: AtomicU64,
    is_over: AtomicBool,
}

/// A connection to the broker, which is built anew for as long as this lives.
pub(super) struct Client {
    client: rumqttc::Client,
    shared: Arc<Shared>,
    ended: mpsc::Receiver<()>,
}

impl Client {
    /// Begins to connect.
    pub(super) fn connect(
        address: &BrokerAddress,
        ca: Option<&std::path::Path>,
        login: Login,
        topics: &Topics,
        teller: Teller,
    ) -> Result<Self, PublishError> {
        let mut options =
            MqttOptions::new(topics.client.clone(), (address.host.clone(), address.port));
        options.set_keep_alive(KEEP_ALIVE_SECONDS).set_clean_session(true);
        let will = LastWill::new(&topics.availability, OFFLINE, QoS::AtLeastOnce, true);
        options.set_last_will(will);
        match (login.user, login.password) {
            (Some(user), Some(password)) => {
                options.set_credentials(user, password.expose().to_owned());
            }
            (Some(user), None) => {
                options.set_username(user);
            }
            (None, _) => {}
        }
        if address.is_encrypted {
            let tls = TlsConfiguration::Rustls(Arc::new(trust::client_config(ca)?));
            options.set_transport(Transport::tls_with_config(tls));
        }
        let (client, connection) = rumqttc::Client::builder(options).capacity(QUEUE).build();
        let shared = Arc::new(Shared::default());
        let (alive, ended) = mpsc::channel();
        let keeper = Keeper {
            connection,
            client: client.clone(),
            shared: Arc::clone(&shared),
            birth: topics.birth.clone(),
            at: address.to_string(),
            teller,
        };
        thread::Builder::new()
            .name("mqtt-connection".to_owned())
            .spawn(move || {
                keeper.run();
                drop(alive);
            })
            .map_err(|error| PublishError::Thread(Output::Mqtt, error))?;
        Ok(Self { client, shared, ended })
    }

    /// The number of the present connection and of Home Assistant's starts; none without a connection.
    pub(super) fn round(&self) -> Option<u64> {
        self.shared
            .is_connected
            .load(Ordering::SeqCst)
            .then(|| self.shared.round.load(Ordering::SeqCst))
    }

    /// Hands a retained message to the connection; false if it takes none now.
    pub(super) fn publish(&self, topic: &str, payload: String) -> bool {
        let options = PublishOptions::new(QoS::AtLeastOnce).retained();
        self.round().is_some() && self.client.try_publish(topic, payload, options).is_ok()
    }

    /// Says that nothing more comes, and ends the connection.
    pub(super) fn leave(self, availability: &str) {
        self.publish(availability, OFFLINE.to_owned());
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = self.client.try_disconnect_with_timeout(FAREWELL);
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

/// Keeps the connection on a thread of its own.
struct Keeper {
    connection: rumqttc::Connection,
    client: rumqttc::Client,
    shared: Arc<Shared>,
    birth: String,
    at: String,
    teller: Teller,
}

impl Keeper {
    fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        while let Ok(event) = self.connection.recv() {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    pause = FIRST_PAUSE;
                    // Home Assistant asks for everything by its birth message.
                    let _ = self.client.try_subscribe(self.birth.as_str(), QoS::AtLeastOnce);
                    self.shared.round.fetch_add(1, Ordering::SeqCst);
                    self.shared.is_connected.store(true, Ordering::SeqCst);
                    self.teller.works();
                }
                Ok(Event::Incoming(Packet::Publish(message))) => {
                    // A retained one is from before this connection.
                    if !message.retain && message.payload.as_ref() == ONLINE.as_bytes() {
                        self.shared.round.fetch_add(1, Ordering::SeqCst);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    self.shared.is_connected.store(false, Ordering::SeqCst);
                    if self.shared.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    self.teller.failed(explain(&self.at, &error));
                    self.pause(pause);
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits, unless it is over.
    fn pause(&self, long: Duration) {
        let step = Duration::from_millis(250);
        let mut left = long;
        while !left.is_zero() && !self.shared.is_over.load(Ordering::SeqCst) {
            thread::sleep(step.min(left));
            left = left.saturating_sub(step);
        }
    }
}

fn explain(at: &str, error: &ConnectionError) -> PublishError {
    let at = at.to_owned();
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => PublishError::Refused { at },
        error => PublishError::Unreachable { at, reason: error.to_string() },
    }
}
