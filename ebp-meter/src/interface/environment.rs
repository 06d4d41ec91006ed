//! What an interface to a meter works with: the place of its reading head, ports, clocks, tries.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use ebp_core::clock::{Clock, SystemClock};

use crate::{
    pace::{Pace, RealPace},
    port::{self, LineSettings, Port, PortError, PortName},
    session::{ReadOptions, Session},
    unlock::{Method, Tries},
};

/// Opens a port by its name, with those line settings.
pub type OpenPort =
    Arc<dyn Fn(&PortName, LineSettings) -> Result<Box<dyn Port>, PortError> + Send + Sync>;

/// Where a meter is, and what is known of its head and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The port of its reading head.
    pub port: PortName,
    /// What need not be found out of how it speaks. A driver with a language of its own has no use
    /// for it.
    pub read: ReadOptions,
    /// How the head makes light.
    pub method: Method,
    /// Whether the head shines while the line is idle.
    pub inverted: bool,
}

impl Site {
    /// A common head at that port.
    #[must_use]
    pub const fn new(port: PortName, read: ReadOptions) -> Self {
        Self { port, read, method: Method::Auto, inverted: false }
    }
}

/// What interfaces need beside their meter. A simulation brings ports and a time of its own, and all
/// else is the same.
#[derive(Clone)]
pub struct Environment {
    /// Opens a port.
    pub open: OpenPort,
    /// A simulation's time; the machine's where there is none.
    pub time: Option<Arc<dyn Pace + Send + Sync>>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// What was tried before at the meters' locks.
    pub tries: Tries,
    /// Raised to end whatever goes on: a head that shines goes dark.
    pub stop: Arc<AtomicBool>,
}

impl Environment {
    /// This machine's ports and clocks.
    #[must_use]
    pub fn for_machine(tries: Tries, stop: Arc<AtomicBool>) -> Self {
        Self { open: Arc::new(port::open), time: None, clock: Arc::new(SystemClock), tries, stop }
    }

    /// The same for whoever reads only: no try can be remembered, so that nothing can be unlocked.
    #[must_use]
    pub fn for_reading() -> Self {
        // It is no folder, so that each try ends before the meter could hear of it.
        Self::for_machine(Tries::in_folder(Path::new("/dev/null")), Arc::default())
    }

    /// The monotonic time.
    #[must_use]
    pub fn pace(&self) -> Arc<dyn Pace + Send + Sync> {
        self.time.clone().unwrap_or_else(|| Arc::new(RealPace::default()))
    }

    /// Opens a site's port and listens there in the languages that this program understands.
    ///
    /// # Errors
    /// Those of opening the port.
    pub fn session(&self, site: &Site) -> Result<Session, PortError> {
        let port = (self.open)(&site.port, Session::first_line(site.read))?;
        Ok(match &self.time {
            None => Session::from_port(port, site.read),
            Some(time) => Session::in_time(port, site.read, Arc::clone(time)),
        })
    }
}
