//! Asking for consent without waiting for the answer: readings must not be late for a slow network.

use std::{
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
};

use ebp_core::{
    client::ClientError,
    clock::SystemClock,
    consent::{Decision, Gate},
    contract::Consent,
    model::ConsentState,
};
use ebp_meter::aggregator::Permission;

use crate::{
    device::{self, Device},
    exit::Failure,
};

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

    /// The answer, if it has come: whether anything may be measured, and what is to be complained of.
    pub fn answer(&mut self, device: &Device) -> Option<(Permission, Option<Failure>)> {
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
                (Permission::Granted, None)
            }
            Ok(Decision::NotGranted) => (Permission::NotGranted, Some(device::not_granted())),
            Ok(Decision::Unknown(error)) => (Permission::Unknown, Some(device::client(error))),
            Ok(Decision::Revoked) => (Permission::Revoked, None),
            // A revocation may not have been remembered: nothing is measured until it can be.
            Err(error) => (Permission::Unknown, Some(device::spool(error))),
        })
    }
}

fn remembered(device: &Device) -> (Permission, Option<Failure>) {
    match device.spool.consent() {
        Ok(known) => (permission(known.map(|known| known.state)), None),
        Err(error) => (Permission::Unknown, Some(device::spool(error))),
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
