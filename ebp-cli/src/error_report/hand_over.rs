//! Handing the groups of errors of the device's page and its updater over to the measuring service, whose
//! folder the server is told of: they run as other users, and count in folders of their own.
//!
//! A service of an earlier release does not know the request, and one that does not run is asked again.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use ebp_core::contract::{ReportedErrorGroup, limits};
use ebp_device::socket::{Answer, Request, ask};
use ebp_errors::Folder;

/// How often it is looked whether something was counted.
const LOOK: Duration = Duration::from_secs(10);
/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// The groups of a folder, on their way to the socket.
#[derive(Debug, Clone)]
pub struct HandOver {
    folder: Folder,
    socket: PathBuf,
    /// Those that were taken, as they were then.
    taken: Arc<Mutex<Vec<ReportedErrorGroup>>>,
}

impl HandOver {
    /// From that folder to that socket.
    pub fn new(folder: Folder, socket: PathBuf) -> Self {
        Self { folder, socket, taken: Arc::default() }
    }

    /// Looks now and then, in a thread of its own, until the process ends.
    pub fn go_on_doing_it(&self) {
        let own = self.clone();
        let look = move || {
            loop {
                own.hand_over();
                thread::sleep(LOOK);
            }
        };
        // Without a thread they are handed over at the end.
        let _ = thread::Builder::new().name("errors".to_owned()).spawn(look);
    }

    /// Hands over what was not taken yet.
    pub fn hand_over(&self) {
        let groups = self.folder.ledger().unwrap_or_default().latest(limits::STATUS_ERRORS);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups.iter().filter(|group| !taken.contains(group)).rev() {
            let request = Request::Error { group: Box::new(group.clone()) };
            match ask(&self.socket, &request, WAIT) {
                Ok(Answer::Taken {}) => {}
                Ok(_) => tracing::debug!("the measuring service takes no errors"),
                Err(error) => {
                    tracing::debug!("{}: {error}", self.socket.display());
                    return;
                }
            }
        }
        *taken = groups;
    }
}
