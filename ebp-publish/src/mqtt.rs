//! MQTT: each meter's state on a retained topic, announced to Home Assistant by its discovery.
//!
//! Enters: readings. Leaves: messages, while the broker is there; the newest reading of each meter once
//! it is back. Absent: the client, which is in `client.rs` alone; what the messages contain, which is
//! in `message.rs`.

mod client;
mod message;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    config::MqttConfig,
    error::PublishError,
    mailbox::{Mailbox, Post, Taken, Work},
    notice::{Hear, Teller},
    output::Output,
    reading::Meter,
    secret::Secret,
};
use client::{Client, Login};
use message::Topics;

/// How often it is looked whether the broker came back or Home Assistant was started.
const LOOK: Duration = Duration::from_millis(500);

/// Starts the output.
pub(crate) fn start(
    config: &MqttConfig,
    meters: &[Meter],
    hear: &Hear,
) -> Result<Work, PublishError> {
    let password = match (&config.password_file, &config.password) {
        (Some(path), _) => Some(
            Secret::from_file(path)
                .map_err(|source| PublishError::Secret { path: path.clone(), source })?,
        ),
        (None, password) => password.clone(),
    };
    let user = config.user.clone().or_else(|| config.url.user.clone());
    let topics = Topics::new(config, meters);
    let teller = Teller::new(Output::Mqtt, Arc::clone(hear));
    let login = Login { user, password };
    let client = Client::connect(&config.url, config.ca.as_deref(), login, &topics, teller)?;
    let session = Session { client, topics, latest: BTreeMap::new(), announced: 0 };
    let meters = meters.to_vec();
    Ok(Box::new(move |mailbox| session.run(mailbox, &meters)))
}

/// What is published while the program runs.
struct Session {
    client: Client,
    topics: Topics,
    /// The latest reading of each meter that was published.
    latest: BTreeMap<Uuid, Post>,
    /// The number of the connection and of Home Assistant's start that everything was announced in.
    announced: u64,
}

impl Session {
    fn run(mut self, mailbox: &Mailbox, meters: &[Meter]) {
        loop {
            let round = self.client.round();
            if let Some(round) = round.filter(|round| *round != self.announced)
                && self.announce(meters)
            {
                self.announced = round;
            }
            if round.is_none() {
                // Readings stay in the mailbox, where newer ones replace them.
                mailbox.rest(LOOK);
                if mailbox.is_closed() {
                    break;
                }
                continue;
            }
            match mailbox.take(LOOK) {
                Taken::Posts(posts) => self.publish(posts, mailbox),
                Taken::Nothing => {}
                Taken::Closed => break,
            }
        }
        self.client.leave(&self.topics.availability);
    }

    /// Says that it is there, what there is, and what was read last.
    fn announce(&self, meters: &[Meter]) -> bool {
        let client = &self.client;
        client.publish(&self.topics.availability, message::ONLINE.to_owned())
            && meters.iter().all(|meter| {
                let (topic, payload) = self.topics.discovery(meter);
                client.publish(&topic, payload)
            })
            && self.latest.values().all(|(meter, reading)| {
                client.publish(&self.topics.state(meter), message::state(reading))
            })
    }

    fn publish(&mut self, posts: Vec<Post>, mailbox: &Mailbox) {
        let mut left = Vec::new();
        for (meter, reading) in posts {
            if self.client.publish(&self.topics.state(&meter), message::state(&reading)) {
                self.latest.insert(meter.uuid, (meter, reading));
            } else {
                left.push((meter, reading));
            }
        }
        if !left.is_empty() {
            mailbox.put_back(left);
            mailbox.rest(LOOK);
        }
    }
}
