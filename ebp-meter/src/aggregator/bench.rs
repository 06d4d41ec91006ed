//! What work at meters needs: how ports are opened, clocks, what was tried before.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use ebp_core::clock::DeviceClock;

use crate::{
    pace::{Pace, RealPace},
    port::{LineSettings, Port, PortError, PortName},
    session::{ReadOptions, Session},
    unlock::Tries,
};

/// Opens a port by its name, with those line settings.
pub type OpenPort<'a> = dyn Fn(&PortName, LineSettings) -> Result<Box<dyn Port>, PortError> + 'a;

/// What work at meters needs; a simulation brings ports and a time of its own, and all else is the
/// same.
pub struct Bench<'a> {
    /// Opens a port.
    pub open: &'a OpenPort<'a>,
    /// A simulation's time; the machine's where there is none.
    pub time: Option<Arc<dyn Pace + Send + Sync>>,
    /// The device's clocks.
    pub clock: &'a dyn DeviceClock,
    /// What was tried before at the meters' locks.
    pub tries: &'a Tries,
    /// Raised to end whatever goes on: a head that shines goes dark.
    pub stop: &'a AtomicBool,
    /// Told until when a reading goes on beyond its time, because its meter is answering.
    pub goes_on: &'a dyn Fn(Duration),
}

impl Bench<'_> {
    pub(super) fn session(
        &self,
        name: &PortName,
        line: LineSettings,
        options: ReadOptions,
    ) -> Result<Session, PortError> {
        let port = (self.open)(name, line)?;
        Ok(match &self.time {
            None => Session::from_port(port, options),
            Some(time) => Session::in_time(port, options, Arc::clone(time)),
        })
    }

    pub(super) fn pace(&self) -> Arc<dyn Pace + Send + Sync> {
        self.time.clone().unwrap_or_else(|| Arc::new(RealPace::default()))
    }
}
