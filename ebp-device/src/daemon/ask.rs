//! Asking for consent without waiting for the answer: a slow network must not delay readings.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, TryRecvError},
    },
    thread,
};

use ebp_client::ClientError;
use ebp_core::contract::Consent;

use crate::connection::DeviceApi;

/// The result of asking.
#[derive(Debug)]
pub enum Answer {
    /// The server answered, or could not be asked.
    Heard(Result<Consent, ClientError>),
    /// This machine could not ask: the last answer remains valid.
    NotAsked,
}

/// Asks the Data API for consent in the background.
pub trait AskConsent {
    /// Starts asking; the answer to an earlier request is ignored.
    fn ask(&mut self, api: &Arc<dyn DeviceApi>);

    /// The answer, once, when it has arrived.
    fn answer(&mut self) -> Option<Answer>;
}

/// Asks on a separate thread, which unparks the calling thread when it has the answer.
#[derive(Debug, Default)]
pub struct ConsentThread(Option<Receiver<Result<Consent, ClientError>>>);

impl AskConsent for ConsentThread {
    fn ask(&mut self, api: &Arc<dyn DeviceApi>) {
        let (sender, receiver) = mpsc::channel();
        let (api, waiting) = (Arc::clone(api), thread::current());
        let asked = thread::Builder::new().name("consent".to_owned()).spawn(move || {
            let _ = sender.send(api.consent());
            waiting.unpark();
        });
        // Without a thread the sender is dropped, and the answer is that it could not be asked.
        if let Err(error) = asked {
            tracing::error!(%error, "no thread");
        }
        self.0 = Some(receiver);
    }

    fn answer(&mut self) -> Option<Answer> {
        let answer = match self.0.as_ref()?.try_recv() {
            Ok(answer) => Answer::Heard(answer),
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Answer::NotAsked,
        };
        self.0 = None;
        Some(answer)
    }
}
