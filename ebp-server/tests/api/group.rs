//! Requests that are committed together: where that fails, each is answered with its own status.
//! `group_on_sqlite.rs` and `group_on_postgres.rs` break the transaction.

use std::{collections::BTreeSet, sync::Arc};

use ebp_core::{
    clock::Clock,
    contract::{Registered, paths, problem_type},
};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::harness::{Api, Call, Server, measurement, outcomes};

/// A household that consents, and the upload of its device.
struct Sender {
    registered: Registered,
    api: Arc<Api>,
    items: Vec<Value>,
}

/// A server, and households whose uploads come together.
pub struct Scene {
    /// Ends with the scene.
    _server: Server,
    senders: Vec<Sender>,
}

/// An answer that is read.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        Self { status, retry_after, body: response.json().await.unwrap() }
    }

    #[track_caller]
    fn assert_problem(&self, status: u16, kind: &str) {
        assert_eq!((self.status, self.body["type"].as_str()), (status, Some(kind)), "{self:?}");
    }

    /// Everything is stored.
    #[track_caller]
    pub fn assert_stored(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert!(outcomes(&self.body).iter().all(|outcome| outcome == "accepted"), "{self:?}");
    }

    /// It is to be sent again, and not at once.
    #[track_caller]
    pub fn assert_put_off(&self) {
        self.assert_problem(503, problem_type::UNAVAILABLE);
        let wait: u64 = self.retry_after.as_deref().unwrap().parse().unwrap();
        assert!(wait > 0, "{self:?}");
    }

    /// It is never to be sent again: consent was revoked.
    #[track_caller]
    pub fn assert_gone(&self) {
        self.assert_problem(410, problem_type::CONSENT_REVOKED);
    }

    /// The meter is not there.
    #[track_caller]
    pub fn assert_not_found(&self) {
        self.assert_problem(404, problem_type::NOT_FOUND);
    }
}

impl Scene {
    /// So many households, each with an upload of so many measurements.
    pub async fn set(server: Server, households: usize, each: usize) -> Self {
        let mut senders = Vec::new();
        for number in 0..households {
            let (registered, api) = server.consenting(&format!("{number}@example.org")).await;
            let first = (number as u128 + 1) << 64;
            let now = server.clock.now();
            let item = |i: usize| measurement(first + i as u128, registered.meters[0], now);
            let items = (0..each).map(item).collect();
            senders.push(Sender { registered, api: Arc::new(api), items });
        }
        Self { _server: server, senders }
    }

    pub fn household(&self, number: usize) -> Uuid {
        self.senders[number].registered.household
    }

    /// Sends a household's upload.
    pub fn upload(&self, number: usize) -> JoinHandle<Answer> {
        let Sender { api, items, .. } = &self.senders[number];
        let call = api.upload(items);
        tokio::spawn(async move { Answer::read(call.send().await.unwrap()).await })
    }

    /// Reports an incident of a meter that the household does not have.
    pub fn report_of_unknown_meter(&self, number: usize) -> JoinHandle<Answer> {
        let path = format!("{}/report", paths::incidents_of(Uuid::from_u128(404)));
        let body = json!({"type": "SERIAL-PORT-UNAVAILABLE"});
        let call = Call(self.senders[number].api.post(&path).0.json(&body));
        tokio::spawn(async move { Answer::read(call.send().await.unwrap()).await })
    }

    /// All that the household sent is there, each once.
    pub async fn assert_stored_once(&self, number: usize) {
        let Sender { registered, api, items } = &self.senders[number];
        let path = format!("{}?limit=10000", paths::measurements_of(registered.meters[0]));
        let listed = api.get(&path).ok().await;
        let uuids = |items: &[Value]| -> BTreeSet<String> {
            items.iter().map(|item| item["uuid"].as_str().unwrap().to_owned()).collect()
        };
        let listed = listed["items"].as_array().unwrap();
        assert_eq!(listed.len(), items.len());
        assert_eq!(uuids(listed), uuids(items));
    }
}
