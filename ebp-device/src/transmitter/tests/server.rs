//! A server that fails in every way there is, and stores each uuid once.

use std::{cell::RefCell, collections::BTreeMap};

use proptest::prelude::*;
use uuid::Uuid;

use crate::transmitter::Upload;
use ebp_client::ClientError;
use ebp_core::{
    contract::{UploadItem, UploadOutcome, UploadRequest, UploadResponse, problem_type},
    model::Measurement,
};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The server is down.
    DiesBeforeStoring,
    /// The server stores, its answer never arrives.
    DiesAfterStoring,
    /// The server stores the first half and dies.
    DiesHalfway,
    /// The device dies after the server stored and before it learns so.
    DeviceDies,
    /// The server stores, its answer is rubbish.
    Garbled,
    /// The server stores all and answers for every second one.
    AnswersHalf,
    /// The server answers for others that it was not asked about, too.
    AnswersUnknown,
    /// The server answers for others only.
    AnswersUnknownOnly,
    /// The server says both, accepted and refused.
    Contradicts,
    /// Each answer comes twice.
    AnswersTwice,
    /// The server answers with `Retry-After`.
    Busy,
    /// The aggregator stores another measurement meanwhile.
    StoresMeanwhile,
}

pub fn fault() -> impl Strategy<Value = Fault> {
    use Fault::*;
    prop_oneof![
        4 => Just(None),
        10 => prop::sample::select(vec![
            DiesBeforeStoring, DiesAfterStoring, DiesHalfway, DeviceDies, Garbled, AnswersHalf,
            AnswersUnknown, AnswersUnknownOnly, Contradicts, AnswersTwice, Busy, StoresMeanwhile,
        ]),
    ]
}

#[derive(Default)]
pub struct FakeServer {
    pub stored: RefCell<BTreeMap<Uuid, Measurement>>,
    pub faults: RefCell<Vec<Fault>>,
    pub requests: RefCell<usize>,
}

/// This server does not like every seventh measurement.
pub fn is_disliked(uuid: Uuid) -> bool {
    uuid.as_u128().is_multiple_of(7)
}

pub fn problem(status: u16, kind: &str) -> ClientError {
    let server = "https://api.example".to_owned();
    let (kind, title) = (kind.to_owned(), "a problem".into());
    let (faults, household) = (Box::default(), None);
    let (retry_after, trace_id) = (None, None);
    ClientError::Problem { server, status, kind, title, faults, household, retry_after, trace_id }
}

fn unreachable() -> ClientError {
    ClientError::Unreachable { server: "https://api.example".into(), reason: "reset".into() }
}

impl FakeServer {
    pub fn store(&self, measurements: &[Measurement]) -> Vec<UploadItem> {
        let mut stored = self.stored.borrow_mut();
        let mut item = |measurement: &Measurement| {
            let uuid = measurement.uuid;
            if is_disliked(uuid) {
                let reason = Some("disliked".to_owned());
                return UploadItem { uuid, outcome: UploadOutcome::Refused, reason };
            }
            let known = stored.insert(uuid, measurement.clone());
            if let Some(known) = &known {
                assert_eq!(known, measurement, "one uuid stands for one measurement");
            }
            let outcome =
                if known.is_some() { UploadOutcome::Duplicate } else { UploadOutcome::Accepted };
            UploadItem { uuid, outcome, reason: None }
        };
        measurements.iter().map(&mut item).collect()
    }
}

/// The server as a device sees it, with what else happens to the device while a request is under way.
pub struct Link<'a> {
    pub server: &'a FakeServer,
    pub meanwhile: &'a dyn Fn(),
}

impl Upload for Link<'_> {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        let sent = &request.measurements;
        *self.server.requests.borrow_mut() += 1;
        let fault = self.server.faults.borrow_mut().pop().unwrap_or(Fault::None);
        match fault {
            Fault::DiesBeforeStoring => return Err(unreachable()),
            Fault::Busy => return Err(problem(503, problem_type::INTERNAL)),
            Fault::DiesHalfway => {
                self.server.store(&sent[..sent.len() / 2]);
                return Err(unreachable());
            }
            _ => {}
        }
        let mut items = self.server.store(sent);
        let unknown = UploadItem {
            uuid: Uuid::from_u128(sent.len() as u128),
            outcome: UploadOutcome::Accepted,
            reason: None,
        };
        match fault {
            Fault::DiesAfterStoring => return Err(unreachable()),
            Fault::DeviceDies => panic!("the device dies"),
            Fault::Garbled => {
                let (server, path) = ("https://api.example".into(), "/".into());
                return Err(ClientError::Garbled { server, path, reason: "no JSON".into() });
            }
            Fault::AnswersHalf => {
                let mut index = 0;
                items.retain(|_| {
                    index += 1;
                    index % 2 == 0
                });
            }
            Fault::AnswersUnknown => items.insert(0, unknown),
            Fault::AnswersUnknownOnly => items = vec![unknown],
            Fault::Contradicts => {
                let contrary = |item: &UploadItem| UploadItem {
                    outcome: match item.outcome {
                        UploadOutcome::Refused => UploadOutcome::Accepted,
                        _ => UploadOutcome::Refused,
                    },
                    ..item.clone()
                };
                let contraries: Vec<_> = items.iter().map(contrary).collect();
                items.splice(0..0, contraries);
            }
            Fault::AnswersTwice => items.extend(items.clone()),
            Fault::StoresMeanwhile => (self.meanwhile)(),
            _ => {}
        }
        Ok(UploadResponse { items })
    }
}
