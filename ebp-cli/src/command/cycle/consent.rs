//! Asking for consent without waiting for the answer: readings must not be late for a slow network.

use std::{
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
};

use ebp_client::ClientError;
use ebp_core::{clock::SystemClock, contract::Consent, model::ConsentState};
use ebp_device::{
    consent::{Decision, Gate},
    spool::SpoolError,
};
use ebp_meter::aggregator::Permission;

use crate::{
    device::{self, Device},
    exit::Failure,
};

/// What came of a question.
pub struct Answer {
    /// Whether anything may be measured.
    pub permission: Permission,
    /// What is to be complained of.
    pub failure: Option<Failure>,
    /// Whether the spool has to be opened again: it could not remember the answer.
    pub wants_reopening: bool,
}

impl Answer {
    const fn of(permission: Permission, failure: Option<Failure>) -> Self {
        Self { permission, failure, wants_reopening: false }
    }

    /// Without a spool nothing is measured until it is there again.
    fn without_spool(error: SpoolError) -> Self {
        let wants_reopening = error.wants_reopening();
        let failure = Some(device::spool(error));
        Self { permission: Permission::Unknown, failure, wants_reopening }
    }
}

/// A question that may be under way.
pub struct Asking(Option<Receiver<Result<Consent, ClientError>>>);

impl Asking {
    /// No question yet.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Asks on a thread of its own, which wakes this one when it has the answer.
    pub fn ask(&mut self, device: &Device) {
        let (sender, receiver) = mpsc::channel();
        let (client, waiting) = (device.client.clone(), thread::current());
        let asked = thread::Builder::new().name("consent".to_owned()).spawn(move || {
            let _ = sender.send(client.consent());
            waiting.unpark();
        });
        // Without a thread the receiver is told that nobody will answer.
        if let Err(error) = asked {
            tracing::error!(%error, "no thread");
        }
        self.0 = Some(receiver);
    }

    /// The answer, if it has come.
    pub fn answer(&mut self, device: &Device) -> Option<Answer> {
        let answer = match self.0.as_ref()?.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                self.0 = None;
                return Some(remembered(device));
            }
        };
        self.0 = None;
        Some(match Gate::decide(&device.spool, move || answer, &SystemClock) {
            Ok(Decision::Granted { unasked, .. }) => {
                if let Some(error) = unasked {
                    tracing::warn!(%error, "consent could not be asked for; it was granted");
                }
                Answer::of(Permission::Granted, None)
            }
            Ok(Decision::NotGranted) => {
                Answer::of(Permission::NotGranted, Some(device::not_granted()))
            }
            Ok(Decision::Unknown(error)) => {
                Answer::of(Permission::Unknown, Some(device::client(error)))
            }
            Ok(Decision::Revoked) => Answer::of(Permission::Revoked, None),
            // A revocation may not have been remembered: nothing is measured until it can be.
            Err(error) => Answer::without_spool(error),
        })
    }
}

fn remembered(device: &Device) -> Answer {
    match device.spool.consent() {
        Ok(known) => Answer::of(permission(known.map(|known| known.state)), None),
        Err(error) => Answer::without_spool(error),
    }
}

/// What a remembered answer permits.
pub const fn permission(state: Option<ConsentState>) -> Permission {
    match state {
        None => Permission::Unknown,
        Some(ConsentState::NotGranted) => Permission::NotGranted,
        Some(ConsentState::Granted) => Permission::Granted,
        Some(ConsentState::Revoked) => Permission::Revoked,
    }
}
